"""Pure detection: whether the events are where the spikes are, whatever their unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from embersort.errors import BadInput
from embersort.evaluation.matching import tolerance_in_samples
from embersort.types import BoolArray, Events, FloatArray, IntArray, Sorting


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectionCurve:
    """Precision and recall of a detector as its threshold falls.

    Attributes
    ----------
    score : ndarray, shape (n_points,), float64
        Distinct scores in falling order; a point takes the events at or above its score.
    precision, recall : ndarray, shape (n_points,), float64
        Share of the taken events that are spikes; share of the spikes that are taken.
    event_spike : ndarray, shape (n_events,), int64
        The true spike that each event answers; −1 for a false event.
    """

    score: FloatArray
    precision: FloatArray
    recall: FloatArray
    event_spike: IntArray

    @property
    def average_precision(self) -> float:
        """Area under precision against recall, as a sum of steps; 0 without events."""
        steps = np.diff(self.recall, prepend=0.0)
        return float((steps * self.precision).sum())

    def recall_at_precision(self, precision: float) -> float:
        """Return the largest recall at which the precision is at least this; 0 if never."""
        reached = self.recall[self.precision >= precision]
        return float(reached.max()) if len(reached) else 0.0


def detection_curve(
    events: Events,
    truth: Sorting,
    *,
    score: FloatArray | None = None,
    tolerance_ms: float = 0.4,
    near: BoolArray | None = None,
) -> DetectionCurve:
    """Match events to true spikes and return precision and recall for every threshold.

    The event of the highest score chooses first and takes the nearest spike
    that is free, so a spike is found once and a second event for it is false.
    A curve point therefore equals a fresh match of the events above its score.

    Parameters
    ----------
    events : Events
    truth : Sorting
    score : ndarray, shape (n_events,), optional
        How sure the detector is; the size of the amplitude unless given.
    tolerance_ms : float
        Largest distance of an event and its spike.
    near : ndarray, shape (n_channels, n_units), bool, optional
        Whether an event on a channel can be a spike of a unit; by default always.

    Returns
    -------
    DetectionCurve

    Raises
    ------
    BadInput
        If the scores are not one per event or hold a value that is not finite.

    Notes
    -----
    O(n_events · (log n_spikes + spikes in the tolerance)).
    """
    score = np.abs(events.amplitude) if score is None else np.asarray(score)
    score = score.astype(np.float64)
    if score.shape != events.sample_index.shape:
        raise BadInput(f"score has shape {score.shape} for {len(events.sample_index)} events")
    if not np.isfinite(score).all():
        raise BadInput("score holds a value that is not finite")
    if near is None:
        n_channels = int(events.channel_index.max(initial=0)) + 1
        near = np.ones((n_channels, truth.n_units), bool)
    order = np.argsort(-score, kind="stable")
    event_spike = _claim_spikes(
        order,
        events.sample_index,
        events.channel_index,
        truth.sample_index,
        truth.unit_index,
        near,
        tolerance_in_samples(tolerance_ms, truth.sampling_rate_hz),
    )
    n_taken = np.arange(1, len(order) + 1)
    n_hit = np.cumsum(event_spike[order] >= 0)
    # Events of one score share a point: the last of them.
    last = np.flatnonzero(np.diff(score[order], append=-np.inf) < 0)
    return DetectionCurve(
        score=score[order][last],
        precision=n_hit[last] / n_taken[last],
        recall=n_hit[last] / max(1, truth.n_spikes),
        event_spike=event_spike,
    )


@njit(cache=True, nogil=True)
def _claim_spikes(  # type: ignore[no-untyped-def]  # noqa: ANN202
    order,  # noqa: ANN001
    event_sample,  # noqa: ANN001
    event_channel,  # noqa: ANN001
    spike_sample,  # noqa: ANN001
    spike_unit,  # noqa: ANN001
    near,  # noqa: ANN001
    tolerance,  # noqa: ANN001
):
    claimed = np.zeros(len(spike_sample), np.bool_)
    event_spike = np.full(len(event_sample), -1, np.int64)
    for event in order:
        sample = event_sample[event]
        best = -1
        best_gap = tolerance + 1
        spike = np.searchsorted(spike_sample, sample - tolerance)
        while spike < len(spike_sample) and spike_sample[spike] <= sample + tolerance:
            gap = abs(spike_sample[spike] - sample)
            if (
                gap < best_gap
                and not claimed[spike]
                and near[event_channel[event], spike_unit[spike]]
            ):
                best, best_gap = spike, gap
            spike += 1
        if best >= 0:
            claimed[best] = True
            event_spike[event] = best
    return event_spike
