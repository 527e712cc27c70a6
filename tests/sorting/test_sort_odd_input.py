import numpy as np
import pytest

from embersort.errors import BadConfig, BadInput
from embersort.recording import ArrayRecording
from embersort.sorting import sort
from embersort.types import Geometry

RATE_HZ = 30_000


def line(n_channels):
    return np.column_stack([np.zeros(n_channels), 25.0 * np.arange(n_channels)])


def noise(n_samples, n_channels, seed=0):
    return np.random.default_rng(seed).normal(0, 10, (n_samples, n_channels)).astype("f4")


def with_spikes(traces, channel, depth_uv=200, every=600, first=100, reach=0.5):
    """Add troughs of a third of a millisecond on a channel and, smaller, on its neighbours."""
    t = np.arange(-15, 30)
    wave = -np.exp(-0.5 * (t / 4) ** 2) + 0.3 * np.exp(-0.5 * ((t - 14) / 7) ** 2)
    rng = np.random.default_rng(channel)
    spikes = np.arange(first, len(traces) - every // 3 - 30, every)
    spikes = spikes + rng.integers(0, every // 3, len(spikes))
    profile = reach ** np.abs(np.arange(traces.shape[1]) - channel)
    for spike in spikes:
        traces[spike - 15 : spike + 30] += (depth_uv * wave[:, None] * profile).astype("f4")
    return spikes


def sorted_line(traces, **settings):
    return sort(
        ArrayRecording(
            traces=traces,
            sampling_rate_hz=RATE_HZ,
            geometry=Geometry(positions_um=line(traces.shape[1]), **settings),
        )
    ).sorting


def assert_found(sorting, trains):
    assert sorting.n_units == len(trains)
    for train in trains:
        assert any(
            len(found) == len(train) and np.abs(found - train).max() <= 1
            for found in sorting.trains()
        )


def test_one_channel():
    traces = noise(6 * RATE_HZ, 1)
    spikes = with_spikes(traces, 0)
    assert_found(sorted_line(traces), [spikes])


def test_an_array_of_one_axis_is_one_channel():
    traces = noise(6 * RATE_HZ, 1)
    spikes = with_spikes(traces, 0)
    assert_found(sort(traces[:, 0], sampling_rate_hz=RATE_HZ).sorting, [spikes])


def test_two_shanks_are_sorted_apart():
    traces = noise(6 * RATE_HZ, 8)
    # Their spikes often overlap, at either side of the border between the shanks.
    spikes = [
        with_spikes(traces, channel, first=first, reach=0.02)
        for channel, first in ((3, 100), (4, 110))
    ]
    sorting = sorted_line(traces, shank_index=np.repeat([0, 1], 4))
    assert_found(sorting, spikes)


def test_no_spikes_give_a_result_without_units():
    sorting = sorted_line(noise(2 * RATE_HZ, 4))
    assert (sorting.n_units, sorting.n_spikes, sorting.n_samples) == (0, 0, 2 * RATE_HZ)


@pytest.mark.parametrize("n_samples", [1, 2, 30, 6000])
@pytest.mark.parametrize("n_channels", [1, 8])
def test_recordings_too_short_to_sort(n_samples, n_channels):
    sorting = sorted_line(noise(n_samples, n_channels))
    assert (sorting.n_units, sorting.n_samples) == (0, n_samples)


def test_a_fifth_of_a_second_full_of_spikes():
    traces = noise(6000, 4)
    spikes = with_spikes(traces, 1, every=300)
    assert_found(sorted_line(traces), [spikes])


def test_no_samples_at_all_are_refused():
    with pytest.raises(BadInput, match="no samples"):
        sorted_line(np.zeros((0, 4), "f4"))


def test_channels_of_zeros_do_not_disturb_the_others(caplog):
    traces = noise(6 * RATE_HZ, 6)
    spikes = with_spikes(traces, 2)
    traces[:, [0, 4]] = 0
    assert_found(sorted_line(traces), [spikes])
    assert "2 of 6 channels are left out" in caplog.text


def test_zeros_alone_give_no_units():
    assert sorted_line(np.zeros((RATE_HZ, 4), "f4")).n_units == 0


def test_values_that_are_no_numbers_do_not_disturb_the_others(caplog):
    traces = noise(6 * RATE_HZ, 4)
    spikes = with_spikes(traces, 1)
    traces[450:470, 3] = np.nan
    traces[90_000, 0] = np.inf
    sorting = sorted_line(traces)
    assert "NaN, infinite or beyond" in caplog.text
    main = max(sorting.trains(), key=len)
    assert np.isin(main, spikes + np.array([[-1], [0], [1]])).all()
    assert len(main) >= len(spikes) - 2


def test_spikes_at_the_very_ends_are_found():
    traces = noise(6 * RATE_HZ, 4)
    spikes = with_spikes(traces, 1, first=100, every=600)
    cut = traces[spikes[0] - 20 : spikes[-1] + 30]
    assert_found(sorted_line(cut), [spikes - spikes[0] + 20])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "sampling_rate_hz="),
        ({"sampling_rate_hz": RATE_HZ}, "4 channels need positions"),
        ({"sampling_rate_hz": RATE_HZ, "positions_um": line(3)}, "4|3"),
        ({"sampling_rate_hz": RATE_HZ, "positions_um": "linear"}, "array of numbers"),
        ({"sampling_rate_hz": RATE_HZ, "positions_um": [[0], [1, 2]]}, "array of numbers"),
        ({"sampling_rate_hz": RATE_HZ, "positions_um": 1e300 * line(4)}, "give positions in µm"),
        ({"sampling_rate_hz": "30 kHz", "positions_um": line(4)}, "'30 kHz' is not a number"),
    ],
)
def test_an_array_that_is_not_described_is_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        sort(noise(1000, 4), **settings)


def test_settings_that_are_no_config_are_refused():
    with pytest.raises(BadConfig, match=r"config is a dict.*SortConfig\.parse"):
        sort(noise(1000, 1), {"detect": {"threshold": 4}}, sampling_rate_hz=RATE_HZ)


def test_sixteen_copies_of_one_channel_leave_nothing_to_sort(caplog):
    traces = noise(RATE_HZ, 1)
    with_spikes(traces, 0)
    assert sorted_line(np.repeat(traces, 16, axis=1)).n_units == 0
    assert "16 of 16 channels are left out" in caplog.text
