import numpy as np

from embersort.types import Events, Geometry
from embersort.unmixing.result import owned_bins
from embersort.unmixing.segments import Segments
from embersort.unmixing.spikes import unmixed_spikes

N_SAMPLES = 1000


def segments(samples):
    n = len(samples)
    return Segments(
        events=Events(
            sample_index=np.array(samples),
            channel_index=np.zeros(n, np.int64),
            amplitude=np.full(n, -10.0),
        ),
        values=np.zeros((n, 1, 40), np.float16),
        shift=np.zeros(n, np.float32),
        embedding=np.zeros((n, 2), np.float32),
        channels=np.array([[0]]),
        geometry=Geometry(positions_um=np.zeros((1, 2))),
        sampling_rate_hz=30_000.0,
    )


def bins(values):
    """Bins of unit 0 on channel 0 with these values (µV) at these samples."""
    labels = np.full((N_SAMPLES, 1), -1, np.int16)
    traces = np.zeros((N_SAMPLES, 1), np.float32)
    for sample, value in values.items():
        labels[sample], traces[sample] = 0, value
    return owned_bins(labels, traces, 0)


def found(samples, labels, values, least_share=0.5):
    sorting = unmixed_spikes(
        segments(samples), np.array(labels), bins(values), np.array([0]), N_SAMPLES, least_share
    )
    return sorting.sample_index.tolist()


def test_events_are_the_spikes_of_their_unit():
    assert found([100, 200, 300], [0, -1, 0], {}) == [100, 300]


def test_a_deep_trough_that_no_event_explains_is_a_spike():
    troughs = {100: -50, 300: -40, 500: -30, 501: -25, 700: -15, 800: 40}
    # Half of the median of 50 and 40 is 22.5: 500 is deep enough, 700 is not, 800 is no trough.
    assert found([100, 300], [0, 0], troughs) == [100, 300, 500]
    assert found([100, 300], [0, 0], troughs, least_share=1.0) == [100, 300]


def test_a_trough_near_a_spike_is_that_spike():
    assert found([100], [0], {100: -50, 110: -45, 120: -49}) == [100, 120]


def test_of_two_events_of_one_spike_the_first_counts():
    assert found([100, 110, 200], [0, 0, 0], {}) == [100, 200]


def test_without_spikes_there_is_no_median_to_be_near():
    assert found([], [], {500: -99}) == []
