"""A stored recording read as every other recording is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.benchmark.exchange import StoredRecording
from embersort.types import Geometry


@dataclass(frozen=True, kw_only=True, slots=True)
class CountsRecording:
    """The traces of a stored recording, in microvolt.

    Attributes
    ----------
    stored : StoredRecording
    """

    stored: StoredRecording

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.stored.n_samples

    @property
    def sampling_rate_hz(self) -> float:
        """Sampling rate."""
        return self.stored.sampling_rate_hz

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return self.stored.geometry

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return traces, shape (stop_sample - start_sample, n_channels)."""
        counts = self.stored.traces()[start_sample:stop_sample]
        return counts.astype(np.float32) * np.float32(self.stored.uv_per_count)
