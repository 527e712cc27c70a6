import numpy as np

from embersort.config import DetectConfig
from embersort.signal.basis import LEAST_EVENTS, height_ratios, white_is_better
from embersort.signal.detect import make_detector
from embersort.types import Geometry

LINE = Geometry(positions_um=np.stack([np.zeros(3), [0.0, 20.0, 400.0]], axis=1))
DETECTOR = make_detector(LINE, 10_000.0, DetectConfig(threshold=5))


def traces_of(*dips):
    traces = np.zeros((200, 3), "f4")
    for sample, channel, depth in dips:
        traces[sample, channel] = -depth
    return traces


def test_each_event_counts_once_with_its_height_in_either():
    plain = traces_of((50, 0, 10), (100, 2, 8), (150, 1, 2))
    # The first moves to the neighbour, the second falls below the threshold, the third rises.
    white = traces_of((52, 1, 20), (100, 2, 4), (150, 1, 6))
    assert height_ratios(plain, white, 10, DETECTOR).tolist() == [2, 0.5, 3]
    assert height_ratios(white, plain, 10, DETECTOR).tolist() == [0.5, 1 / np.float32(3), 2]


def test_what_is_outside_the_zone_is_another_event():
    plain, white = traces_of((50, 0, 10)), traces_of((50, 2, 10))
    assert height_ratios(plain, white, 10, DETECTOR).tolist() == [0, np.inf]


def test_white_traces_are_looked_at_where_the_typical_event_is_much_higher():
    def of(ratio):
        return white_is_better(np.full(LEAST_EVENTS, ratio))

    assert of(1.2)
    assert not of(1.05)
    assert not of(0.8)
    assert not white_is_better(np.full(LEAST_EVENTS - 1, 3.0))
    # A few events that are far higher are not the typical one.
    assert not white_is_better(np.repeat([9.0, 0.9], [LEAST_EVENTS, LEAST_EVENTS + 1]))
