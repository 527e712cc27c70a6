import numpy as np
import pytest

import naive_signal
from embersort.config import DetectConfig, FilterConfig
from embersort.signal.detect import detect, make_detector
from embersort.signal.filter import bandpass, design_bandpass
from embersort.types import Geometry

LINE = Geometry(positions_um=np.column_stack([np.zeros(4), [0.0, 20.0, 40.0, 200.0]]))
RATE_HZ = 10_000.0


def events(scaled, margin=4, geometry=LINE, **settings):
    detector = make_detector(geometry, RATE_HZ, DetectConfig(**settings))
    found = detect(np.asarray(scaled, "f4"), margin, detector)
    return list(zip(found.sample_index.tolist(), found.channel_index.tolist(), strict=True))


def scene(*dips, n_samples=100):
    traces = np.zeros((n_samples, 4), "f4")
    for t, c, depth in dips:
        traces[t, c] = -depth
    return traces


def test_impulses_come_back_exactly():
    dips = [(10, 0, 6.0), (30, 2, 20.0), (30, 3, 7.0), (31, 3, 5.5), (60, 1, 5.0), (95, 1, 9.0)]
    detector = make_detector(LINE, RATE_HZ, DetectConfig(threshold=5))
    found = detect(scene(*dips), 4, detector)
    assert found.sample_index.tolist() == [10, 30, 30, 60, 95]
    assert found.channel_index.tolist() == [0, 2, 3, 1, 1]
    assert found.amplitude.tolist() == [-6.0, -20.0, -7.0, -5.0, -9.0]


def test_the_deeper_hides_the_shallower_within_its_zone_alone():
    # 0.4 ms are 4 samples; 80 µm reach from channel 0 to channel 2 but not to channel 3.
    assert events(scene((50, 0, 9), (54, 2, 8))) == [(50, 0)]
    assert events(scene((50, 0, 9), (55, 2, 8))) == [(50, 0), (55, 2)]
    assert events(scene((50, 0, 9), (50, 3, 8))) == [(50, 0), (50, 3)]


def test_of_equal_troughs_the_earlier_then_the_lower_channel_stands():
    assert events(scene((50, 2, 8), (52, 0, 8))) == [(50, 2)]
    assert events(scene((50, 2, 8), (50, 1, 8))) == [(50, 1)]


def test_peaks_and_small_troughs_are_no_events():
    traces = scene((50, 0, 4.29))
    traces[70, 1] = 30
    assert events(traces) == []


def test_the_margin_rules_but_is_not_reported():
    assert events(scene((3, 0, 9), (50, 0, 9), (97, 0, 9))) == [(50, 0)]
    assert events(scene((3, 0, 9), (6, 0, 7))) == []


def test_shanks_do_not_hide_each_other():
    two = Geometry(positions_um=np.arange(8.0).reshape(4, 2), shank_index=[0, 0, 1, 1])
    dips = scene((50, 0, 9), (50, 1, 8), (50, 2, 7))
    assert events(dips, geometry=two) == [(50, 0), (50, 2)]


@pytest.mark.parametrize("seed", range(3))
def test_the_kernel_equals_its_twin(seed):
    rng = np.random.default_rng(seed)
    # Rounded, so that ties occur.
    traces = np.round(rng.normal(0, 2, (150, 4))).astype("f4")
    expected = naive_signal.troughs(traces, 5, 3.0, 4, LINE.distances_um(), 80.0)
    assert events(traces, margin=5, threshold=3) == expected
    assert expected


def test_a_shift_in_time_shifts_the_events():
    traces = np.random.default_rng(5).normal(0, 2, (300, 4)).astype("f4")
    early, late = events(traces[:200], threshold=3), events(traces[50:250], threshold=3)
    both = [(t, c) for t, c in early if 54 <= t < 196]
    assert both == [(t + 50, c) for t, c in late if 4 <= t < 146]
    assert both


def test_filtered_impulses_come_back_exactly():
    rng = np.random.default_rng(1)
    sample = np.sort(rng.choice(np.arange(10, 290), 60, replace=False)) * 100
    channel = rng.integers(0, 4, 60)
    traces = np.zeros((30_000, 4), "f4")
    traces[sample, channel] = -100
    filtered = bandpass(traces, design_bandpass(FilterConfig(), 30_000.0))
    depth = -filtered.min()
    detector = make_detector(LINE, 30_000.0, DetectConfig(threshold=5))
    found = detect(filtered * (10 / depth), 100, detector)
    assert (found.sample_index == sample).all()
    assert (found.channel_index == channel).all()


def test_less_than_the_margins_holds_no_event():
    assert events(np.full((6, 4), -9.0)) == []
