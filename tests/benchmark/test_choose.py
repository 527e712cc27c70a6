"""Which sorter for my recording: hybrids, and a recommendation that respects its intervals."""

import numpy as np
import pytest
from tiny_home import RATE_HZ

from embersort.benchmark.choose import Hybrids, choose_sorter, installed_sorters, recommend
from embersort.benchmark.process import Limits
from embersort.errors import BadInput
from embersort.recording import ArrayRecording
from embersort.types import Geometry


def hybrids_of(*units):
    """Accuracies of units, one row per sorter, as of two hybrids."""
    return np.array(units).reshape(len(units), 2, -1)


def test_the_fastest_of_those_that_are_level_is_recommended():
    accuracy = hybrids_of([0.9, 0.8, 0.85, 0.9], [0.9, 0.81, 0.84, 0.9], [0.5, 0.4, 0.45, 0.5])
    wall_s = np.array([[100.0] * 2, [10.0] * 2, [1.0] * 2])
    choice = recommend(["slow", "quick", "poor"], accuracy, wall_s)
    assert choice.recommended == "quick"
    assert choice.candidates[-1].sorter == "poor"
    assert choice.candidates[-1].behind.mean == pytest.approx(0.4)
    assert choice.candidates[-1].accuracy.n == 4
    assert choice.advice().startswith("recommended: quick, the fastest within 0.05")
    assert "on 4 injected units" in choice.advice()
    assert [line[0] for line in choice.table()] == ["sorter", "slow", "quick", "poor"]


def test_a_wide_interval_is_no_recommendation():
    accuracy = hybrids_of([0.9, 0.9, 0.9, 0.1], [0.1, 0.9, 0.9, 0.5])
    choice = recommend(["good", "quick"], accuracy, np.array([[9.0, 9.0], [1.0, 1.0]]))
    assert choice.candidates[1].behind.low <= 0
    assert choice.recommended == "good"


def test_a_failure_counts_as_nothing_found():
    accuracy = hybrids_of([0.6, 0.6], [0.9, np.nan])
    choice = recommend(["steady", "shaky"], accuracy, np.ones((2, 2)))
    assert choice.recommended == "steady"
    assert choice.candidates[1].n_failed == 1
    with pytest.raises(BadInput, match="every sorter failed"):
        recommend(["a"], np.full((1, 1, 1), np.nan), np.array([[np.nan]]))


def test_stand_ins_are_told_apart_on_a_recording(home):
    traces = np.random.default_rng(0).normal(0, 10, (40_000, 4)).astype(np.float32)
    positions = np.array([[0.0, 25.0 * i] for i in range(4)])
    recording = ArrayRecording(
        traces=traces, sampling_rate_hz=RATE_HZ, geometry=Geometry(positions_um=positions)
    )
    lines = []
    choice = choose_sorter(
        recording,
        ["crash", "good"],
        home,
        hybrids=Hybrids(n_units=2, seconds=3.0, n_repeats=2),
        limits=Limits(n_threads=1),
        say=lines.append,
    )
    assert choice.recommended == "good"
    assert choice.candidates[0].accuracy.mean == 1.0
    assert choice.candidates[1].n_failed == 2
    assert choice.table()[2] == ("crash", "–", "–", "–", "2")
    assert len(lines) == 4
    assert lines[0].startswith("crash, hybrid 1: failed: ")
    assert "this is why" in lines[0]
    assert {"embersort", "good", "crash"} <= set(installed_sorters(home))
    assert not {"oracle", "lupin"} & set(installed_sorters(home))
    with pytest.raises(BadInput, match="no sorter is installed"):
        choose_sorter(recording, [], home)
