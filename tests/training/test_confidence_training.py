import dataclasses

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from confidence_evidence import make_evidence, replaced
from embersort.confidence.model import load_model
from embersort.confidence.predict import predict
from embersort.errors import BadInput
from embersort.evaluation.calibration import determination, reliability
from embersort.evaluation.found import FoundScores
from embersort.recording import ArrayRecording
from embersort.training.confidence_cases import (
    Case,
    CaseDraw,
    draw_scenes,
    load_case,
    make_case,
    save_case,
    scene_cases,
)
from embersort.training.confidence_fit import (
    FitConfig,
    TreesConfig,
    calibrate,
    fit,
    fit_classification,
    fit_regression,
    intervals,
    judged,
)
from embersort.training.scenes import SceneDraw
from embersort.training.train_confidence import ConfidenceRecipe, train_confidence
from embersort.types import Sorting

SMALL = FitConfig(
    spike=TreesConfig(n_trees=20, max_leaves=6),
    unit=TreesConfig(n_trees=80, max_leaves=4, min_samples_leaf=5),
    n_folds=3,
    n_curve=8,
    n_interval=3,
)


def made_up_case(seed):
    """Units of which a share of the spikes, another for each, is noise alone."""
    evidence = make_evidence(n_spikes=(80, 60, 40), seed=seed)
    rng = np.random.default_rng([9, seed])
    share = rng.uniform(0, 0.9, 3)
    unit = evidence.sorting.unit_index
    correct = rng.random(len(unit)) > share[unit]
    noise = rng.normal(size=evidence.codes.shape).astype(np.float32)
    codes = np.where(correct[:, None], evidence.codes, noise)
    counts = evidence.sorting.spike_counts()
    precision = np.bincount(unit, correct, minlength=3) / counts
    scores = FoundScores(accuracy=precision, precision=precision, recall=np.ones(3))
    return Case(
        name=f"made-up-{seed}",
        evidence=replaced(evidence, codes=codes),
        spike_correct=correct,
        scores=scores,
        matched_accuracy=np.where(precision >= 0.5, precision, 0.0),
    )


@pytest.fixture(scope="module")
def model():
    return fit([judged(made_up_case(seed)) for seed in range(40)], SMALL)


def test_what_was_learned_holds_on_other_recordings(model):
    cases = [made_up_case(seed) for seed in range(100, 120)]
    said = [predict(case.evidence, model) for case in cases]
    probability = np.concatenate([one.spike_probability for one in said])
    correct = np.concatenate([case.spike_correct for case in cases])
    assert probability[correct].mean() - probability[~correct].mean() > 0.6
    assert reliability(probability, correct).expected_calibration_error < 0.05
    columns = {
        name: np.concatenate([one.unit_columns[name] for one in said])
        for name in said[0].unit_columns
    }
    accuracy = np.concatenate([case.scores.accuracy for case in cases])
    assert determination(columns["predicted_accuracy"], accuracy) > 0.7
    low, high = columns["predicted_accuracy_low"], columns["predicted_accuracy_high"]
    assert ((accuracy >= low) & (accuracy <= high)).mean() > 0.75
    assert columns["predicted_recall"] == pytest.approx(np.ones(60), abs=1e-3)


def test_the_same_scenes_give_the_same_model(model):
    again = fit([judged(made_up_case(seed)) for seed in range(40)], SMALL)
    for name in ("feature", "threshold", "value"):
        assert np.array_equal(getattr(model.spike, name), getattr(again.spike, name))
    assert np.array_equal(model.calibration.y, again.calibration.y)


def test_too_few_scenes_or_all_alike_are_refused():
    cases = [judged(made_up_case(seed)) for seed in range(3)]
    with pytest.raises(BadInput, match="2 scenes have units, expected at least 3"):
        fit(cases[:2], SMALL)
    alike = [
        judged(dataclasses.replace(one.case, spike_correct=np.ones(180, bool))) for one in cases
    ]
    with pytest.raises(BadInput, match="all spikes"):
        fit(alike, SMALL)


def test_trees_say_what_scikit_learn_says():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(400, 5)).astype(np.float32)
    table[rng.random(table.shape) < 0.1] = np.nan
    target = np.nan_to_num(table[:, 0]) * 2 + (np.nan_to_num(table[:, 1]) > 0)
    config = TreesConfig(n_trees=12, min_samples_leaf=10)
    same = {
        "max_iter": 12,
        "learning_rate": config.learning_rate,
        "max_leaf_nodes": config.max_leaves,
        "min_samples_leaf": 10,
        "l2_regularization": config.l2,
        "early_stopping": False,
    }
    with threadpool_limits(limits=1):
        expected = HistGradientBoostingRegressor(**same).fit(table, target).predict(table)
    assert fit_regression(table, target, config).sum(table) == pytest.approx(expected, abs=1e-5)
    with threadpool_limits(limits=1):
        expected = HistGradientBoostingClassifier(**same).fit(table, target > 0)
    found = fit_classification(table, target > 0, config).sum(table)
    assert found == pytest.approx(expected.decision_function(table), abs=1e-5)


def test_calibration_never_falls_and_is_never_certain():
    odds = np.repeat([-2.0, -1.0, 0.0, 1.0], 50)
    correct = np.concatenate([np.repeat([False, True], [50 - n, n]) for n in (10, 5, 30, 50)])
    found = calibrate(odds, correct, 4)
    assert found.x.tolist() == [-2, -1, 0, 1]
    # 11/52 and 6/52 change places and are averaged; 51/52 is not 1.
    assert found.y == pytest.approx([8.5 / 52, 8.5 / 52, 31 / 52, 51 / 52])


def test_intervals_hold_the_share_that_they_promise():
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 1, 3000)
    true = np.clip(predicted + rng.normal(0, 0.1, 3000), 0, 1)
    low, high = intervals(predicted, true, FitConfig(n_interval=10))
    error = true - predicted
    inside = (error >= low(predicted)) & (error <= high(predicted))
    assert inside.mean() == pytest.approx(0.9, abs=0.03)
    assert low(np.array([0.5])) == pytest.approx(-0.164, abs=0.02)
    assert high(np.array([0.5])) == pytest.approx(0.164, abs=0.02)


def test_a_case_comes_back_as_it_was_written(tmp_path):
    case = made_up_case(3)
    save_case(case, tmp_path / "case.npz")
    back = load_case(tmp_path / "case.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["case.npz"]
    assert back.name == case.name
    assert np.array_equal(back.spike_correct, case.spike_correct)
    assert np.array_equal(back.scores.accuracy, case.scores.accuracy)
    assert np.array_equal(back.matched_accuracy, case.matched_accuracy)
    assert np.array_equal(back.evidence.sorting.unit_index, case.evidence.sorting.unit_index)
    first, second = judged(case).features, judged(back).features
    assert np.array_equal(first.spike, second.spike, equal_nan=True)
    assert np.array_equal(first.unit, second.unit, equal_nan=True)


def test_scenes_are_of_their_split_and_of_all_lengths():
    draw = CaseDraw(n_drawn=6, n_per_family=2)
    train, heldout = draw_scenes(draw, "train"), draw_scenes(draw, "heldout")
    assert {scene.cells.split for scene in train} == {"train"}
    assert {scene.cells.split for scene in heldout} == {"heldout"}
    durations = [scene.duration_s for scene in train]
    assert draw.min_duration_s <= min(durations) < max(durations) <= draw.scene.duration_s
    assert len(set(durations)) > 6
    assert "large-array" not in {scene.name.rsplit("-", 1)[0] for scene in train}
    assert train == draw_scenes(draw, "train")
    few = draw.model_copy(update={"max_scenes": 5})
    assert draw_scenes(few, "train") == train[:5]
    assert 0 < sum(scene.name.startswith("train-") for scene in train[:8]) < 8


def as_sorter(truth):
    """Return a sorter that finds the true spikes, each unit's every fifth one a false one."""

    def sort(recording):
        evidence = make_evidence(n_spikes=(50,), channels=(2,))
        wrong = np.arange(50) % 5 == 0
        sample = np.where(wrong, truth.sample_index + 100, truth.sample_index)
        sorting = Sorting(
            sample_index=sample,
            unit_index=np.zeros(50, int),
            unit_ids=[0],
            sampling_rate_hz=truth.sampling_rate_hz,
            n_samples=truth.n_samples,
        )
        assert recording.n_samples == truth.n_samples
        return replaced(evidence, sorting=sorting)

    return sort


def test_a_case_knows_which_spikes_are_right():
    truth = Sorting(
        sample_index=1000 * np.arange(1, 51),
        unit_index=np.zeros(50, int),
        unit_ids=[7],
        sampling_rate_hz=20_000.0,
        n_samples=60_000,
    )
    recording = ArrayRecording(
        traces=np.zeros((60_000, 5), np.float32),
        sampling_rate_hz=20_000.0,
        geometry=make_evidence().geometry,
    )
    case = make_case(recording, truth, "one", as_sorter(truth))
    assert case.spike_correct.tolist() == [i % 5 != 0 for i in range(50)]
    assert case.scores.precision.tolist() == [0.8]
    assert case.scores.accuracy.tolist() == [40 / 60]
    assert case.matched_accuracy.tolist() == [40 / 60]


def test_a_recipe_is_fitted_and_sorted_scenes_are_not_sorted_again(tmp_path):
    draw = CaseDraw(
        scene=SceneDraw(duration_s=3.0, max_channels=8),
        min_duration_s=2.0,
        n_drawn=3,
        n_per_family=0,
    )
    recipe = ConfidenceRecipe(cases=draw, fit=SMALL)
    sorted_lengths = []

    def sort(recording):
        sorted_lengths.append(recording.n_samples)
        found = Sorting(
            sample_index=[100, 200, 300],
            unit_index=[0, 1, 2],
            unit_ids=[0, 1, 2],
            sampling_rate_hz=recording.sampling_rate_hz,
            n_samples=recording.n_samples,
        )
        return replaced(make_evidence(n_spikes=(1, 1, 1)), sorting=found)

    scenes = draw_scenes(draw, "train")
    made = list(scene_cases(scenes, tmp_path / "sorted", sort))
    assert sorted_lengths == [scene.n_samples for scene in scenes]
    for seed, path in enumerate(sorted((tmp_path / "sorted").iterdir())):
        save_case(dataclasses.replace(made_up_case(seed), name=path.stem), path)
    path = train_confidence(recipe, tmp_path, sort)
    assert len(made) == len(sorted_lengths) == 3
    assert predict(made_up_case(5).evidence, load_model(path)).spike_probability.max() > 0.5
