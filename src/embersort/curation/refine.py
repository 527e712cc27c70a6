"""What the matched, cleaned spikes say about the units: split, merge, drop."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.neighbourhoods import FeatureView, IsMultiUnit, split
from embersort.config import SortConfig
from embersort.curation.duplicates import DUPLICATE_MS, lagged_duplicates, without_duplicates
from embersort.curation.epoch_join import cluster_shapes, join_epochs
from embersort.curation.merge import Merges, merge_units
from embersort.curation.multi_unit import is_multi_unit
from embersort.curation.pair_tests import SpikeTrains
from embersort.curation.reassignment import reassign_matches, reassign_to_large
from embersort.curation.registration import Registration
from embersort.curation.spikes import MatchedSpikes, own_spikes
from embersort.matching.banks_over_time import MIN_MEDIAN_DECREASE
from embersort.matching.orthogonal_pursuit import Matches
from embersort.matching.single_fit import MIN_SCALING
from embersort.motion.epochs import epoch_of
from embersort.signal.pca import TemporalPca
from embersort.templates.sparse import sparse
from embersort.templates.spikes import UnitSpikes
from embersort.templates.tracking import TrackedTemplates, track_templates
from embersort.types import UNASSIGNED, FloatArray, IntArray
from embersort.units import ms_to_samples

MIN_MEDIAN_SCALING = 0.75
"""A unit whose spikes are mostly smaller than this part of its template is none. Chosen on the
development recordings, 2026-11-22."""

MIN_MEDIAN_RELATIVE_GAIN = 1.25
"""Half of a unit's spikes lower the residual by this many times what is asked of any; noise does by
less. Chosen on the development recordings, 2026-11-22."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subclusters:
    """What a unit's spikes fall apart into.

    Attributes
    ----------
    spikes : UnitSpikes
        With the subcluster of each as its unit.
    templates : ndarray, shape (n_subclusters, n_window, n_channels), float32
        White.
    """

    spikes: UnitSpikes
    templates: NDArray[np.float32]

    def without(self, left_out: NDArray[np.bool_]) -> Subclusters:
        """Return the same subclusters, the spikes of some of them assigned to none."""
        labels = self.spikes.unit_index
        kept = np.where(np.append(left_out, False)[labels], UNASSIGNED, labels)
        return replace(self, spikes=replace(self.spikes, unit_index=kept))


def split_into_subclusters(
    spikes: MatchedSpikes, registration: Registration, config: SortConfig
) -> Subclusters:
    """Split each unit's spikes where they fall apart; return the parts and their templates."""
    parts, origin = split_units(spikes, registration, config)
    mixed = subcluster_templates(spikes, parts, origin, registration.pca)
    labels = reassign_to_large(parts, mixed, registration.component_view(spikes))
    templates = subcluster_templates(spikes, labels, origin, registration.pca)
    return Subclusters(spikes=_unit_spikes(spikes, labels), templates=templates)


def merge_subclusters(
    subclusters: Subclusters, spikes: MatchedSpikes, registration: Registration, config: SortConfig
) -> TrackedTemplates:
    """Return the templates of the units that the subclusters make up.

    Parameters
    ----------
    subclusters : Subclusters
    spikes : MatchedSpikes
        That were split.
    registration : Registration
    config : SortConfig

    Returns
    -------
    TrackedTemplates
        Of the units that are left after dropping duplicates, and joining over-split units and the
        subclusters of neurons that move.
    """
    templates, labels = subclusters.templates, subclusters.spikes.unit_index
    labels = _without_duplicates(spikes, labels, templates, registration)
    leader = _merges(spikes, labels, templates, registration, tracked_only=True).tracked_unit
    counts = np.bincount(labels[labels >= 0], minlength=len(templates))
    merged = _weighted_means(templates, counts, leader)
    kept = np.unique(leader[counts > 0])
    unit = np.append(np.searchsorted(kept, leader), UNASSIGNED)
    return track_templates(
        sparse(merged[kept]),
        _unit_spikes(spikes, np.where(spikes.shapes_template, unit[labels], UNASSIGNED)),
        registration.pca,
        registration.n_samples,
        registration.sampling_rate_hz,
        config.tracking,
        registration.epoch_starts,
    )


def _unit_spikes(spikes: MatchedSpikes, labels: IntArray) -> UnitSpikes:
    return UnitSpikes(
        sample_index=spikes.matches.sample_index,
        unit_index=labels,
        channel_index=spikes.channel_index,
        pca_features=spikes.pca_features,
    )


def finish(spikes: MatchedSpikes, registration: Registration, config: SortConfig) -> MatchedSpikes:
    """Return the spikes of the final units: merged, without duplicates, without false units."""
    n_units = len(spikes.means)
    spikes = reassign_matches(spikes, registration)
    matches = spikes.matches
    members = [np.flatnonzero(matches.unit_index == unit) for unit in range(n_units)]
    real = np.array([is_real(spikes, rows, config) for rows in members], bool)
    # A unit that nothing shapes would have no template.
    real &= np.bincount(matches.unit_index[spikes.shapes_template], minlength=n_units) > 0
    own = own_spikes(
        matches,
        spikes.cut_off,
        spikes.explained,
        registration.n_samples,
        registration.sampling_rate_hz,
    )
    labels = np.where(real[matches.unit_index] & own, matches.unit_index, UNASSIGNED)
    labels = _without_duplicates(spikes, labels, spikes.means, registration)
    merges = _merges(spikes, labels, spikes.means, registration)
    leader = merges.unit
    counts = np.bincount(spikes.matches.unit_index, minlength=n_units)
    means = _weighted_means(spikes.means, counts, leader)
    unit_index = leader[matches.unit_index]
    shortest = ms_to_samples(DUPLICATE_MS, registration.sampling_rate_hz)
    moved = matches.sample_index - merges.late_samples[matches.unit_index]
    # At either end of the recording the other trough may lie beyond it.
    sample_index = np.clip(moved, 0, registration.n_samples - 1)
    in_time = np.argsort(sample_index, kind="stable")
    single = without_duplicates(
        sample_index[in_time], unit_index[in_time], matches.decrease[in_time], shortest
    )
    keep = in_time[(labels[in_time] >= 0) & single]
    kept = np.unique(unit_index[keep])
    return MatchedSpikes(
        matches=Matches(
            sample_index=sample_index[keep],
            unit_index=np.searchsorted(kept, unit_index[keep]),
            scaling=matches.scaling[keep],
            shift_index=matches.shift_index[keep],
            decrease=matches.decrease[keep],
        ),
        pca_features=spikes.pca_features[keep],
        embedding=spikes.embedding[keep],
        channel_index=spikes.channel_index[keep],
        relative_gain=spikes.relative_gain[keep],
        explained=spikes.explained[keep],
        means=np.asarray(means[kept], np.float64),
        cut_off=spikes.cut_off[kept],
    )


def is_real(spikes: MatchedSpikes, members: IntArray, config: SortConfig) -> bool:
    """Say whether spikes are enough, as large as the template that found them, and beyond chance.

    Noise fits any template now and then, just above the threshold. Spikes smaller than usual have
    no say: what they are is judged by the others.
    """
    usual = members[spikes.matches.scaling[members] >= MIN_SCALING]
    return bool(
        len(usual) >= config.match.min_spikes
        and np.median(spikes.matches.scaling[usual]) >= MIN_MEDIAN_SCALING
        and np.median(spikes.matches.decrease[usual]) >= MIN_MEDIAN_DECREASE
        and np.median(spikes.relative_gain[usual]) >= MIN_MEDIAN_RELATIVE_GAIN
    )


def split_units(
    spikes: MatchedSpikes, registration: Registration, config: SortConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split each unit's spikes where they fall apart.

    Returns
    -------
    labels : ndarray, shape (n_spikes,), int64
        Part of each spike, or `UNASSIGNED`.
    origin : ndarray, shape (n_parts,), int64
        Unit that each part comes from.
    """
    unit_index = spikes.matches.unit_index
    labels = np.full(len(unit_index), UNASSIGNED, np.int64)
    origin: list[np.int64] = []
    for members in _parts(spikes, registration, config):
        if is_real(spikes, members, config):
            labels[members] = len(origin)
            origin.append(np.bincount(unit_index[members]).argmax())
    return labels, np.array(origin, np.int64)


def _parts(
    spikes: MatchedSpikes, registration: Registration, config: SortConfig
) -> list[NDArray[np.int64]]:
    """Return the spikes of each part; parts of one neuron before and after a jump are one."""
    unit_index = spikes.matches.unit_index
    starts = registration.epoch_starts
    epoch = epoch_of(spikes.matches.sample_index, starts)
    components = registration.component_view(spikes)
    parts, epoch_of_part = [], []
    for one in range(len(starts)):
        here = np.flatnonzero(epoch == one)
        for unit in np.unique(unit_index[here]):
            members = here[unit_index[here] == unit]
            test = _multi_unit_test(spikes.matches.sample_index[members], registration)
            found = split([components(members)], config.cluster, is_multi_unit=test)
            parts += [members[part] for part in found]
            epoch_of_part += [one] * len(found)
    if len(starts) == 1:
        return parts
    labels = np.full(len(unit_index), UNASSIGNED, np.int64)
    for part, members in enumerate(parts):
        labels[members] = part
    shapes = cluster_shapes(_unit_spikes(spikes, labels), registration)
    joined = np.append(join_epochs(shapes, np.array(epoch_of_part, np.int64)), UNASSIGNED)[labels]
    return [np.flatnonzero(joined == part) for part in range(int(joined.max(initial=-1)) + 1)]


def _multi_unit_test(sample_index: IntArray, registration: Registration) -> IsMultiUnit:
    """Return the test for indices into some spikes."""
    fs = registration.sampling_rate_hz
    return lambda rows: is_multi_unit(sample_index[rows], fs)


def _without_duplicates(
    spikes: MatchedSpikes,
    labels: IntArray,
    templates: FloatArray,
    registration: Registration,
) -> NDArray[np.int64]:
    """Return the labels without those of duplicates at a fixed lag."""
    if not len(templates):
        return labels
    duplicate = lagged_duplicates(_labelled(spikes, labels, registration), templates)
    return np.where((labels >= 0) & duplicate[labels], UNASSIGNED, labels)


def _labelled(spikes: MatchedSpikes, labels: IntArray, registration: Registration) -> SpikeTrains:
    used = np.flatnonzero(labels >= 0)
    return SpikeTrains(
        sample_index=spikes.matches.sample_index[used],
        unit_index=labels[used],
        sampling_rate_hz=registration.sampling_rate_hz,
    )


def _merges(
    spikes: MatchedSpikes,
    labels: IntArray,
    templates: FloatArray,
    registration: Registration,
    *,
    tracked_only: bool = False,
) -> Merges:
    """Find out which parts belong together."""
    if not len(templates):
        none = np.zeros(0, np.int64)
        return Merges(tracked_unit=none, unit=none, late_samples=none)
    used = np.flatnonzero(labels >= 0)
    components = registration.component_view(spikes)
    views: list[FeatureView] = [lambda rows: components(used[rows])]
    if spikes.embedding.shape[1]:
        views.append(lambda rows: spikes.embedding[used[rows]])
    return merge_units(
        _labelled(spikes, labels, registration),
        templates,
        views,
        registration.places(spikes, used, templates),
        tracked_only=tracked_only,
    )


def _weighted_means(templates: FloatArray, counts: IntArray, leader: IntArray) -> FloatArray:
    """Return the templates, those of leaders averaged over all that merged into them."""
    means = np.array(templates)
    for unit in np.unique(leader):
        parts = np.flatnonzero(leader == unit)
        if len(parts) > 1:
            means[unit] = np.average(templates[parts], axis=0, weights=np.maximum(counts[parts], 1))
    return means


def subcluster_templates(
    spikes: MatchedSpikes, labels: IntArray, origin: IntArray, pca: TemporalPca
) -> NDArray[np.float32]:
    """Return white templates: the mean of the unit that a part comes from, moved to the part.

    The means are exact but belong to whole units; what distinguishes a part is known in the codes.
    """
    n_components = pca.basis.shape[1]
    templates = spikes.means[origin].astype(np.float32)
    for part, unit in enumerate(origin):
        members = labels == part
        if not members.any():
            continue
        of_unit = spikes.matches.unit_index == unit
        own = members & of_unit
        if own.sum() == of_unit.sum() or not own.any():
            continue
        main = np.bincount(spikes.channel_index[own]).argmax()
        own &= spikes.channel_index == main
        of_unit &= spikes.channel_index == main
        change = np.median(spikes.pca_features[own], axis=0) - np.median(
            spikes.pca_features[of_unit], axis=0
        )
        local = pca.neighbours[main]
        used = local >= 0
        wave = pca.basis @ change.reshape(-1, n_components).T
        templates[part][:, local[used]] += wave[:, used]
    return templates
