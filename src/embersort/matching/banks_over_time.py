"""The template banks of a recording: one for each set of versions that hold together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import EarlierBank, TemplateBank, make_bank, select
from embersort.matching.redundancy import Redundancy
from embersort.signal.pca import TemporalPca
from embersort.templates.estimate import centred, unwhitening
from embersort.templates.sparse import SparseTemplates
from embersort.templates.tracking import TrackedTemplates
from embersort.types import FloatArray, IntArray

MIN_MEDIAN_DECREASE = 64.0
"""Half of a unit's spikes lower the squared residual by at least this. Chosen on the development
recordings, 2026-11-22."""

BANKS_KEPT = 6
"""Banks in memory at a time: tiles come in order, a few threads apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockBank:
    """The templates of a time, and whose they are.

    Attributes
    ----------
    bank : TemplateBank
    unit_index : ndarray, shape (n_templates,), int64
    """

    bank: TemplateBank
    unit_index: NDArray[np.int64]


class BanksOverTime:
    """Makes the bank of a block when it is asked for, and keeps the latest few.

    What it returns depends on the block alone, whoever asks, and in whatever order.
    """

    def __init__(self, templates: TrackedTemplates, make: Callable[[int], BlockBank]) -> None:
        self._templates, self._make = templates, make
        self._kept: dict[tuple[int, ...], BlockBank] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without what is kept, which it makes for itself."""
        return BanksOverTime, (self._templates, self._make)

    @property
    def templates(self) -> TrackedTemplates:
        """What the banks are made of."""
        return self._templates

    def at(self, sample_index: int) -> BlockBank:
        """Return the bank of the block that a sample lies in."""
        block = self._templates.block_of(sample_index)
        versions = tuple(self._templates.at(block).tolist())
        with self._lock:
            if versions not in self._kept:
                if len(self._kept) >= BANKS_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[versions] = self._make(block)
            return self._kept[versions]


def banks_over_time(
    templates: TrackedTemplates,
    pca: TemporalPca,
    whitening: NDArray[np.float32],
    n_before: int,
    noise: FloatArray,
    config: MatchConfig,
    stride: int = 1,
) -> BanksOverTime:
    """Prepare the matching of templates: those that are units of their own, at each time.

    Parameters
    ----------
    templates : TrackedTemplates
    pca : TemporalPca
    whitening : ndarray, shape (n_channels, n_channels), float32
    n_before : int
        Sample of the trough within the window.
    noise : ndarray, shape (n_lags,)
        Autocorrelation of the white noise.
    config : MatchConfig
    stride : int
        See `embersort.matching.upsample.score_stride`.
    """
    preparation = _Preparation(
        unwhitening=unwhitening(whitening), n_before=n_before, noise=noise, stride=stride
    )
    return BanksOverTime(templates, _BankMaker(templates, pca, preparation, Redundancy(config)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Preparation:
    """How white templates become a bank."""

    unwhitening: NDArray[np.float64]
    n_before: int
    noise: FloatArray
    stride: int

    def centre(self, white: SparseTemplates) -> SparseTemplates:
        """Return templates with their trough where a bank wants it."""
        return centred(white, self.unwhitening, self.n_before)

    def bank(self, centred_waves: SparseTemplates, earlier: EarlierBank | None) -> TemplateBank:
        """Return the bank of templates that are centred."""
        return make_bank(
            centred_waves, self.n_before, noise=self.noise, earlier=earlier, stride=self.stride
        )


class _BankMaker:
    """Makes the bank of a block: tracked templates, less those that the others explain.

    What the block before had too is made once.
    """

    def __init__(
        self,
        templates: TrackedTemplates,
        pca: TemporalPca,
        preparation: _Preparation,
        redundancy: Redundancy,
    ) -> None:
        self._templates, self._pca, self._redundancy = templates, pca, redundancy
        self._plain, self._whole = _Series(preparation), _Series(preparation)

    def __call__(self, block: int) -> BlockBank:
        templates = self._templates
        versions = templates.at(block)
        waves = self._plain.waves(versions, self._raw)
        # A spike gains at most its template's energy: what lies below can never be a unit.
        strong = waves.energy() >= MIN_MEDIAN_DECREASE
        waves, versions = waves[strong], versions[strong]
        bank, unit = self._plain.bank(versions, waves), templates.unit_index[versions]
        needed = ~self._redundancy.of(waves, bank, templates.n_spikes[unit], versions)
        if templates.residual is None:
            return BlockBank(bank=select(bank, needed), unit_index=unit[needed])
        whole = self._whole.waves(versions[needed], self._corrected)
        return BlockBank(bank=self._whole.bank(versions[needed], whole), unit_index=unit[needed])

    def _raw(self, versions: IntArray) -> SparseTemplates:
        return self._templates.waveforms(versions, self._pca)

    def _corrected(self, versions: IntArray) -> SparseTemplates:
        return self._templates.corrected(versions, self._pca)


class _Series:
    """Prepares the versions of one block after the other, each as long as it holds once."""

    def __init__(self, preparation: _Preparation) -> None:
        self._preparation = preparation
        self._of_waves = self._of_bank = np.zeros(0, np.int64)
        self._waves: SparseTemplates | None = None
        self._bank: TemplateBank | None = None

    def waves(
        self, versions: IntArray, raw: Callable[[IntArray], SparseTemplates]
    ) -> SparseTemplates:
        """Return the centred templates of some versions, given how the raw ones are made."""
        row = _places(versions, self._of_waves)
        new = np.flatnonzero(row < 0)
        waves = self._preparation.centre(raw(versions[new]))
        if self._waves is not None and len(self._waves):
            waves = self._waves[row].replaced(new, waves)
        self._of_waves, self._waves = versions, waves
        return waves

    def bank(self, versions: IntArray, waves: SparseTemplates) -> TemplateBank:
        """Return the bank of the templates of some versions."""
        earlier = None
        if self._bank is not None:
            earlier = EarlierBank(bank=self._bank, row=_places(versions, self._of_bank))
        self._of_bank, self._bank = versions, self._preparation.bank(waves, earlier)
        return self._bank


def _places(wanted: IntArray, names: IntArray) -> NDArray[np.int64]:
    """Return where each wanted name is among names in order, or -1."""
    place = np.searchsorted(names, wanted)
    found = np.append(names, -1)[place] == wanted
    return np.where(found, place, -1)
