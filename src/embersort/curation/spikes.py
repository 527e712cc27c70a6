"""Which of a unit's matches are more likely noise, or another neuron's, than its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.curation.amplitude_mixture import low_amplitude_contamination
from embersort.curation.attenuation import UnitMatches, attenuated_spikes
from embersort.matching.match_recording import RecordingMatches
from embersort.matching.orthogonal_pursuit import Matches
from embersort.matching.single_fit import MIN_SCALING
from embersort.types import FloatArray, IntArray

MIN_EXPLAINED = 0.5
"""Share of a spike's energy beyond noise that its template explains, at least. Chosen on the
development recordings, 2026-11-23."""

MIN_EXPLAINED_ATTENUATED = 0.65
"""The same of an attenuated spike. Chosen on the development recordings, 2026-11-23."""

MIN_SHAPING_SCALING = 0.85
"""Smaller spikes shape no template: it would shrink to fit ever smaller ones, not its own."""
MIN_SHAPING_SCALING_CUT_OFF = 0.95
"""Nor do smaller ones than this, where the unit has an amplitude cut-off."""
SHAPING_SCALINGS = (MIN_SHAPING_SCALING, MIN_SHAPING_SCALING_CUT_OFF)
"""Sums are taken of the spikes that are at least so large, before it is known which holds."""
MIN_SCALING_CUT_OFF = 0.8
"""Of a unit with a cut-off smaller spikes than this are mostly not its own."""
CUT_OFF_MEDIAN_SCALING = 0.79
"""Of a unit with a cut-off most matches are near the least scaling that is allowed,"""
CUT_OFF_RELATIVE_GAIN = 1.6
"""and lower the objective by little more than is asked."""

BIN_WIDTH = 0.08
"""Scales are counted in bins of this width,"""
N_BINS = 6
"""the first at the least scaling; the amplitudes are cut off there,"""
CUT_OFF_RATIO = 1.5
"""if it holds this many times as many as any other,"""
CUT_OFF_SD = 3.0
"""and more by so many standard deviations of its count."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedSpikes:
    """Spikes found by template matching, each cleaned of what overlapped it.

    Attributes
    ----------
    matches : Matches
        Sample indices count from the start of the recording.
    pca_features : ndarray, shape (n_spikes, n_features), float32
        Of residual plus own template, on the local channels of ``channel_index``.
    embedding : ndarray, shape (n_spikes, n_dims), float32
        Of the same snippets; without columns where there are no networks.
    channel_index : ndarray, shape (n_spikes,), int64
        Main channel, at that time, of the template that found each spike.
    relative_gain : ndarray, shape (n_spikes,), float32
        Gain as a multiple of the least that its template asks of a spike.
    explained : ndarray, shape (n_spikes,), float32
        Share of what is at each spike, less the noise, that its template explains.
    means : ndarray, shape (n_units, n_window, n_channels), float64
        Mean of residual plus own template over the spikes that are large enough, on the template's
        channels.
    cut_off : ndarray, shape (n_units,), bool
        Whether most of a unit's matches seem to be noise that fits its template.
    """

    matches: Matches
    pca_features: NDArray[np.float32]
    embedding: NDArray[np.float32]
    channel_index: NDArray[np.int64]
    relative_gain: NDArray[np.float32]
    explained: NDArray[np.float32]
    means: NDArray[np.float64]
    cut_off: NDArray[np.bool_]

    @property
    def shapes_template(self) -> NDArray[np.bool_]:
        """Whether each spike is large enough to say what its unit looks like."""
        return shapes_template(self.matches, self.cut_off)


def matched_spikes(found: RecordingMatches) -> MatchedSpikes:
    """Return what a matching found, with the mean of each unit over the spikes that shape it.

    Parameters
    ----------
    found : RecordingMatches
        With sums for `SHAPING_SCALINGS`.
    """
    matches, n_units = found.matches, len(found.sums)
    cut_off = units_with_cut_off(matches, found.relative_gain, n_units, MIN_SCALING)
    counts = np.bincount(matches.unit_index[shapes_template(matches, cut_off)], minlength=n_units)
    return MatchedSpikes(
        matches=matches,
        pca_features=found.pca_features,
        embedding=found.embedding,
        channel_index=found.channel_index,
        relative_gain=found.relative_gain.astype(np.float32),
        explained=found.explained,
        means=found.sums.means(cut_off.astype(np.int64), counts),
        cut_off=cut_off,
    )


def shapes_template(matches: Matches, cut_off: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which matches are large enough to say what their unit looks like."""
    least = np.where(cut_off, MIN_SHAPING_SCALING_CUT_OFF, MIN_SHAPING_SCALING)
    return np.asarray(matches.scaling >= least[matches.unit_index])


def units_with_cut_off(
    matches: Matches, relative_gain: FloatArray, n_units: int, least_scale: float
) -> NDArray[np.bool_]:
    """Say into which units noise, or what smaller neurons far away leave, has come in numbers.

    Parameters
    ----------
    matches : Matches
    relative_gain : ndarray, shape (n_spikes,)
        Gain as a multiple of the least that its template asks of a spike.
    n_units : int
    least_scale : float
        Least amplitude, relative to its template, of a spike of usual size; smaller ones have no
        say.

    Returns
    -------
    ndarray, shape (n_units,), bool
        Noise fits any template at the least scale that is allowed. Where it has shaped the
        template too, ever more of it fits. Either most matches are small and barely found, or
        they are cut off at the least scaling though noise blurs it by less than a bin.
    """
    cut_off = np.zeros(n_units, bool)
    for unit in range(n_units):
        own = (matches.unit_index == unit) & (matches.scaling >= least_scale)
        if not own.any():
            continue
        scaling = matches.scaling[own]
        barely_found = (
            np.median(scaling) < CUT_OFF_MEDIAN_SCALING
            and np.median(relative_gain[own]) < CUT_OFF_RELATIVE_GAIN
        )
        energy = float(np.median(matches.decrease[own] / np.square(scaling)))
        sharp = energy * BIN_WIDTH**2 > 1
        cut_off[unit] = barely_found or (sharp and is_cut_off(scaling, least_scale))
    return cut_off


def is_cut_off(scaling: FloatArray, least_scale: float) -> bool:
    """Say whether far more matches lie just above the least scale than anywhere higher.

    A neuron's own spikes lie round the size of its template and thin out below. What thins out
    upwards from the least size that is allowed are spikes of smaller neurons.
    """
    edges = least_scale + BIN_WIDTH * np.arange(N_BINS + 1)
    counts = np.histogram(scaling, edges)[0]
    excess = counts[0] - CUT_OFF_RATIO * counts[1:].max()
    return bool(excess > CUT_OFF_SD * np.sqrt(counts[0]))


def own_spikes(
    matches: Matches,
    cut_off: NDArray[np.bool_],
    explained: NDArray[np.float32],
    duration_samples: int,
    sampling_rate_hz: float,
) -> NDArray[np.bool_]:
    """Say which matches are likely spikes of the unit that they were given to.

    Parameters
    ----------
    matches : Matches
    cut_off : ndarray, shape (n_units,), bool
    explained : ndarray, shape (n_spikes,), float32
        Share of what is at each spike, less the noise, that its template explains.
    duration_samples : int
        Of the recording.
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n_spikes,), bool
        Not those of another shape, nor the small ones of units with a cut-off, nor what
        `attenuated_spikes` and `low_amplitude_contamination` say is none.
    """
    small = matches.scaling < MIN_SCALING
    own = explained >= np.where(small, MIN_EXPLAINED_ATTENUATED, MIN_EXPLAINED)
    own &= ~(cut_off[matches.unit_index] & (matches.scaling < MIN_SCALING_CUT_OFF))

    def matches_of(rows: IntArray) -> UnitMatches:
        return UnitMatches(
            sample_index=matches.sample_index[rows],
            scaling=matches.scaling[rows],
            decrease=matches.decrease[rows],
            duration_samples=duration_samples,
            sampling_rate_hz=sampling_rate_hz,
        )

    for unit in np.unique(matches.unit_index[own]):
        rows = np.flatnonzero(own & (matches.unit_index == unit))
        rows = rows[np.argsort(matches.sample_index[rows], kind="stable")]
        if small[rows].any():
            own[rows] = ~small[rows] | attenuated_spikes(matches_of(rows))
        usual = rows[~small[rows]]
        own[usual] = ~low_amplitude_contamination(matches_of(usual))
    return own
