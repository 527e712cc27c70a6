"""The picture of a separation: one self-contained HTML page, no library, works offline."""

from __future__ import annotations

import base64
from html import escape

import numpy as np
from numpy.typing import NDArray

from embersort.output.png import png_bytes
from embersort.speech.spectrogram import ComplexArray, SpectrogramConfig

Float32Array = NDArray[np.float32]

SECONDS_SHOWN = 8.0
"""Longer recordings are shown from their start up to here."""

DYNAMIC_RANGE_DB = 70.0
"""Bins this far below the loudest are drawn black."""

SPEAKER_COLOURS = np.array(
    [[239, 108, 0], [0, 137, 209], [94, 184, 76], [181, 76, 192], [233, 196, 24]], np.float32
)
"""Orange, blue, green, violet, yellow."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em;
color: #222; }}
figure {{ margin: 0 0 1.5em; }}
img {{ width: 100%; height: 200px; image-rendering: pixelated; display: block; }}
figcaption {{ margin-top: .3em; color: #444; }}
</style></head><body><h1>{title}</h1>
<p>Time runs to the right ({seconds:.1f} s), frequency upward (0 to {top_hz:.0f} Hz).</p>
{figures}</body></html>
"""


def separation_page(
    title: str,
    mixture: ComplexArray,
    masks: Float32Array,
    embedding: Float32Array,
    config: SpectrogramConfig,
    ideal_masks: Float32Array | None = None,
) -> str:
    """Return the page: mixture, ideal masks where known, estimated masks, embedding.

    Parameters
    ----------
    title : str
    mixture : ndarray, shape (n_frames, n_frequencies), complex64
    masks : ndarray, shape (n_speakers, n_frames, n_frequencies), float32
    embedding : ndarray, shape (n_shown, n_frequencies - 1, n_dims), float32
        Of the first frames, without 0 Hz; as many are shown as there are.
    config : SpectrogramConfig
    ideal_masks : ndarray, shape of ``masks``, optional
        In the same order of speakers.
    """
    n_shown = min(len(embedding), round(SECONDS_SHOWN * config.frame_rate_hz))
    mixture, masks = mixture[:n_shown], masks[:, :n_shown]
    loudness = _loudness(mixture)
    figures = [_figure(_grey(loudness), "The mixture: log magnitude of its spectrogram.")]
    if ideal_masks is not None:
        ideal = _coloured(ideal_masks[:, :n_shown], loudness)
        figures.append(_figure(ideal, "Ideal masks: the colour of a bin is its loudest speaker."))
    figures.append(_figure(_coloured(masks, loudness), "Estimated masks, one colour a speaker."))
    caption = (
        "The embedding: its first three principal dimensions as red, green and blue, as bright as "
        "the bin is loud. Bins of one speaker should have one colour at all times."
    )
    figures.append(_figure(_embedding_colours(embedding[:n_shown], loudness[:, 1:]), caption))
    return _PAGE.format(
        title=escape(title),
        seconds=n_shown / config.frame_rate_hz,
        top_hz=config.sampling_rate_hz / 2,
        figures="\n".join(figures),
    )


def _figure(rgb: Float32Array, caption: str) -> str:
    """Return an image over (time, frequency, 3), values 0 to 255, with its caption."""
    upright = np.clip(rgb, 0, 255).astype(np.uint8).transpose(1, 0, 2)[::-1]
    data = base64.b64encode(png_bytes(np.ascontiguousarray(upright))).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _loudness(spectrogram: ComplexArray) -> Float32Array:
    """Return log magnitude, 1 at the loudest bin, 0 at the end of the dynamic range."""
    magnitude = np.abs(spectrogram)
    relative = magnitude / max(float(magnitude.max(initial=0.0)), np.finfo(np.float32).tiny)
    decibel = 20 * np.log10(np.maximum(relative, 10 ** (-DYNAMIC_RANGE_DB / 20)))
    return (1 + decibel / DYNAMIC_RANGE_DB).astype(np.float32)


def _grey(loudness: Float32Array) -> Float32Array:
    """Return loudness as grey."""
    return np.repeat(255 * loudness[:, :, None], 3, axis=2)


def _coloured(masks: Float32Array, loudness: Float32Array) -> Float32Array:
    """Return masks as colours, as bright as the bin is loud."""
    colours = np.einsum("stf,sc->tfc", masks, SPEAKER_COLOURS[: len(masks)])
    return colours * loudness[:, :, None]


def _embedding_colours(embedding: Float32Array, loudness: Float32Array) -> Float32Array:
    """Return the first three principal dimensions of the embedding as colours."""
    vectors = embedding.reshape(-1, embedding.shape[-1])
    weights = loudness.reshape(-1, 1)
    mean = (vectors * weights).sum(axis=0) / max(float(weights.sum()), 1e-12)
    centred = vectors - mean
    _, axes = np.linalg.eigh((centred * weights).T @ centred)
    projected = centred @ axes[:, ::-1][:, :3]
    # Two dimensions of an embedding have two colours.
    projected = np.pad(projected, ((0, 0), (0, 3 - projected.shape[1])))
    spread = np.maximum(np.abs(projected).max(axis=0), 1e-12)
    colours = (127.5 + 127.5 * projected / spread).reshape(*loudness.shape, 3)
    return (colours * loudness[:, :, None]).astype(np.float32)
