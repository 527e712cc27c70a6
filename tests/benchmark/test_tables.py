"""Statistics and tables on hand-made rows."""

import csv

import numpy as np
import pytest

from embersort.benchmark.agreement import mean_agreement, n_confirming
from embersort.benchmark.export import export
from embersort.benchmark.paired import difference, difference_over_time
from embersort.benchmark.run import Row
from embersort.benchmark.statistics import bootstrap_mean, paired_difference
from embersort.benchmark.tables import (
    markdown,
    mean_over_time,
    recording_rows,
    sorter_rows,
    time_rows,
    unit_rows,
)
from embersort.types import Sorting


def row(recording, sorter, accuracy, outcome="ok"):
    if outcome != "ok":
        return Row(recording=recording, sorter=sorter, outcome=outcome, error="why")
    summary = {"accuracy": accuracy, "precision": 0.5, "recall": 0.25, "f1": 1 / 3}
    counts = dict.fromkeys(
        ("n_well_detected", "n_false_positive", "n_redundant", "n_overmerged"), 2
    )
    scores = {
        "summary": summary | counts | {"n_true_units": 1},
        "recall_overlapping": 0.1,
        "recall_solitary": 0.9,
        "units": {
            "unit_id": [7],
            "matched_id": [None],
            **{name: [0.5] for name in ("accuracy", "precision", "recall", "f1")},
            "accuracy_over_time": [[0.25, None, 0.75]],
        },
    }
    truth = {"snr": [9.0], "rate_hz": [2.0], "n_spikes": [40], "overlap_share": [0.2]}
    result = {"cpu_s": 10.0, "wall_s": 20.0, "peak_memory_mib": 300.0, "n_units": 3}
    return Row(
        recording=recording,
        sorter=sorter,
        outcome="ok",
        result=result,
        scores={"one_to_one": scores, "spikeforest": scores},
        truth=truth | {"drift_um": 0.0},
    )


ROWS = [
    row("r1", "x", 0.9),
    row("r1", "y", 0.5),
    row("r2", "x", 0.7),
    row("r2", "y", 0.5),
    row("r3", "x", 0.0, "time_out"),
    row("r3", "y", 0.1),
]


def test_a_bootstrap_interval_holds_the_mean_and_repeats():
    rng = np.random.default_rng(1)
    values = rng.normal(0.5, 0.1, 50)
    interval = bootstrap_mean(values, np.random.default_rng(0))
    assert interval.low < values.mean() < interval.high
    # The normal approximation gives the same width within a tenth or two.
    width = 2 * 1.96 * values.std() / np.sqrt(50)
    assert interval.high - interval.low == pytest.approx(width, rel=0.2)
    assert interval == bootstrap_mean(values, np.random.default_rng(0))
    assert interval == bootstrap_mean(values[::-1], np.random.default_rng(0))


def test_intervals_of_few_values():
    rng = np.random.default_rng(0)
    assert str(bootstrap_mean(np.array([]), rng)) == "–"
    one = bootstrap_mean(np.array([0.25, np.nan]), rng)
    assert (one.mean, one.low, one.high, one.n) == (0.25, 0.25, 0.25, 1)
    same = paired_difference(np.array([0.5, 0.7]), np.array([0.4, 0.6]), rng)
    assert (same.low, same.high) == pytest.approx((0.1, 0.1))


def test_a_difference_is_paired_by_recording_and_leaves_out_failures():
    paired = difference(ROWS, "x", "y", "accuracy")
    assert paired.pairs == [("r1", 0.9, 0.5), ("r2", 0.7, 0.5)]
    assert paired.difference.mean == pytest.approx(0.3)
    assert (paired.first, paired.second) == pytest.approx((0.8, 0.5))
    assert np.isnan(difference(ROWS, "x", "z", "accuracy").first)


def test_a_difference_over_time_leaves_out_bins_without_spikes():
    bins = difference_over_time(ROWS, "x", "y")
    assert [start_s for start_s, _ in bins] == [0.0, 10.0, 20.0]
    assert [paired.difference.n for _, paired in bins] == [2, 0, 2]
    assert bins[2][1].first == 0.75
    assert difference_over_time(ROWS, "x", "z") == []


def test_a_smallest_snr_counts_only_the_units_above_it():
    two = row("r1", "x", 0.9)
    units = two.scores["one_to_one"]["units"]
    for name in ("accuracy", "precision", "recall", "f1"):
        units[name] = [0.5, 0.9]
    units |= {"unit_id": [7, 8], "matched_id": [None, 1]}
    two.truth.update(snr=[3.0, 9.0])
    (all_units,) = recording_rows([two])
    (large,) = recording_rows([two], min_snr=5.0)
    assert (all_units["accuracy"], all_units["n_well_detected"]) == (0.9, 2)
    assert (large["accuracy"], large["n_well_detected"], large["n_true_units"]) == (0.9, 1, 1)
    assert recording_rows([two], min_snr=2.0)[0]["accuracy"] == pytest.approx(0.7)
    assert recording_rows([two], min_snr=50.0)[0]["accuracy"] is None
    assert large["n_false_positive"] == 2
    assert "| r1 | 0.70 |" in markdown([two], min_snr=2.0)


def test_tables_show_failures_and_means():
    text = markdown(ROWS)
    assert "| r1 | 0.90 | 0.50 |" in text
    assert "| r3 | time out | 0.10 |" in text
    # A mean over fewer recordings than the others' says so.
    assert "| 0.800 [0.700, 0.900], 2 of 3 | 0.367 [0.100, 0.500] |" in text
    assert "| r1 | 10 | 10 |" in markdown(ROWS, column="cpu_s")
    by_sorter = {line["sorter"]: line for line in sorter_rows(ROWS)}
    assert by_sorter["x"]["n_failed"] == 1
    assert by_sorter["x"]["n_well_detected"] == 4
    assert by_sorter["y"]["mean_cpu_s"] == 10.0
    assert "| r1 | 2 | 2 |" in markdown(ROWS, column="n_well_detected")


def test_accuracy_over_time_is_flat_and_averaged():
    assert [line["start_s"] for line in time_rows(ROWS[:1])] == [0.0, 10.0, 20.0]
    assert time_rows(ROWS[:1])[1]["accuracy"] is None
    means = mean_over_time(ROWS)
    assert list(means) == [("r1", "x"), ("r1", "y"), ("r2", "x"), ("r2", "y"), ("r3", "y")]
    assert means["r1", "x"][::2] == [0.25, 0.75]
    assert np.isnan(means["r1", "x"][1])


def test_flat_rows_and_their_files(tmp_path):
    assert len(recording_rows(ROWS)) == 6
    assert unit_rows(ROWS)[0]["snr"] == 9.0
    paths = export(ROWS, tmp_path, "csv")
    with paths[1].open() as file:
        units = list(csv.DictReader(file))
    assert len(units) == 10
    assert units[0]["accuracy"] == "0.5"
    assert paths[2].name == "units_over_time.csv"
    assert len(paths[2].read_text().splitlines()) == 1 + 30
    parquet = pytest.importorskip("pyarrow.parquet")
    path = export(ROWS, tmp_path, "parquet")[0]
    assert parquet.read_table(path).num_rows == 12


def test_agreement_between_sorters_without_truth():
    def of(*trains):
        sample = np.concatenate(trains)
        order = np.argsort(sample, kind="stable")
        unit = np.repeat(np.arange(len(trains)), [len(t) for t in trains])
        return Sorting(
            sample_index=sample[order],
            unit_index=unit[order],
            unit_ids=np.arange(len(trains)),
            sampling_rate_hz=30_000.0,
            n_samples=10_000,
        )

    a, b = np.arange(100, 9000, 200), np.arange(180, 9000, 200)
    sortings = {"one": of(a, b), "two": of(b), "none": of(a[:3])}
    table = mean_agreement(sortings)
    assert np.diag(table).tolist() == [1.0, 1.0, 1.0]
    assert table[0, 1] == pytest.approx(0.5)
    assert n_confirming(sortings, "one").tolist() == [0, 1]
