"""Time left: each sorter's own mean, side by side."""

import pytest

from embersort.benchmark.progress import Timing, say_duration, time_left_s

KNOWN = [
    Timing(sorter="slow", wall_s=100.0),
    Timing(sorter="slow", wall_s=300.0),
    Timing(sorter="quick", wall_s=2.0),
]


def test_a_job_counts_as_its_sorters_mean_or_as_that_of_all():
    assert time_left_s(["slow", "quick", "quick"], KNOWN, 1) == pytest.approx(204.0)
    assert time_left_s(["slow", "quick", "quick"], KNOWN, 2) == pytest.approx(102.0)
    assert time_left_s(["new"], KNOWN, 1) == pytest.approx(134.0)
    assert time_left_s([], KNOWN, 1) == 0.0
    assert time_left_s(["new"], [], 1) is None


def test_durations_for_people():
    said = [say_duration(seconds) for seconds in (0.4, 99.0, 101.0, 5999.0, 9000.0)]
    assert said == ["0 s", "99 s", "2 min", "100 min", "2.5 h"]
