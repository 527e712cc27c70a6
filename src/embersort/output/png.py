"""Images as PNG files, without a library."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]


def png_bytes(image: RgbImage) -> bytes:
    """Return an image, shape (n_rows, n_columns, 3), as a PNG file (RFC 2083)."""
    n_rows, n_columns, _ = image.shape
    header = struct.pack(">IIBBBBB", n_columns, n_rows, 8, 2, 0, 0, 0)
    # Each row starts with the number of its filter: 0, none.
    rows = np.hstack([np.zeros((n_rows, 1), np.uint8), image.reshape(n_rows, -1)])
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
