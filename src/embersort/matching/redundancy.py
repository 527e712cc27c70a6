"""Templates that are no units of their own: copies, and sums of two others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.bank import TemplateBank
from embersort.matching.orthogonal_pursuit import match_templates
from embersort.matching.single_fit import FULL, FitCriteria, fit_criteria, least_scores
from embersort.templates.sparse import SparseTemplates
from embersort.types import BoolArray, FloatArray, IntArray

REDUNDANT_SHARE = 0.03
"""A template of whose energy the others leave less than this share is no unit of its own. Chosen on
the development recordings, 2026-11-22."""

REACH_SHARE = 0.7
"""What scores this part of what a spike needs may get there once others are taken out."""

NO_RATE_HZ = 1.0
"""Without small spikes nothing depends on the sampling rate."""


class Redundancy:
    """Says which templates the others explain, and remembers what it found for the next bank.

    Parameters
    ----------
    config : MatchConfig
    """

    def __init__(self, config: MatchConfig) -> None:
        self._config = config
        self._known: dict[tuple[int, bytes], float] = {}

    def of(
        self, templates: SparseTemplates, bank: TemplateBank, counts: IntArray, names: IntArray
    ) -> NDArray[np.bool_]:
        """Say which templates the others explain.

        Parameters
        ----------
        templates : SparseTemplates
            White templates.
        bank : TemplateBank
            Of these templates.
        counts : ndarray, shape (n_units,), int64
            Events of each; the smallest is tried first. What is redundant, or has fewer events
            than another, explains nothing of it.
        names : ndarray, shape (n_units,), int64
            Templates of one name are the same whenever this is asked.

        Returns
        -------
        ndarray, shape (n_units,), bool

        Notes
        -----
        A cluster of collisions has a template that is the sum of two others; a neuron whose far
        channels dip later than its near ones is found twice, at two times. Both are found by
        matching the other templates to this one as if it were a recording. What only depends on a
        template and those beside it is found once.
        """
        n_units = len(templates)
        energy = np.einsum("uwc,uwc->u", templates.waves, templates.waves, dtype=np.float64)
        active = np.ones(n_units, bool)
        criteria = fit_criteria(self._config, NO_RATE_HZ, allow_attenuated=False)
        reach = REACH_SHARE * least_scores(bank, criteria)[FULL]
        seen: dict[tuple[int, bytes], float] = {}
        for unit in np.argsort(counts, kind="stable"):
            active[unit] = False
            beside = np.zeros(n_units, bool)
            near = bank.near[unit][bank.near[unit] >= 0]
            scores = bank.strongest_of(int(unit)).max(axis=0)
            beside[near[scores >= reach[near]]] = True
            # Collisions are rarer than either neuron, and a neuron's second trough than its first.
            beside &= active & (np.asarray(counts) >= counts[unit])
            key = int(names[unit]), np.asarray(names, np.int64)[beside].tobytes()
            left = self._known.get(key)
            if left is None:
                left = _left_by(templates.one(unit), bank, criteria, beside)
            seen[key] = left
            active[unit] = left > REDUNDANT_SHARE * energy[unit]
        self._known = seen
        return ~active


def redundant(
    templates: SparseTemplates, bank: TemplateBank, counts: IntArray, config: MatchConfig
) -> NDArray[np.bool_]:
    """Say which templates of one bank the others explain; see `Redundancy.of`."""
    return Redundancy(config).of(templates, bank, counts, np.arange(len(templates)))


def _left_by(
    template: FloatArray, bank: TemplateBank, criteria: FitCriteria, others: BoolArray
) -> float:
    """Return the energy of a template that others leave when they are matched to it."""
    n_window, n_channels = template.shape
    traces = np.zeros((3 * n_window, n_channels), np.float32)
    traces[n_window : 2 * n_window] = template
    _, residual = match_templates(traces, bank, criteria, others)
    # Only the window itself is this template's; beyond it, it is not known.
    return float((residual[n_window : 2 * n_window].astype(np.float64) ** 2).sum())
