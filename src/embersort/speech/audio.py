"""Sound files in and out: any rate and channel count in, mono at one rate in memory."""

from __future__ import annotations

from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput, MissingDependency

SUFFIXES = (".wav", ".flac")


def read_audio(path: Path, sampling_rate_hz: int) -> NDArray[np.float32]:
    """Read a sound file as mono at a sampling rate.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads: wav, FLAC and others, any rate and channel count.
    sampling_rate_hz : int
        Rate to which the file is resampled (polyphase filter).

    Returns
    -------
    ndarray, shape (n_samples,), float32
        Mean of the channels, full scale 1.

    Raises
    ------
    BadInput
        If the file is missing, not sound, empty, or holds values that are not finite.
    MissingDependency
        If soundfile is not installed.
    """
    soundfile = _soundfile()
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path} is not a file; expected a wav or FLAC file")
    try:
        frames, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadInput(f"{path} cannot be read as sound: {error.error_string}") from None
    if not len(frames):
        raise BadInput(f"{path} holds no samples")
    if not np.isfinite(frames).all():
        raise BadInput(f"{path} holds samples that are not finite")
    return resample(frames.mean(axis=1), rate_hz, sampling_rate_hz)


def write_audio(path: Path, signal: NDArray[np.float32], sampling_rate_hz: int) -> None:
    """Write a mono signal as a 16-bit wav file.

    A signal that goes beyond full scale is scaled down to it, not clipped.
    """
    peak = float(np.abs(signal).max(initial=0.0))
    _soundfile().write(path, signal / max(1.0, peak), sampling_rate_hz, subtype="PCM_16")


def resample(signal: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """Return a signal at another sampling rate (polyphase filter)."""
    if from_hz == to_hz:
        return signal
    from scipy.signal import resample_poly

    divisor = gcd(from_hz, to_hz)
    resampled = resample_poly(signal, to_hz // divisor, from_hz // divisor)
    return resampled.astype(np.float32)


def _soundfile() -> Any:
    """Return the soundfile module; it comes with an extra."""
    try:
        import soundfile
    except ImportError:
        raise MissingDependency(
            "reading sound needs soundfile; install it with: pip install 'embersort[speech]'"
        ) from None
    return soundfile
