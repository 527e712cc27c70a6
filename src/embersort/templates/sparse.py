"""Templates held on the channels that they reach: those of a long probe reach a few each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embersort.types import IntArray

NO_CHANNEL = -1
"""In place of a channel, where a template has fewer than another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SparseTemplates:
    """Templates of which only the channels are held that are not zero.

    Attributes
    ----------
    channels : ndarray, shape (n_units, n_support), int64
        Channels of each template, ascending, padded with `NO_CHANNEL`.
    waves : ndarray, shape (n_units, n_window, n_support), float32
        What they record; zero on the padding.
    n_channels : int
        Of the recording.
    """

    channels: NDArray[np.int64]
    waves: NDArray[np.float32]
    n_channels: int

    def __len__(self) -> int:
        """Return the number of templates."""
        return len(self.channels)

    def __getitem__(self, rows: IntArray | NDArray[np.bool_]) -> SparseTemplates:
        """Return some of the templates, in the order asked for."""
        return replace(self, channels=self.channels[rows], waves=self.waves[rows])

    @property
    def n_window(self) -> int:
        """Samples of a template."""
        return self.waves.shape[1]

    def energy(self) -> NDArray[np.float32]:
        """Return the sum of squares of each template, shape (n_units,)."""
        return np.asarray(np.square(self.waves).sum(axis=(1, 2)))

    def one(self, unit: int) -> NDArray[np.float32]:
        """Return a template on all channels, shape (n_window, n_channels)."""
        whole = np.zeros((self.n_window, self.n_channels), self.waves.dtype)
        used = self.channels[unit] >= 0
        whole[:, self.channels[unit][used]] = self.waves[unit][:, used]
        return whole

    def dense(self) -> NDArray[np.float32]:
        """Return all templates on all channels, shape (n_units, n_window, n_channels)."""
        whole = np.zeros((len(self), self.n_window, self.n_channels), self.waves.dtype)
        for unit, out in enumerate(whole):
            used = self.channels[unit] >= 0
            out[:, self.channels[unit][used]] = self.waves[unit][:, used]
        return whole

    def each(self) -> Iterator[NDArray[np.float32]]:
        """Yield one template after the other on all channels."""
        return map(self.one, range(len(self)))

    def with_waves(
        self, waves: Mapping[int, tuple[IntArray, NDArray[np.float32]]]
    ) -> SparseTemplates:
        """Return as many templates of other shapes.

        Parameters
        ----------
        waves : mapping
            From some units to the channels of each, ascending or not, and what they record; the
            others are zero.
        """

        def whole(unit: int) -> NDArray[np.float32]:
            out = np.zeros((self.n_window, self.n_channels), np.float32)
            if unit in waves:
                channels, wave = waves[unit]
                out[:, channels] = wave
            return out

        return gather(map(whole, range(len(self))), self.n_window, self.n_channels)

    def replaced(self, rows: IntArray, others: SparseTemplates) -> SparseTemplates:
        """Return the templates with others in place of some."""
        n_support = max(self.channels.shape[1], others.channels.shape[1])
        wide, new = self._padded(n_support), others._padded(n_support)
        channels, waves = wide.channels.copy(), wide.waves.copy()
        channels[rows], waves[rows] = new.channels, new.waves
        return replace(self, channels=channels, waves=waves)

    def _padded(self, n_support: int) -> SparseTemplates:
        """Return the same on room for so many channels."""
        more = ((0, 0), (0, n_support - self.channels.shape[1]))
        return replace(
            self,
            channels=np.pad(self.channels, more, constant_values=NO_CHANNEL),
            waves=np.pad(self.waves, ((0, 0), *more)),
        )


def sparse(dense: NDArray[np.float32]) -> SparseTemplates:
    """Return templates on the channels on which they are not zero.

    Parameters
    ----------
    dense : ndarray, shape (n_units, n_window, n_channels), float32
    """
    return gather(dense, *dense.shape[1:])


def gather(dense: Iterable[NDArray[np.float32]], n_window: int, n_channels: int) -> SparseTemplates:
    """Return templates that are made one after the other, so that never all are whole at a time.

    Parameters
    ----------
    dense : iterable of ndarray, shape (n_window, n_channels), float32
    n_window, n_channels : int
    """
    owns, parts = [], []
    for whole in dense:
        own = np.flatnonzero(whole.any(axis=0))
        owns.append(own)
        parts.append(whole[:, own])
    n_units, n_support = len(owns), max((len(own) for own in owns), default=0)
    channels = np.full((n_units, n_support), NO_CHANNEL, np.int64)
    waves = np.zeros((n_units, n_window, n_support), np.float32)
    for unit, (own, part) in enumerate(zip(owns, parts, strict=True)):
        channels[unit, : len(own)] = own
        waves[unit, :, : len(own)] = part
    return SparseTemplates(channels=channels, waves=waves, n_channels=n_channels)
