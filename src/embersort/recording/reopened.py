"""A recording that travels to another process as the path from which it was opened."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.recording.door import open_recording
from embersort.recording.one_line import one_line
from embersort.types import Geometry, Recording


class ReopenedRecording:
    """A recording from a path; pickled, it is the path and how that was opened.

    Parameters
    ----------
    path : str or list of str
        Absolute, and valid wherever the recording is sent. Several are joined in time.
    options : dict
        Of `embersort.open_recording`.
    """

    def __init__(self, path: str | list[str], options: dict[str, Any]) -> None:
        self._path, self._options = path, options
        self._opened = open_recording(path, **options)

    def __reduce__(self) -> tuple[Any, ...]:
        return ReopenedRecording, (self._path, self._options)

    def __repr__(self) -> str:
        return one_line(self)

    @property
    def opened(self) -> Recording:
        """The recording behind it."""
        return self._opened

    @property
    def n_samples(self) -> int:
        """Number of samples (per channel)."""
        return self._opened.n_samples

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self._opened.sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return self._opened.geometry

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces in microvolt, shape (stop_sample - start_sample, n_channels)."""
        return self._opened.read(start_sample, stop_sample)
