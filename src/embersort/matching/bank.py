"""The templates in the form in which they are matched: sparse, separable, shifted, correlated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.matching.components import N_SHIFTS, TemplateComponents, decompose, shift_samples
from embersort.matching.template_overlaps import (
    OverlapInputs,
    Overlaps,
    correlate_near,
    start_pairs,
)
from embersort.templates.sparse import SparseTemplates
from embersort.types import FloatArray

RANK = 5
"""Separable components of each template, at most. Of six recordings 4 and 3 are less accurate on
one; see the log of 2026-11-22."""

SUPPORT_SHARE = 0.05
"""A channel belongs to a template if it holds this share of the largest channel's peak to peak."""

WHITE_NOISE = np.ones(1)
"""Autocorrelation of noise without colour."""

MAX_SUPPORT = 24
"""At most this many channels of a template are matched, the largest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateBank:
    """Templates of all units in units of the noise, ready to be matched.

    Attributes
    ----------
    channels : ndarray, shape (n_units, n_support), int64
        Channels of each template, the largest first, padded with -1.
    shifted : ndarray, shape (n_units, n_shifts, n_window, n_support), float32
        What is subtracted: the template moved by ``shift_samples``; zero on the padding.
    shift_samples : ndarray, shape (n_shifts,), float64
        Sub-sample delays, from -0.5 on.
    spatial : ndarray, shape (n_channels, n_units * rank), float32
    temporal : ndarray, shape (n_units, rank, n_window), float32
        Their products, summed over the rank, are the templates that are looked for.
    norm2 : ndarray, shape (n_units,), float64
        Squared norm of what is looked for.
    near : ndarray, shape (n_units, n_near), int64
        Units whose templates share a channel with a unit's, itself first, padded with -1.
    pair_start : ndarray, shape (n_units + 1,), int64
        Row of ``overlap`` with which those of each unit start: one a shift and near unit.
    overlap : ndarray, shape (n_rows, 2 * n_window - 1), float32
        Score that the subtraction of ``shifted[u, s]`` takes from near unit ``v`` at each lag.
    strongest : ndarray, shape (n_rows,), float32
        Largest magnitude of ``overlap`` over the lags.
    noise2 : ndarray, shape (n_units,), float64
        Variance of what noise alone gives in the match with a template brought to unit norm.
    n_before : int
        Sample of the trough within the window.
    stride : int
        Every how many samples traces and templates are multiplied; see
        `embersort.matching.upsample.score_stride`.
    """

    channels: NDArray[np.int64]
    shifted: NDArray[np.float32]
    shift_samples: NDArray[np.float64]
    spatial: NDArray[np.float32]
    temporal: NDArray[np.float32]
    norm2: NDArray[np.float64]
    near: NDArray[np.int64]
    pair_start: NDArray[np.int64]
    overlap: NDArray[np.float32]
    strongest: NDArray[np.float32]
    noise2: NDArray[np.float64]
    n_before: int
    stride: int

    @property
    def n_units(self) -> int:
        """Number of templates."""
        return len(self.channels)

    @property
    def n_support(self) -> int:
        """Most channels that a template has."""
        return self.channels.shape[1]

    @property
    def n_window(self) -> int:
        """Samples of a template."""
        return self.shifted.shape[2]

    def overlap_of(self, unit: int) -> NDArray[np.float32]:
        """Return a unit's rows of ``overlap``, shape (n_shifts, n_near, 2 * n_window - 1)."""
        rows = self.overlap[self.pair_start[unit] : self.pair_start[unit + 1]]
        return rows.reshape(len(self.shift_samples), -1, rows.shape[1])

    def strongest_of(self, unit: int) -> NDArray[np.float32]:
        """Return a unit's part of ``strongest``, shape (n_shifts, n_near)."""
        rows = self.strongest[self.pair_start[unit] : self.pair_start[unit + 1]]
        return rows.reshape(len(self.shift_samples), -1)


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierBank:
    """A bank some of whose templates are wanted again.

    Attributes
    ----------
    bank : TemplateBank
    row : ndarray, shape (n_units,), int64
        For each template of the new bank its place in the old one, or -1.
    """

    bank: TemplateBank
    row: NDArray[np.int64]


def select(bank: TemplateBank, wanted: NDArray[np.bool_]) -> TemplateBank:
    """Return the bank of some of its templates, as if made of them alone."""
    if np.all(wanted):
        return bank
    rows = np.flatnonzero(wanted)
    place = np.full(bank.n_units + 1, -1)
    place[rows] = np.arange(len(rows))
    # The padding, -1, finds the entry beyond the last, which is -1.
    near = place[bank.near[rows]]
    order = np.argsort(near < 0, axis=1, kind="stable")
    n_near = int((near >= 0).sum(axis=1).max(initial=1))
    order = order[:, :n_near]
    near = np.take_along_axis(near, order, axis=1)
    pair_start = start_pairs(near, len(bank.shift_samples))
    overlap = np.empty((pair_start[-1], bank.overlap.shape[1]), np.float32)
    strongest = np.empty(pair_start[-1], np.float32)
    for new, row in enumerate(rows.tolist()):
        some = order[new][near[new] >= 0]
        own = slice(pair_start[new], pair_start[new + 1])
        overlap[own] = bank.overlap_of(row)[:, some].reshape(-1, overlap.shape[1])
        strongest[own] = bank.strongest_of(row)[:, some].reshape(-1)
    rank = bank.temporal.shape[1]
    spatial = bank.spatial.reshape(len(bank.spatial), bank.n_units, rank)[:, rows]
    return TemplateBank(
        channels=bank.channels[rows],
        shifted=bank.shifted[rows],
        shift_samples=bank.shift_samples,
        spatial=np.ascontiguousarray(spatial.reshape(len(spatial), -1)),
        temporal=bank.temporal[rows],
        norm2=bank.norm2[rows],
        near=np.ascontiguousarray(near),
        pair_start=pair_start,
        overlap=overlap,
        strongest=strongest,
        noise2=bank.noise2[rows],
        n_before=bank.n_before,
        stride=bank.stride,
    )


def make_bank(
    templates: SparseTemplates,
    n_before: int,
    noise: FloatArray = WHITE_NOISE,
    earlier: EarlierBank | None = None,
    stride: int = 1,
) -> TemplateBank:
    """Prepare templates for matching.

    Parameters
    ----------
    templates : SparseTemplates
        White templates in units of the noise.
    n_before : int
        Sample of the trough within the window.
    noise : ndarray, shape (n_lags,), optional
        Autocorrelation of the noise.
    earlier : EarlierBank, optional
        An earlier bank made with the same settings, from which the same templates are copied.
    stride : int
        1 or 2; see `TemplateBank`.

    Returns
    -------
    TemplateBank
        The same bits, whatever was carried.

    Notes
    -----
    O(n_units · n_near · n_shifts · n_window² · rank) for the overlaps, the dearest part.
    """
    channels = _support(templates)
    rank = min(RANK, templates.n_window, channels.shape[1])
    # A product's last bits may depend on its width: only what is as wide can be carried.
    if earlier is not None and earlier.bank.n_units and earlier.bank.n_support == channels.shape[1]:
        row, old = earlier.row, earlier.bank
        new = np.flatnonzero(row < 0)
        made = decompose(templates[new], channels[new], rank, noise)
        parts = _combine(made, new, old, row)
        known = Overlaps(
            near=old.near,
            pair_start=old.pair_start,
            overlap=old.overlap,
            strongest=old.strongest,
        )
    else:
        parts = decompose(templates, channels, rank, noise)
        row, known = np.full(len(templates), -1), _no_overlaps(parts)
    by_unit = OverlapInputs(parts.spatial, parts.temporal, parts.shifted, channels)
    pairs = correlate_near(by_unit, _near_units(channels), known, row)
    return TemplateBank(
        channels=channels,
        shifted=parts.shifted,
        shift_samples=shift_samples(N_SHIFTS),
        spatial=parts.spatial.reshape(len(parts.spatial), -1),
        temporal=parts.temporal,
        norm2=parts.norm2,
        near=pairs.near,
        pair_start=pairs.pair_start,
        overlap=pairs.overlap,
        strongest=pairs.strongest,
        noise2=parts.noise2,
        n_before=n_before,
        stride=stride,
    )


def _combine(
    made: TemplateComponents, new: NDArray[np.int64], old: TemplateBank, row: NDArray[np.int64]
) -> TemplateComponents:
    """Return the parts of all templates: those made for the new ones, the old bank's for others."""
    rank = old.temporal.shape[1]
    spatial = old.spatial.reshape(len(old.spatial), old.n_units, rank)[:, row]
    spatial[:, new] = made.spatial
    columns = {}
    for name in ("shifted", "temporal", "norm2", "noise2"):
        columns[name] = getattr(old, name)[row]
        columns[name][new] = getattr(made, name)
    return TemplateComponents(spatial=np.ascontiguousarray(spatial), **columns)


def _no_overlaps(parts: TemplateComponents) -> Overlaps:
    n_lags = 2 * parts.shifted.shape[2] - 1
    return Overlaps(
        near=np.zeros((0, 1), np.int64),
        pair_start=np.zeros(1, np.int64),
        overlap=np.zeros((0, n_lags), np.float32),
        strongest=np.zeros(0, np.float32),
    )


def _support(templates: SparseTemplates) -> NDArray[np.int64]:
    """Return each template's channels, the largest first, padded with -1."""
    extent = np.ptp(templates.waves, axis=1)
    order = np.argsort(-extent, axis=1, kind="stable")
    largest = np.take_along_axis(extent, order, axis=1)
    used = (largest > SUPPORT_SHARE * largest[:, :1]) & (largest > 0)
    n_support = min(MAX_SUPPORT, max(1, int(used.sum(axis=1).max(initial=1))))
    support = np.full((len(templates), n_support), -1, np.int64)
    channels = np.where(used, np.take_along_axis(templates.channels, order, axis=1), -1)
    n_held = min(n_support, channels.shape[1])
    support[:, :n_held] = channels[:, :n_held]
    return support


def _near_units(channels: NDArray[np.int64]) -> NDArray[np.int64]:
    n_units = len(channels)
    uses = np.zeros((n_units, int(channels.max(initial=0)) + 1), np.float32)
    for unit in range(n_units):
        uses[unit, channels[unit][channels[unit] >= 0]] = 1
    shares = uses @ uses.T > 0
    rows = [
        np.concatenate([[unit], np.flatnonzero(shares[unit] & (np.arange(n_units) != unit))])
        for unit in range(n_units)
    ]
    near = np.full((n_units, max((len(row) for row in rows), default=1)), -1, np.int64)
    for unit, row in enumerate(rows):
        near[unit, : len(row)] = row
    return near
