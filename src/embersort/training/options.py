"""The study of options: what each way to embed and to cluster is worth, and where."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Container, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from embersort.clustering.gaps import N_DIMS, principal_coordinates
from embersort.clustering.neighbourhoods import split
from embersort.config import ClusterConfig, Config
from embersort.embedding.stage import EncoderStage, joined_frame, make_encoder_stage
from embersort.errors import MissingDependency
from embersort.evaluation.clustering import score_clustering
from embersort.signal.pca import fit_pca
from embersort.simulate.families import family_scene
from embersort.simulate.simulation import Simulation, simulate
from embersort.training.event_sets import LabelledSnippets, labelled_snippets
from embersort.training.options_detection import detection_scores
from embersort.training.options_sorts import SortedFeatures, sort_scores
from embersort.training.segment_options import Networks, segment_frame
from embersort.types import IntArray

log = logging.getLogger(__name__)

N_COMPONENTS = 6
"""Temporal components of each channel, as in sorting."""
PROPOSAL_THRESHOLD = 4.0
"""Events are proposed at this height, for the detectors to rank."""
RESULTS_NAME = "results.jsonl"
SORT = "sort"
"""Stands for the clustering in rows of the whole task."""
HDBSCAN_LEAST = 15
"""Smallest cluster of HDBSCAN."""

Features = Literal["pca", "encoder", "context", "pca+encoder", "pca+context", "segment"]
Clustering = Literal["isosplit", "kmeans", "hdbscan", "gaussian"]
Option = tuple[str, str]
"""Features and clustering, or features and `SORT`."""


class OptionsConfig(Config):
    """Which options are compared, and on what."""

    families: tuple[str, ...] = ("noise", "clustering", "drift", "bursting", "overlap")
    """Scene families."""
    difficulties: tuple[float, ...] = (0.3, 0.6, 0.9)
    """Positions of each family's dial."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Scenes of each family and difficulty."""
    features: tuple[Features, ...] = (
        "pca",
        "encoder",
        "context",
        "pca+encoder",
        "pca+context",
        "segment",
    )
    """What events are reduced to."""
    clusterings: tuple[Clustering, ...] = ("isosplit", "kmeans")
    """How they are clustered; k-means and the Gaussian mixture are told the true number."""
    sorts: tuple[SortedFeatures, ...] = ("pca", "context")
    """What the sorter, with its shipped weights, is given to do the whole task with."""
    duration_s: float = Field(60.0, gt=0)
    """Length of a scene."""
    max_events: int = Field(2000, ge=50)
    """Events of the neighbourhood that is clustered."""
    cluster: ClusterConfig = ClusterConfig()
    """ISO-SPLIT's settings, and the radius of a neighbourhood."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One scene of the study."""

    family: str
    difficulty: float
    seed: int

    @property
    def key(self) -> tuple[str, float, int]:
        """What a cached row is found by."""
        return self.family, self.difficulty, self.seed


def cases(config: OptionsConfig) -> Iterator[Case]:
    """Return the scenes of the study, seeds outermost: an early stop leaves whole rounds."""
    for seed in config.seeds:
        for family in config.families:
            for difficulty in config.difficulties:
                yield Case(family=family, difficulty=difficulty, seed=seed)


def run_options(
    config: OptionsConfig,
    networks: Networks,
    folder: Path,
    progress: Callable[[str, float, float], None] | None = None,
) -> list[dict]:
    """Score every option on every scene; scenes that the folder has already are not done again.

    Parameters
    ----------
    config : OptionsConfig
    networks : Networks
    folder : Path
        Gets ``results.jsonl``: one line per scene and option.

    Returns
    -------
    list of dict
        Rows of this study, ``task`` "clustering", "detection" or "whole".
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RESULTS_NAME
    rows = read_rows(path, {networks.hash_of(name) for name in (*config.features, "")})
    wanted = list(cases(config))
    for n_done, case in enumerate(wanted):
        done = {
            (row["features"], row["clustering"])
            for row in rows
            if (row["family"], row["difficulty"], row["seed"]) == case.key
        }
        todo = [option for option in options_of(config) if option not in done]
        if todo:
            scored = score_case(case, config, networks, todo)
            new = [row for row in scored if (row["features"], row["clustering"]) not in done]
            _append(new, path)
            rows += new
        if progress is not None:
            progress("options", n_done + 1, len(wanted))
    keys = {case.key for case in wanted}
    return [row for row in rows if (row["family"], row["difficulty"], row["seed"]) in keys]


def options_of(config: OptionsConfig) -> list[Option]:
    """Return every option of the study: features with each clustering, features with the sorter."""
    pure: list[Option] = [(f, c) for f in config.features for c in config.clusterings]
    return pure + [(features, SORT) for features in config.sorts]


def read_rows(path: Path, hashes: Container[str]) -> list[dict]:
    """Return the rows of an earlier run with the same weights; a half-written line is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if row.get("weights") in hashes:
            rows.append(row)
    return rows


def _append(rows: list[dict], path: Path) -> None:
    """Add lines to a file; what a killed run left of a line is ended first."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    with path.open("a", encoding="utf-8") as file:
        if text and not text.endswith("\n"):
            file.write("\n")
        file.writelines(json.dumps(row) + "\n" for row in rows)


def score_case(
    case: Case, config: OptionsConfig, networks: Networks, todo: list[Option]
) -> list[dict]:
    """Score options on one scene: pure clustering, pure detection, the whole task."""
    scene = family_scene(case.family, case.difficulty, seed=case.seed)
    scene = scene.model_copy(update={"duration_s": config.duration_s})
    simulation = simulate(scene)
    sorts = [name for name in config.sorts if (name, SORT) in todo]
    rows = [
        _row(case, networks, "whole", name, SORT, scores)
        for name, scores in sort_scores(simulation, sorts).items()
    ]
    pure = [option for option in todo if option[1] != SORT]
    return rows + (_pure_rows(case, simulation, config, networks, pure) if pure else [])


def _pure_rows(
    case: Case,
    simulation: Simulation,
    config: OptionsConfig,
    networks: Networks,
    todo: list[Option],
) -> list[dict]:
    """Score detectors on a scene, and options on its busiest neighbourhood."""
    recording = simulation.recording
    found = labelled_snippets(simulation, PROPOSAL_THRESHOLD)
    stage = make_encoder_stage(
        networks.encoder,
        recording.geometry,
        found.window.neighbours,
        n_window=found.snippets.shape[1],
        n_before=found.window.n_before,
        sampling_rate_hz=recording.sampling_rate_hz,
    )
    codes = stage.encode(found.snippets, found.events.channel_index)
    detected = detection_scores(simulation, found, stage.read(codes).spike_logit)
    rows = [
        _row(case, networks, "detection", name, "", scores) for name, scores in detected.items()
    ]
    chosen = neighbourhood(simulation, found, config)
    label = found.labels.label[chosen]
    if len(np.unique(label)) < 2:
        return rows
    frames = feature_frames(found, stage, codes, chosen)
    if any(features == "segment" for features, _ in todo):
        frames["segment"] = segment_frame(
            simulation, found.events, chosen, PROPOSAL_THRESHOLD, networks
        )
    for features, clustering in todo:
        labels = cluster(frames[features], clustering, len(np.unique(label)), config.cluster)
        score = score_clustering(label, labels)
        values = {
            "ari": score.adjusted_rand,
            "accuracy": score.mean_accuracy,
            "n_true": len(score.accuracy),
            "n_found": score.n_found,
        }
        rows.append(_row(case, networks, "clustering", features, clustering, values))
    return rows


def _row(
    case: Case,
    networks: Networks,
    task: str,
    features: str,
    clustering: str,
    scores: dict[str, float],
) -> dict:
    names = {"task": task, "features": features, "clustering": clustering}
    return {**asdict(case), "weights": networks.hash_of(features), **names, **scores}


def neighbourhood(
    simulation: Simulation, found: LabelledSnippets, config: OptionsConfig
) -> IntArray:
    """Return the spikes that peak near the busiest channel, evenly thinned."""
    is_spike = found.labels.label >= 0
    if not is_spike.any():
        return np.zeros(0, np.int64)
    channel = found.events.channel_index
    distance = simulation.recording.geometry.distances_um()
    busiest = int(np.bincount(channel[is_spike]).argmax())
    rows = np.flatnonzero(is_spike & (distance[busiest] <= config.cluster.radius_um)[channel])
    if len(rows) <= config.max_events:
        return rows
    return rows[np.linspace(0, len(rows) - 1, config.max_events).round().astype(np.int64)]


def feature_frames(
    found: LabelledSnippets, stage: EncoderStage, codes: NDArray[np.float32], rows: IntArray
) -> dict[str, NDArray[np.float32]]:
    """Return the chosen events in each kind of features."""
    channel = found.events.channel_index
    peak = found.snippets[:, :, 0]
    pca = fit_pca(peak, found.window.neighbours, N_COMPONENTS)
    components = pca.on_shared_channels(
        pca.encode(found.snippets[rows], channel[rows]), channel[rows]
    )
    alone = stage.on_shared_channels(codes, channel)[rows]
    in_context = stage.on_shared_channels(stage.in_context(codes, found.events), channel)[rows]
    return {
        "pca": components,
        "encoder": alone,
        "context": in_context,
        "pca+encoder": joined_frame(components, alone),
        "pca+context": joined_frame(components, in_context),
    }


def cluster(
    frame: NDArray[np.float32], clustering: str, n_true: int, config: ClusterConfig
) -> NDArray[np.int64]:
    """Cluster events; -1 where a method leaves one out."""
    if clustering == "isosplit":
        labels = np.full(len(frame), -1, np.int64)
        for index, members in enumerate(split([frame], config)):
            labels[members] = index
        return labels
    points = principal_coordinates(frame, N_DIMS)
    if clustering == "kmeans":
        from scipy.cluster.vq import kmeans2

        return kmeans2(points, n_true, minit="++", rng=np.random.default_rng(0))[1].astype(np.int64)
    try:
        from sklearn.cluster import HDBSCAN
        from sklearn.mixture import GaussianMixture
    except ImportError:
        raise MissingDependency(
            f"clustering by {clustering} needs scikit-learn; install it with: "
            "pip install 'embersort[bench]'"
        ) from None
    if clustering == "hdbscan":
        return HDBSCAN(min_cluster_size=HDBSCAN_LEAST, copy=True).fit_predict(points)
    return GaussianMixture(n_true, random_state=0).fit_predict(points)
