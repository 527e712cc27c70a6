"""The recording cut into equal blocks of time, so that a page can sum any range of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from embersort.types import IntArray, frozen_array

N_BLOCKS = 24
"""Blocks of the time-range filter: fine enough to choose an epoch, coarse enough to store."""
BINS_PER_BLOCK = 10
"""Bins of firing rate within a block."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocks:
    """Equal blocks of time.

    Attributes
    ----------
    edges_samples : ndarray, shape (n_blocks + 1,), int64
        First sample of each block, and the end of the recording.
    """

    edges_samples: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "edges_samples", frozen_array(self.edges_samples, np.int64, 1, "edges_samples")
        )

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self.edges_samples) - 1

    def of(self, sample_index: IntArray) -> IntArray:
        """Return the block of each sample, shape of ``sample_index``."""
        block = np.searchsorted(self.edges_samples, sample_index, side="right") - 1
        return np.clip(block, 0, self.n_blocks - 1)

    def counts(self, sample_index: IntArray) -> IntArray:
        """Return how many of the samples lie in each block, shape (n_blocks,)."""
        return np.bincount(self.of(sample_index), minlength=self.n_blocks)


def cut_blocks(n_samples: int, n_blocks: int = N_BLOCKS) -> Blocks:
    """Cut a recording of ``n_samples`` into ``n_blocks`` blocks that differ by one sample at most.

    Examples
    --------
    >>> cut_blocks(10, 4).edges_samples.tolist()
    [0, 2, 5, 7, 10]
    """
    edges = np.arange(n_blocks + 1, dtype=np.int64) * n_samples // n_blocks
    return Blocks(edges_samples=edges)
