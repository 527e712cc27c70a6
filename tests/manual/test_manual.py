"""Labels, merges and splits of every kind of file lead to the result that they say."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from embersort.cli.curate import app
from embersort.errors import BadInput
from embersort.manual import apply_step, read_step
from embersort.manual.step import make_step
from embersort.output import read_result, sorting_hash, write_result
from embersort.types import Geometry, Sorting, SortResult, Templates

UNITS = [10, 11, 12, 20]


def make_result():
    """Seven spikes of three units, and a unit without spikes, all by hand."""
    unit_index = np.array([0, 1, 0, 2, 1, 0, 2])
    waves = np.zeros((4, 3, 2), np.float32)
    waves[0, 1] = [-40, -10]
    waves[1, 1] = [-20, -10]
    waves[2, 1] = [0, -30]
    return SortResult(
        sorting=Sorting(
            sample_index=np.arange(1, 8) * 100,
            unit_index=unit_index,
            unit_ids=UNITS,
            sampling_rate_hz=10_000.0,
            n_samples=10_000,
        ),
        templates=Templates(waveforms_uv=waves, n_before=1),
        geometry=Geometry(positions_um=[[0, 0], [0, 20]]),
        spike_amplitude=-np.arange(7.0),
        spike_probability=np.full(7, 0.5),
        spike_position_um=np.zeros((7, 2)),
        embedding=np.zeros((7, 0)),
        unit_table={
            "n_spikes": np.array([3, 2, 2, 0]),
            "snr": np.array([8.0, 4.0, 6.0, 0.0]),
            "predicted_accuracy": np.array([0.9, 0.8, 0.7, 0.1]),
        },
        provenance={"version": "0"},
    )


def trains(result):
    ids = result.sorting.unit_ids.tolist()
    return {u: t.tolist() for u, t in zip(ids, result.sorting.trains(), strict=True)}


@pytest.fixture
def out(tmp_path):
    return write_result(make_result(), tmp_path / "out")


def run(*words):
    outcome = CliRunner().invoke(app, [str(word) for word in (*words, "--no-report")])
    if outcome.exit_code and outcome.exception is not None:
        raise outcome.exception
    return outcome.output


def test_merge_by_hand():
    result = make_result()
    merged = apply_step(result, make_step(result.sorting, merges=[([10, 11], None)]))
    assert trains(merged) == {12: [400, 700], 20: [], 21: [100, 200, 300, 500, 600]}
    # Three spikes of one template and two of the other.
    np.testing.assert_allclose(merged.templates.waveforms_uv[2, 1], [-32, -10])
    assert merged.unit_table["n_spikes"].tolist() == [2, 0, 5]
    # 40 µV at 8 and 30 µV at 6: 5 µV of noise on both channels.
    np.testing.assert_allclose(merged.unit_table["snr"], [6.0, 0.0, 6.4])
    # What is not known of the new unit is not made up.
    np.testing.assert_array_equal(merged.unit_table["predicted_accuracy"], [0.7, 0.1, np.nan])
    np.testing.assert_array_equal(merged.spike_amplitude, result.spike_amplitude)


def test_split_and_removal_by_hand():
    result = make_result()
    step = make_step(result.sorting, splits=[(10, [[0, 2]], [7, 8])], removed=[12])
    cut = apply_step(result, step)
    assert trains(cut) == {7: [100, 600], 8: [300], 11: [200, 500], 20: []}
    assert cut.spike_amplitude.tolist() == [0, -1, -2, -4, -5]


def test_labels_follow_merges_and_splits():
    result = make_result()
    step = make_step(
        result.sorting,
        labels={"label": {10: "good", 11: "good", 12: "mua"}},
        merges=[([10, 11], 30)],
        splits=[(12, [[0]], None)],
    )
    curated = apply_step(result, step)
    labels = dict(
        zip(curated.sorting.unit_ids.tolist(), curated.unit_table["label"].tolist(), strict=True)
    )
    assert labels == {20: "", 30: "good", 31: "mua", 32: "mua"}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"merges": [([10, 99], None)]}, "no such unit"),
        ({"merges": [([10], None)]}, "fewer than two"),
        ({"merges": [([10, 11], None), ([11, 12], None)]}, "twice"),
        ({"merges": [([10, 11], 12)]}, "taken"),
        ({"splits": [(10, [[0, 3]], None)]}, "names spike 3 of 3"),
        ({"splits": [(10, [[0], [0]], None)]}, "two groups"),
        ({"labels": {"label": {77: "good"}}}, "no such unit"),
    ],
)
def test_what_does_not_fit_is_refused(how, message):
    with pytest.raises(BadInput, match=message):
        make_step(make_result().sorting, **how)


CURATION = {
    "format_version": "2",
    "unit_ids": UNITS,
    "label_definitions": {"quality": {"label_options": ["good", "mua"], "exclusive": True}},
    "manual_labels": [{"unit_id": 12, "labels": {"quality": ["good"]}}],
    "merges": [{"unit_ids": [10, 11]}],
    "splits": [],
    "removed": [],
}


def test_curate_keeps_the_original_and_undoes(out, tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(CURATION))
    before = read_result(out)
    assert "units 10, 11 became units 21" in run(out, "--apply", tmp_path / "c.json")
    once = read_result(out)
    assert set(trains(once)) == {12, 20, 21}
    (entry,) = once.provenance["curation"]
    assert (entry["units_gone"], entry["units_new"]) == ([10, 11], [21])
    assert sorting_hash(read_result(out / "original").sorting) == sorting_hash(before.sorting)
    with (out / "units.csv").open(newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)] == ["good", "", ""]

    (tmp_path / "labels.csv").write_text("unit_id,label\n21,mua\n")
    run(out, "--apply", tmp_path / "labels.csv")
    assert read_result(out).unit_table["label"].tolist() == ["good", "", "mua"]
    run(out, "--undo")
    back = read_result(out)
    assert back.unit_table["label"].tolist() == ["good", "", ""]
    assert sorting_hash(back.sorting) == sorting_hash(once.sorting)
    run(out, "--undo")
    same_result(read_result(out), before)
    with pytest.raises(BadInput, match="nothing to undo"):
        run(out, "--undo")


def same_result(one, other):
    assert sorting_hash(one.sorting) == sorting_hash(other.sorting)
    np.testing.assert_array_equal(one.templates.waveforms_uv, other.templates.waveforms_uv)
    assert set(one.unit_table) == set(other.unit_table)
    for name, column in other.unit_table.items():
        np.testing.assert_array_equal(one.unit_table[name], column)


def test_another_folder_leaves_the_result_alone(out, tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(CURATION))
    run(out, "--apply", tmp_path / "c.json", "-o", tmp_path / "curated")
    assert set(trains(read_result(out))) == set(UNITS)
    assert set(trains(read_result(tmp_path / "curated"))) == {12, 20, 21}


def test_spikeinterface_applies_the_same_file_to_the_same_end():
    curation = pytest.importorskip("spikeinterface.curation")
    from embersort.recording import sorting_to_spikeinterface

    result = make_result()
    said = {**CURATION, "splits": [{"unit_id": 12, "mode": "labels", "labels": [1, 0]}]}
    theirs = curation.apply_curation(sorting_to_spikeinterface(result.sorting), said)
    ours = apply_step(result, read_json(said, result.sorting))
    expected = sorted(theirs.get_unit_spike_train(u).tolist() for u in theirs.unit_ids)
    assert sorted(trains(ours).values()) == expected


def read_json(said, sorting):
    from embersort.manual.read import _step

    return _step(said, sorting)


@pytest.mark.parametrize(
    "said",
    [
        {"format_version": "1", "unit_ids": UNITS, "merge_unit_groups": [[10, 11]],
         "manual_labels": [{"unit_id": 12, "quality": ["good"]}], "removed_units": []},
        {"labelsByUnit": {"12": ["good"]}, "mergeGroups": [[10, 11]]},
    ],
)  # fmt: skip
def test_older_formats_say_the_same(said):
    sorting = make_result().sorting
    step, expected = read_json(said, sorting), read_json(CURATION, sorting)
    np.testing.assert_array_equal(step.unit_id_of_spike, expected.unit_id_of_spike)
    assert step.labels == expected.labels


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"format_version": "9"}', '{"format_version": "2", "merges": [{}]}',
     '{"format_version": "2", "merges": [{"unit_ids": ["a", "b"]}]}',
     '{"format_version": "2", "splits": [{"unit_id": 10, "mode": "labels", "labels": [1]}]}',
     '{"format_version": "2", "manual_labels": [5]}'],
)  # fmt: skip
def test_bad_files_are_one_clear_error(out, tmp_path, text):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(BadInput, match=r"c\.json"):
        run(out, "--apply", tmp_path / "c.json")
    assert set(trains(read_result(out))) == set(UNITS)


def phy_folder(result, folder, clusters):
    """What Phy leaves of an export; spikes at one time in another order than ours."""
    folder.mkdir()
    order = np.arange(result.sorting.n_spikes)
    np.save(folder / "spike_times.npy", result.sorting.sample_index[order][:, None])
    np.save(folder / "spike_templates.npy", result.sorting.unit_index[order][:, None])
    np.save(folder / "spike_clusters.npy", np.asarray(clusters, np.int32)[order])
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n10\tgood\n30\tmua\n12\tnoise\n")


def test_spikes_moved_in_phy(tmp_path):
    result = make_result()
    clusters = [30, 30, 30, 12, 30, 31, 12]
    phy_folder(result, tmp_path / "phy", clusters)
    curated = apply_step(result, read_step(tmp_path / "phy" / "cluster_group.tsv", result.sorting))
    assert trains(curated) == {12: [400, 700], 20: [], 30: [100, 200, 300, 500], 31: [600]}
    # Unit 10 is no more: Phy still lists it.
    assert curated.unit_table["label"].tolist() == ["noise", "", "mua", ""]


def test_phy_folder_of_another_sort_is_refused(tmp_path):
    result = make_result()
    phy_folder(result, tmp_path / "phy", [10, 11, 10, 12, 11, 10, 12])
    moved = dataclasses.replace(result.sorting, sample_index=result.sorting.sample_index + 1)
    with pytest.raises(BadInput, match="other spikes"):
        read_step(tmp_path / "phy", moved)


def test_table_of_labels_alone(out, tmp_path):
    (tmp_path / "cluster_group.tsv").write_text("cluster_id\tgroup\n10\tgood\n11\tunsorted\n")
    run(out, "--apply", tmp_path / "cluster_group.tsv")
    assert read_result(out).unit_table["label"].tolist() == ["good", "", "", ""]
