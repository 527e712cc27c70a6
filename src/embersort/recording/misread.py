"""Flat binary files read with a wrong type, byte order or number of channels, or a header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.recording.scale import impossible_share, spread

_TYPES = ("<i2", "<u2", "<f4", "<i4", "<f8", ">i2", ">u2", ">f4", ">i4")
"""What recordings are stored in, the likeliest first."""
_QUIET = 3000.0
"""Counts that a recording varies by at most, as a rule; misread ones vary by far more."""
_CLEARLY = 8.0
"""The likely type must make traces vary so many times less."""
_LOUD = 6000.0
_HEADER_BYTES = 65_536
"""So much of a file is searched for a header."""
_LEAST_HEADER = 64
_MOST_CHANNELS = 1200
_GAIN = 0.75
"""With the right number of channels the unexplained share is at most this of the other's."""
_LEAST_GAIN = 0.05
_HALF_GAIN = 0.005
"""Enough where it leaves half as much unexplained, as where offsets make all samples alike."""
_MANY_WRAPS = 0.01
_LEAST_CORRELATION = 0.12


def likely_type(data: bytes, n_channels: int, said: np.dtype[Any]) -> str | None:
    """Return the type that bytes more likely hold than the one said; None if that is likely.

    Parameters
    ----------
    data : bytes
        A stretch of the recording, from the beginning of a sample.
    n_channels : int
    said : numpy dtype

    Returns
    -------
    str or None
        Such as ``int16`` or ``int16, big-endian``.
    """
    if said.kind in "iu" and said.itemsize == 2 and _wraps(data, n_channels, said):
        other = np.dtype("u2" if said.kind == "i" else "i2")
        if _variation(data, n_channels, other) < _QUIET and not _wraps(data, n_channels, other):
            return other.name
    now = _variation(data, n_channels, said)
    if said.kind in "iu" and now < _LOUD:
        return "int32" if said.itemsize == 2 and _is_half_of_int32(data) else None
    for name in _TYPES:
        one = np.dtype(name)
        if one == said:
            continue
        varies = _variation(data, n_channels, one)
        if 0 < varies < min(_QUIET, now / _CLEARLY):
            big = one.byteorder == ">"
            return (
                f"{one.newbyteorder('=').name}, big-endian (--dtype '{name}')" if big else one.name
            )
    return None


def _variation(data: bytes, n_channels: int, dtype: np.dtype[Any]) -> float:
    """Return how much traces of a type vary; infinite where they are none."""
    frame = dtype.itemsize * n_channels
    n_samples = len(data) // frame
    if n_samples < 2:
        return np.inf
    values = np.frombuffer(data[: n_samples * frame], dtype).reshape(n_samples, n_channels)
    if dtype.kind == "f":
        values = values.astype(dtype.newbyteorder("="))
        if impossible_share(values) > 0 or np.abs(np.nan_to_num(values)).max() > 1e9:
            return np.inf
    return spread(values)


def _wraps(data: bytes, n_channels: int, dtype: np.dtype[Any]) -> bool:
    """Say whether traces leap from one end of their type to the other, again and again."""
    n_samples = len(data) // (2 * n_channels)
    values = np.frombuffer(data[: 2 * n_samples * n_channels], dtype).reshape(n_samples, n_channels)
    leaps = np.abs(np.diff(values.astype(np.int32), axis=0)) > 0.9 * 2**16
    return bool(leaps.mean(axis=0).max(initial=0.0) > _MANY_WRAPS)


def _is_half_of_int32(data: bytes) -> bool:
    """Say whether every second short is the sign of the one before it."""
    halves = np.frombuffer(data[: len(data) // 4 * 4], "<i2").reshape(-1, 2)
    signs = np.where(halves[:, 0] < 0, -1, 0)
    moves = bool(np.ptp(halves[:, 0])) if len(halves) else False
    return moves and bool((halves[:, 1] == signs).mean() > 0.99)


def likely_n_channels(values: NDArray[Any], n_channels: int) -> int | None:
    """Return the number of channels that samples in file order more likely have; None if none.

    Traces read with a wrong number of channels repeat with a shift. Samples one frame apart
    belong to one channel, and nothing is more like a sample than the next of its channel. Only
    samples of different frames, as they were read, are compared.

    Parameters
    ----------
    values : ndarray, shape (n_values,)
        From the beginning of a sample.
    n_channels : int
        As it was said.
    """
    flat = values[: len(values) // n_channels * n_channels].astype(np.float64)
    if len(flat) < 20 * max(n_channels, 4):
        return None
    centre = np.median(flat)
    scale = np.median(np.abs(flat - centre))
    if not scale:
        return None
    flat = np.clip((flat - centre) / scale, -10, 10)
    frames = flat.reshape(-1, n_channels)
    frames = (frames - frames.mean(axis=0)) / np.maximum(frames.std(axis=0), 1e-9)
    own = (frames[:-1] * frames[1:]).mean(axis=0)

    most = min(_MOST_CHANNELS, len(flat) // 20)
    likely = None
    best = _LEAST_CORRELATION
    for lag in _lags(flat - flat.mean(), most):
        found, said = _across_frames(frames, own, lag)
        if lag == n_channels or found <= best or not _is_clearly_more(found, said):
            continue
        # A whole number of frames later is the same channel: an oscillation may do that, too.
        if lag % n_channels or 1 - found < 0.6 * (1 - said):
            best, likely = found, lag
    return likely


def _across_frames(
    frames: NDArray[np.float64], own: NDArray[np.float64], lag: int
) -> tuple[float, float]:
    """Return how alike samples of different frames are at a lag, and how alike at one frame.

    Two channels that share a signal are no more alike than the one of them that it fills more, so
    the larger of both is what is compared with.
    """
    n_channels = frames.shape[1]
    start = np.arange(n_channels)
    later, stop = np.divmod(start + lag, n_channels)
    alike, at_frame = [], []
    for one, other, n in zip(start, stop, later, strict=True):
        if n:
            alike.append(float((frames[:-n, one] * frames[n:, other]).mean()))
            at_frame.append(max(own[one], own[other]))
    return float(np.mean(alike)), float(np.mean(at_frame))


def _is_clearly_more(found: float, said: float) -> bool:
    """Say whether one correlation exceeds another so far that it is no chance."""
    left = _GAIN * (1 - said) + (0.25 if said < found / 3 else 0.0)
    least = _LEAST_GAIN if 1 - found > 0.5 * (1 - said) else _HALF_GAIN
    return found - said >= least and 1 - found <= left


def _lags(flat: NDArray[np.float64], most: int) -> Iterator[int]:
    """Yield the lags at which a series is most like itself, by its Fourier transform."""
    n = 1 << (2 * len(flat) - 1).bit_length()
    spectrum = np.fft.rfft(flat, n)
    alike = np.fft.irfft(np.abs(spectrum) ** 2, n)[: most + 1]
    order = np.argsort(-alike[1:], kind="stable") + 1
    yield from order[:30].tolist()


def header_bytes(start: bytes) -> int:
    """Return how many bytes at the start of a file are a header of text or filling; 0 if none.

    Parameters
    ----------
    start : bytes
        The first 64 kB of a file.
    """
    data = np.frombuffer(start[:_HEADER_BYTES], np.uint8)
    if len(data) < 2 * _LEAST_HEADER:
        return 0
    text = np.isin(data, _PRINTABLE)
    if text[:_LEAST_HEADER].mean() > 0.95:
        return _run(text | (data == 0))
    if data[0] not in (0, 255):
        same = _run(data == data[0])
        return same if same >= _LEAST_HEADER else 0
    return 0


_PRINTABLE = np.array([9, 10, 13, *range(32, 127)], np.uint8)


def _run(good: NDArray[np.bool_]) -> int:
    """Return how long a run of true values is from the start, forgiving one in twenty."""
    blocks = good[: len(good) // 16 * 16].reshape(-1, 16).mean(axis=1) >= 0.9
    n_blocks = len(blocks) if blocks.all() else int(np.argmin(blocks))
    return 16 * n_blocks if n_blocks < len(blocks) else 0
