"""Confidence learned from sorted scenes: trees, calibration, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.isotonic import isotonic_regression
from threadpoolctl import threadpool_limits

from embersort.confidence.model import SCORES, ConfidenceModel, Curve
from embersort.confidence.predict import Features, features, with_probabilities
from embersort.confidence.trees import LEAF, Trees
from embersort.config import Config
from embersort.errors import BadInput
from embersort.training.confidence_cases import Case
from embersort.types import FloatArray, IntArray


class TreesConfig(Config):
    """Gradient boosting."""

    n_trees: int = Field(100, ge=1)
    learning_rate: float = Field(0.08, gt=0)
    max_leaves: int = Field(12, ge=2)
    min_samples_leaf: int = Field(40, ge=1)
    l2: float = Field(5.0, ge=0)
    max_features: float = Field(1.0, gt=0, le=1)
    """Share of the features that each split may choose from."""


class FitConfig(Config):
    """How confidence is learned."""

    spike: TreesConfig = TreesConfig()
    """Trees that tell right spikes from wrong ones."""
    unit: TreesConfig = TreesConfig(
        n_trees=150, learning_rate=0.06, max_leaves=4, min_samples_leaf=15, max_features=0.3
    )
    """Trees that predict the scores of units."""
    max_spikes: int = Field(200, ge=1)
    """Of a unit with more spikes so many, evenly spread, are learned from."""
    n_folds: int = Field(5, ge=2)
    """Scenes are dealt into so many folds; what is calibrated was predicted by the other folds."""
    n_curve: int = Field(40, ge=2)
    """Points of the calibration curve, at equal numbers of spikes."""
    coverage: float = Field(0.9, gt=0, lt=1)
    """Share of units whose accuracy lies in its interval."""
    n_interval: int = Field(8, ge=1)
    """Groups of units by predicted accuracy, each with an interval of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A case with its features.

    Attributes
    ----------
    case : Case
    features : Features
    """

    case: Case
    features: Features


def judged(case: Case) -> Judged:
    """Compute the features of a case."""
    return Judged(case=case, features=features(case.evidence))


def fit(cases: Sequence[Judged], config: FitConfig) -> ConfidenceModel:
    """Learn confidence from sorted scenes.

    Parameters
    ----------
    cases : sequence of Judged
        At least as many as there are folds.
    config : FitConfig

    Raises
    ------
    BadInput
        If there are too few scenes, or all spikes are right, or all wrong.

    Notes
    -----
    Every probability and score on which calibration and intervals rest was predicted by trees
    that had not seen the scene.
    """
    usable = [case for case in cases if case.case.evidence.sorting.n_spikes]
    if len(usable) < config.n_folds:
        raise BadInput(f"{len(usable)} scenes have units, expected at least {config.n_folds}")
    fold = np.arange(len(usable)) % config.n_folds
    log_odds = _unseen_log_odds(usable, fold, config)
    calibration = calibrate(
        np.concatenate(log_odds),
        np.concatenate([case.case.spike_correct for case in usable]),
        config.n_curve,
    )
    tables = [
        with_probabilities(case.features.unit, calibration(odds), case.case.evidence)
        for case, odds in zip(usable, log_odds, strict=True)
    ]
    unseen = _unseen_accuracy(usable, tables, fold, config)
    accuracy = np.concatenate([case.case.scores.accuracy for case in usable])
    low, high = intervals(unseen, accuracy, config)
    units = np.concatenate(tables)
    heads = {
        name: fit_regression(
            units, np.concatenate([getattr(case.case.scores, name) for case in usable]), config.unit
        )
        for name in SCORES
    }
    return ConfidenceModel(
        spike=_fit_spikes(usable, config),
        calibration=calibration,
        accuracy=heads["accuracy"],
        precision=heads["precision"],
        recall=heads["recall"],
        low=low,
        high=high,
    )


def _unseen_log_odds(
    cases: Sequence[Judged], fold: IntArray, config: FitConfig
) -> list[FloatArray]:
    """Return the log odds of each case's spikes by trees that have not seen the case."""
    odds: list[FloatArray] = [np.zeros(0)] * len(cases)
    for held in range(config.n_folds):
        trees = _fit_spikes([cases[i] for i in np.flatnonzero(fold != held).tolist()], config)
        for i in np.flatnonzero(fold == held).tolist():
            odds[i] = trees.sum(cases[i].features.spike)
    return odds


def _unseen_accuracy(
    cases: Sequence[Judged],
    tables: Sequence[NDArray[np.float32]],
    fold: IntArray,
    config: FitConfig,
) -> FloatArray:
    """Return the accuracy predicted for each unit by trees that have not seen its case."""
    predicted: list[FloatArray] = [np.zeros(0)] * len(cases)
    for held in range(config.n_folds):
        seen = np.flatnonzero(fold != held).tolist()
        trees = fit_regression(
            np.concatenate([tables[i] for i in seen]),
            np.concatenate([cases[i].case.scores.accuracy for i in seen]),
            config.unit,
        )
        for i in np.flatnonzero(fold == held).tolist():
            predicted[i] = np.clip(trees.sum(tables[i]), 0.0, 1.0)
    return np.concatenate(predicted)


def _fit_spikes(cases: Sequence[Judged], config: FitConfig) -> Trees:
    """Fit the trees that tell right spikes from wrong ones."""
    rows = [_spread_rows(case, config.max_spikes) for case in cases]
    table = np.concatenate([case.features.spike[r] for case, r in zip(cases, rows, strict=True)])
    correct = np.concatenate(
        [case.case.spike_correct[r] for case, r in zip(cases, rows, strict=True)]
    )
    if correct.all() or not correct.any():
        raise BadInput("all spikes of these scenes are alike, right or wrong; give harder scenes")
    return fit_classification(table, correct, config.spike)


def _spread_rows(case: Judged, max_spikes: int) -> IntArray:
    """Return at most so many spikes of each unit, evenly spread in time."""
    unit_index = case.case.evidence.sorting.unit_index
    rows = []
    for unit in np.unique(unit_index):
        mine = np.flatnonzero(unit_index == unit)
        place = np.linspace(0, len(mine) - 1, min(len(mine), max_spikes)).round().astype(np.int64)
        rows.append(mine[place])
    return np.concatenate(rows)


def fit_classification(
    table: NDArray[np.float32], correct: NDArray[np.bool_], config: TreesConfig
) -> Trees:
    """Fit trees to yes and no; their sum is the log odds of yes."""
    # Threads that wait for each other on a busy machine take ten times as long.
    with threadpool_limits(limits=1):
        return _trees(HistGradientBoostingClassifier(**_arguments(config)).fit(table, correct))


def fit_regression(table: NDArray[np.float32], target: FloatArray, config: TreesConfig) -> Trees:
    """Fit trees to a number."""
    with threadpool_limits(limits=1):
        return _trees(HistGradientBoostingRegressor(**_arguments(config)).fit(table, target))


def _arguments(config: TreesConfig) -> dict[str, Any]:
    return {
        "max_iter": config.n_trees,
        "learning_rate": config.learning_rate,
        "max_leaf_nodes": config.max_leaves,
        "min_samples_leaf": config.min_samples_leaf,
        "l2_regularization": config.l2,
        "max_features": config.max_features,
        "early_stopping": False,
        "random_state": 0,
    }


def _trees(fitted: Any) -> Trees:
    """Take the trees out of a fitted model: scikit-learn has no public way to them."""
    nodes = [one.nodes for (one,) in fitted._predictors]
    first = np.cumsum([0, *(len(tree) for tree in nodes[:-1])])
    shift = np.repeat(first, [len(tree) for tree in nodes])
    every = np.concatenate(nodes)
    leaf = every["is_leaf"].astype(bool)
    return Trees(
        roots=first.astype(np.int32),
        feature=np.where(leaf, LEAF, every["feature_idx"]).astype(np.int16),
        threshold=np.where(leaf, 0.0, every["num_threshold"]).astype(np.float32),
        left=np.where(leaf, 0, every["left"] + shift).astype(np.int32),
        right=np.where(leaf, 0, every["right"] + shift).astype(np.int32),
        missing_left=every["missing_go_to_left"].astype(np.uint8),
        value=np.where(leaf, every["value"], 0.0).astype(np.float32),
        start=np.asarray(fitted._baseline_prediction, np.float32).reshape(1),
    )


def calibrate(log_odds: FloatArray, correct: NDArray[np.bool_], n_points: int) -> Curve:
    """Return the curve from log odds to the share of right spikes, which never falls.

    Isotonic regression (Zadrozny and Elkan 2002) of groups of equally many spikes.
    """
    order = np.argsort(log_odds, kind="stable")
    groups = [group for group in np.array_split(order, n_points) if len(group)]
    x = np.array([log_odds[group].mean() for group in groups])
    # One right and one wrong spike more: no group is certain.
    y = np.array([(correct[group].sum() + 1) / (len(group) + 2) for group in groups])
    keep = np.concatenate([[True], np.diff(x) > 0])
    x, y = x[keep], y[keep]
    weight = np.array([len(group) for group in groups], float)[keep]
    return Curve(
        x=x.astype(np.float32), y=isotonic_regression(y, sample_weight=weight).astype(np.float32)
    )


def intervals(predicted: FloatArray, true: FloatArray, config: FitConfig) -> tuple[Curve, Curve]:
    """Return by how much the true accuracy may lie below, and above, a predicted one.

    Split conformal prediction by groups of like prediction (Vovk 2012): the quantiles of the
    errors that were made where as much was predicted.
    """
    order = np.argsort(predicted, kind="stable")
    groups = [group for group in np.array_split(order, config.n_interval) if len(group)]
    x = np.array([predicted[group].mean() for group in groups])
    tail = (1 - config.coverage) / 2
    error = true - predicted
    low = [np.quantile(error[group], tail, method="lower") for group in groups]
    high = [np.quantile(error[group], 1 - tail, method="higher") for group in groups]
    return (
        Curve(x=x.astype(np.float32), y=np.array(low, np.float32)),
        Curve(x=x.astype(np.float32), y=np.array(high, np.float32)),
    )
