"""How far features that know the truth get: the ceiling of the scores of `options_heldout`.

    python benchmarks/options_ceiling.py --first 100 --scenes 24 --cache held_out

prints, on the neighbourhoods that `options_heldout` reports, the scores of ISO-SPLIT in linear
discriminants fitted to the true labels, and of events that go to the unit whose true waveform near
that time is nearest, with nothing left to cluster.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from embersort.config import ClusterConfig
from embersort.evaluation.clustering import score_clustering
from embersort.signal.pca import fit_pca
from embersort.training.event_codes import snippets_as_sorted
from embersort.training.options import cluster
from embersort.training.scenes import SceneDraw
from options_heldout import (
    Case,
    chosen_weights,
    components,
    described,
    held_out_cases,
    make_parser,
    neighbourhood,
    print_clustering,
)

N_FINE_COMPONENTS = 12
"""Temporal components a channel that true waveforms are compared in."""
N_NEAR = 40
"""Events of a unit, nearest in time and not the one asked about, whose mean is its waveform."""
NAMES = {
    "pca": "PCA",
    "context": "context",
    "context_kmeans": "context, k-means",
    "pca_true": "PCA, true discriminants",
    "context_true": "context, true discriminants",
    "course": "nearest true waveform",
    "course_lone": "the same, lone spikes",
}


def main() -> None:
    """Print the tables."""
    arguments = make_parser(__doc__, n_scenes=24).parse_args()
    weights = chosen_weights(arguments)
    cases = held_out_cases(arguments, weights, SceneDraw())
    rows = [row for case in cases for row in ceiling_rows(case)]
    print(f"weights {weights.sha256[:12]}, {arguments.scenes} scenes")
    print_clustering(rows)


def ceiling_rows(case: Case) -> list[dict]:
    """Score what knows the truth, and beside it what doesn't, on a scene's neighbourhood."""
    config = ClusterConfig()
    rows = neighbourhood(case, config.radius_um)
    label = np.maximum(case.sets.label[rows], -1)
    units = np.unique(label[label >= 0])
    if len(units) < 2:
        return []
    pca = components(case, rows)
    context = case.stage.in_context(case.codes, case.events)[rows, : case.stage.n_dims]
    nearest = nearest_waveform(fine_components(case, rows), label)
    is_lone = (label < 0) | ~case.sets.collision[rows]
    answers = {
        NAMES["pca"]: cluster(pca, "isosplit", 0, config),
        NAMES["context"]: cluster(context, "isosplit", 0, config),
        NAMES["context_kmeans"]: cluster(context, "kmeans", len(units), config),
        NAMES["pca_true"]: cluster(discriminants(pca, label), "isosplit", 0, config),
        NAMES["context_true"]: cluster(discriminants(context, label), "isosplit", 0, config),
        NAMES["course"]: nearest,
    }
    found = [
        described(case, name, score_clustering(label, answer)) for name, answer in answers.items()
    ]
    lone = score_clustering(label[is_lone], nearest[is_lone])
    return [*found, described(case, NAMES["course_lone"], lone)]


def fine_components(case: Case, rows: np.ndarray) -> np.ndarray:
    """Return waveforms on shared channels, nearly whole, in units of white noise."""
    snippets, channel = snippets_as_sorted(case.sets), case.sets.channel_index
    pca = fit_pca(snippets[:, :, 0], case.sets.neighbours, N_FINE_COMPONENTS)
    return pca.on_shared_channels(pca.encode(snippets[rows], channel[rows]), channel[rows])


def discriminants(features: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the linear discriminants of the true units, fitted to the very events.

    Parameters
    ----------
    features : ndarray, shape (n_events, n_columns)
    label : ndarray, shape (n_events,)
        True units; -1 where an event has none, which is projected but not fitted to.
    """
    units = np.unique(label[label >= 0])
    within, means, counts = within_units(features, label)
    centred = (means - counts @ means / counts.sum()) * np.sqrt(counts / counts.sum())[:, None]
    directions = eigh(centred.T @ centred, within)[1][:, ::-1]
    return (features @ directions[:, : len(units) - 1]).astype(np.float32)


def nearest_waveform(features: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Give each event to the unit whose true waveform at that time is nearest.

    A unit's waveform is the mean of its events nearest in time, the event itself left out, so that
    drift and slow change are followed; near in the metric of what varies within units, frequent
    units favoured as Bayes' rule has it. Events are in order of time.
    """
    units = np.unique(label[label >= 0])
    residual = features.astype(np.float64)
    course = {unit: waveform_course(residual, np.flatnonzero(label == unit)) for unit in units}
    for unit in units:
        mine = label == unit
        residual[mine] -= course[unit][mine]
    within = within_units(residual, label)[0]
    root = np.linalg.cholesky(np.linalg.inv(within))
    log_odds = np.stack(
        [
            np.log((label == unit).mean())
            - 0.5 * (((features - course[unit]) @ root) ** 2).sum(axis=1)
            for unit in units
        ]
    )
    return units[log_odds.argmax(axis=0)]


def waveform_course(features: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return, for each event, the mean of the members nearest in order that are not it."""
    if len(members) < 2:
        return np.repeat(features[members], len(features), axis=0)
    n_near = min(N_NEAR, len(members) - 1)
    order = np.arange(len(features))
    # The members from `start` on hold the event itself where it is one, and one more for it.
    start = np.searchsorted(members, order) - n_near // 2
    start = np.clip(start, 0, len(members) - n_near - 1)
    sums = np.concatenate([np.zeros((1, features.shape[1])), features[members].cumsum(axis=0)])
    total = sums[start + n_near + 1] - sums[start]
    place = np.searchsorted(members, order)
    is_inside = (place < len(members)) & (members[np.minimum(place, len(members) - 1)] == order)
    # An event that is no member leaves the last of them out.
    out = np.where(is_inside, order, members[start + n_near])
    return (total - features[out]) / n_near


def within_units(
    features: np.ndarray, label: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the covariance within units, drawn a little to a round one, and means and counts."""
    units = np.unique(label[label >= 0])
    means = np.stack([features[label == unit].mean(axis=0) for unit in units])
    counts = np.array([(label == unit).sum() for unit in units])
    is_spike = label >= 0
    residual = features[is_spike] - means[np.searchsorted(units, label[is_spike])]
    n_events, n_columns = residual.shape
    covariance = residual.T @ residual / n_events
    share = n_columns / (n_columns + n_events)
    scale = np.trace(covariance) / n_columns
    return (1 - share) * covariance + share * scale * np.eye(n_columns), means, counts


if __name__ == "__main__":
    main()
