"""The picture is self-contained, and its images are valid PNGs of what is drawn."""

from __future__ import annotations

import base64
import re
import struct
import zlib

import numpy as np

from embersort.output.png import png_bytes
from embersort.speech.picture import separation_page
from embersort.speech.spectrogram import DEFAULT_SPECTROGRAM


def read_png(content):
    """Undo `png_bytes`: checksums, header, rows without a filter."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        name, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        (checksum,) = struct.unpack(">I", content[place + 8 + size : place + 12 + size])
        assert checksum == zlib.crc32(name + data)
        chunks[name], place = data, place + 12 + size
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 2)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


def test_png_holds_the_pixels():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_png(png_bytes(image)), image)


def test_page_shows_four_images_with_frequency_upward_and_no_outside_link():
    mixture = np.zeros((20, 129), np.complex64)
    mixture[4, 10] = 1.0
    masks = np.zeros((2, 20, 129), np.float32)
    masks[1] = 1.0
    embedding = np.random.default_rng(0).normal(size=(20, 128, 20)).astype(np.float32)
    page = separation_page("a <b>", mixture, masks, embedding, DEFAULT_SPECTROGRAM, masks[::-1])
    assert "a &lt;b&gt;" in page
    assert "http" not in page
    images = [read_png(base64.b64decode(text)) for text in re.findall(r"base64,([^\"]+)\"", page)]
    assert [image.shape for image in images] == [(129, 20, 3)] * 3 + [(128, 20, 3)]
    assert images[0][128 - 10, 4].tolist() == [255, 255, 255]
    assert images[0].sum() == 3 * 255
    assert images[2][128 - 10, 4].tolist() == [0, 137, 209]  # the second speaker is blue
    assert images[1][128 - 10, 4].tolist() == [239, 108, 0]
    without = separation_page("a", mixture, masks, embedding, DEFAULT_SPECTROGRAM)
    assert without.count("<figure>") == 3
