"""The template banks of a recording: one for each set of versions that hold together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank, make_bank, select
from embersort.matching.redundant import redundant
from embersort.signal.features import TemporalPca
from embersort.sorting.moving import AS_IT_IS, MovingTemplates
from embersort.sorting.units import centred
from embersort.types import FloatArray

BANKS_KEPT = 6
"""Banks in memory at a time: tiles come in order, a few threads apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedBank:
    """The templates of a time, and whose they are.

    Attributes
    ----------
    bank : TemplateBank
    unit_index : ndarray, shape (n_templates,), int64
    """

    bank: TemplateBank
    unit_index: NDArray[np.int64]


class Banks:
    """Makes the bank of a block when it is asked for, and keeps the latest few.

    What it returns depends on the block alone, whoever asks, and in whatever order.
    """

    def __init__(self, templates: MovingTemplates, make: Callable[[int], TimedBank]) -> None:
        self._templates, self._make = templates, make
        self._kept: dict[tuple[int, ...], TimedBank] = {}
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without what is kept, which it makes for itself."""
        return Banks, (self._templates, self._make)

    @property
    def templates(self) -> MovingTemplates:
        """What the banks are made of."""
        return self._templates

    def at(self, sample_index: int) -> TimedBank:
        """Return the bank of the block that a sample lies in."""
        block = sample_index // self._templates.block_samples
        versions = tuple(self._templates.at(block).tolist())
        with self._lock:
            if versions not in self._kept:
                if len(self._kept) >= BANKS_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[versions] = self._make(block)
            return self._kept[versions]


def make_banks(
    templates: MovingTemplates,
    stage: TemporalPca,
    whitening: NDArray[np.float32],
    n_before: int,
    noise: FloatArray,
    config: MatchConfig,
    lacks: NDArray[np.float32] | None = None,
) -> Banks:
    """Prepare the matching of templates: those that are units of their own, at each time.

    Parameters
    ----------
    templates : MovingTemplates
    stage : TemporalPca
    whitening : ndarray, shape (n_channels, n_channels), float32
    n_before : int
        Sample of the trough within the window.
    noise : ndarray, shape (n_lags,)
        Autocorrelation of the white noise.
    config : MatchConfig
    lacks : ndarray, shape (n_units, n_window, n_channels), float32, optional
        What the base templates lack. It is added where they are matched, but does not tell them
        apart: its noise would.
    """

    def make(block: int) -> TimedBank:
        versions = templates.at(block)
        raw = templates.waveforms(versions, stage)
        waves = centred(raw, whitening, n_before)
        # A spike gains at most its template's energy: what lies below can never be a unit.
        strong = np.square(waves).sum(axis=(1, 2)) >= config.min_median_gain
        waves, unit = waves[strong], templates.unit_index[versions[strong]]
        bank = make_bank(waves, n_before, config, noise)
        needed = ~redundant(waves, bank, templates.n_spikes[unit], config)
        if lacks is None:
            return TimedBank(bank=select(bank, needed), unit_index=unit[needed])
        # It was seen over the whole recording: a template of another time has another remainder.
        as_it_is = templates.channel_index[versions[strong][needed]] == AS_IT_IS
        add = np.where(as_it_is[:, None, None], lacks[unit[needed]], np.float32(0))
        whole = centred(raw[strong][needed] + add, whitening, n_before)
        return TimedBank(bank=make_bank(whole, n_before, config, noise), unit_index=unit[needed])

    return Banks(templates, make)
