import dataclasses
import json

import numpy as np
import pytest

from confidence_evidence import make_evidence
from embersort.confidence import model as module
from embersort.confidence.model import (
    SHIPPED_FOLDER,
    SHIPPED_NAME,
    ConfidenceModel,
    Curve,
    load_model,
    load_shipped,
    save_model,
)
from embersort.confidence.predict import predict, with_probabilities
from embersort.confidence.trees import LEAF, Trees
from embersort.errors import BadWeights
from embersort.weight_file import MANIFEST_NAME


def stump(feature, threshold, low, high):
    """One question: ``low`` up to the threshold, ``high`` beyond it."""
    return Trees(
        roots=np.array([0], np.int32),
        feature=np.array([feature, LEAF, LEAF], np.int16),
        threshold=np.array([threshold, 0, 0], np.float32),
        left=np.array([1, 0, 0], np.int32),
        right=np.array([2, 0, 0], np.int32),
        missing_left=np.zeros(3, np.uint8),
        value=np.array([0, low, high], np.float32),
        start=np.zeros(1, np.float32),
    )


def curve(x, y):
    return Curve(x=np.array(x, np.float32), y=np.array(y, np.float32))


def hand_made():
    """Spikes of gain e^5 and more are right with 0.75, others with 0.25."""
    return ConfidenceModel(
        spike=stump(0, 5.0, -2.0, 2.0),
        calibration=curve([-2, 2], [0.25, 0.75]),
        accuracy=stump(0, np.log(25), 0.5, 1.5),
        precision=stump(0, np.log(25), 0.25, 1.0),
        recall=stump(0, np.log(25), -0.5, 0.5),
        low=curve([0, 1], [0, -0.5]),
        high=curve([0, 1], [0.5, 0.25]),
    )


def test_a_curve_is_straight_between_its_points_and_level_beyond():
    bent = curve([0, 1, 3], [0, 0.5, 0.75])
    assert bent(np.array([-5.0, 0, 0.5, 1, 2, 3, 9])).tolist() == [
        0,
        0,
        0.25,
        0.5,
        0.625,
        0.75,
        0.75,
    ]


def test_probabilities_and_scores_are_those_of_the_model():
    evidence = make_evidence(n_spikes=(40, 20), channels=(0, 3))
    said = predict(evidence, hand_made())
    expected = np.where(np.log(evidence.gain) > 5, 0.75, 0.25)
    assert said.spike_probability.dtype == np.float32
    assert said.spike_probability.tolist() == expected.tolist()
    assert {0.25, 0.75} == set(expected)
    columns = {name: column.tolist() for name, column in said.unit_columns.items()}
    # 40 spikes are more than 25, 20 are not; what leaves 0 to 1 is cut.
    assert columns == {
        "predicted_accuracy": [1.0, 0.5],
        "predicted_accuracy_low": [0.5, 0.25],
        "predicted_accuracy_high": [1.0, 0.875],
        "predicted_precision": [1.0, 0.25],
        "predicted_recall": [0.5, 0.0],
    }


def test_what_spikes_say_follows_the_features_of_their_unit():
    evidence = make_evidence(n_spikes=(2, 0, 3), channels=(0, 2, 3))
    unit = evidence.sorting.unit_index
    probability = np.where(unit == 0, 0.5, np.cumsum(unit == 2) / 4)
    found = with_probabilities(np.zeros((3, 1), np.float32), probability, evidence)
    assert found[0].tolist() == [0, 0.5, 0.5]
    assert np.isnan(found[1, 1:]).all()
    assert found[2].tolist() == [0, 0.5, 0.25]


def test_no_units_get_no_confidence():
    said = predict(make_evidence(n_spikes=(), channels=()), load_shipped())
    assert said.spike_probability.shape == (0,)
    assert all(column.shape == (0,) for column in said.unit_columns.values())


def test_what_the_shipped_model_says_is_between_0_and_1_and_the_same_twice():
    evidence = make_evidence()
    first, second = predict(evidence, load_shipped()), predict(evidence, load_shipped())
    assert 0 < first.spike_probability.min() <= first.spike_probability.max() < 1
    assert first.spike_probability.tobytes() == second.spike_probability.tobytes()
    low, middle, high = (
        first.unit_columns[f"predicted_accuracy{e}"] for e in ("_low", "", "_high")
    )
    assert (low <= high).all()
    for column in (low, middle, high):
        assert 0 <= column.min() <= column.max() <= 1


def test_a_model_comes_back_as_it_was_written(tmp_path):
    path = tmp_path / "model.safetensors"
    sha256 = save_model(hand_made(), path)
    back = load_model(path, sha256=sha256)
    assert back.sha256 == sha256
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
    for part in dataclasses.fields(ConfidenceModel)[:-1]:
        written, read = getattr(hand_made(), part.name), getattr(back, part.name)
        for array in dataclasses.fields(written):
            assert np.array_equal(getattr(written, array.name), getattr(read, array.name))


def test_the_shipped_file_is_the_one_of_the_manifest_and_small():
    manifest = json.loads((SHIPPED_FOLDER / MANIFEST_NAME).read_text("utf-8"))
    assert load_shipped().sha256 == manifest[SHIPPED_NAME]
    assert (SHIPPED_FOLDER / SHIPPED_NAME).stat().st_size < 300_000


def test_an_altered_or_missing_or_broken_file_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    sha256 = save_model(hand_made(), path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadWeights, match="not the file that was shipped"):
        load_model(path, sha256=sha256)
    path.write_bytes(b"nonsense")
    with pytest.raises(BadWeights, match="not a whole confidence model"):
        load_model(path)
    with pytest.raises(BadWeights, match="cannot be read"):
        load_model(tmp_path / "elsewhere")


def test_a_model_for_other_features_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_model(hand_made(), path)
    monkeypatch.setattr(module, "SPIKE_FEATURES", ("another",))
    with pytest.raises(BadWeights, match="other features"):
        load_model(path)
