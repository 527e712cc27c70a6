import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt, sosfreqz

import naive_signal
from embersort.config import FilterConfig
from embersort.errors import BadConfig
from embersort.recording import ArrayRecording
from embersort.signal.filter import bandpass, check_settling, design_bandpass, settle_samples
from embersort.signal.tiles import Tile, read_with_margin
from embersort.types import Geometry

RATE_HZ = 30_000.0


def noise(n_samples, n_channels=3, seed=0):
    return np.random.default_rng(seed).normal(0, 20, (n_samples, n_channels)).astype("f4")


def recording(traces, rate_hz=RATE_HZ):
    places = np.column_stack([np.zeros(traces.shape[1]), 25.0 * np.arange(traces.shape[1])])
    return ArrayRecording(
        traces=traces, sampling_rate_hz=rate_hz, geometry=Geometry(positions_um=places)
    )


def filtered(traces, start, stop, rate_hz):
    sos = design_bandpass(FilterConfig(), rate_hz)
    margin = settle_samples(sos)
    tile = Tile(index=0, start=start, stop=stop)
    padded = read_with_margin(recording(traces, rate_hz), tile, margin)
    return bandpass(padded, sos)[margin : len(padded) - margin]


def scipys(traces, rate_hz):
    sos = design_bandpass(FilterConfig(), rate_hz)
    return sosfiltfilt(sos, traces.astype("f8"), axis=0, padlen=settle_samples(sos))


@pytest.mark.parametrize("rate_hz", [10_000.0, 24_000.0, 30_000.0, 50_000.0])
def test_a_tile_equals_scipy_on_the_whole_recording(rate_hz):
    traces = noise(9000) + 300
    expected = scipys(traces, rate_hz)
    part = filtered(traces, 4000, 4500, rate_hz)
    assert np.abs(part - expected[4000:4500]).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(("start", "stop"), [(0, 500), (5500, 6000), (0, 6000)])
def test_the_ends_of_the_recording_equal_scipy(start, stop):
    traces = noise(6000) + 300
    expected = scipys(traces, RATE_HZ)
    part = filtered(traces, start, stop, RATE_HZ)
    assert np.abs(part - expected[start:stop]).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("n_channels", [1, 3, 17])
def test_the_kernel_equals_its_twin(n_channels):
    sos = design_bandpass(FilterConfig(), RATE_HZ, order=2)
    traces = noise(400, n_channels)
    assert np.allclose(bandpass(traces, sos), naive_signal.bandpass(traces, sos), atol=1e-4)


def test_the_input_is_left_alone_and_nothing_is_shifted_in_time():
    traces = np.zeros((4001, 1), "f4")
    traces[2000] = -100
    before = traces.copy()
    out = bandpass(traces, design_bandpass(FilterConfig(), RATE_HZ))[:, 0]
    assert (traces == before).all()
    assert out.argmin() == 2000
    assert np.allclose(out, out[::-1], atol=1e-4)


def test_a_filter_has_settled_after_its_settling_time():
    sos = design_bandpass(FilterConfig(), RATE_HZ)
    n = settle_samples(sos)
    impulse = np.zeros((2 * n, 1), "f4")
    impulse[n] = 1
    out = np.abs(bandpass(impulse, sos)[:, 0])
    # A filter of third order decays a polynomial slower than its slowest pole.
    assert out[:10].max() < 1e-4 * out.max()
    assert out[n // 2] > 1e-6 * out.max()


def test_the_upper_edge_stays_below_the_nyquist_frequency():
    slow = design_bandpass(FilterConfig(high_hz=6000), 8000)
    assert (slow == design_bandpass(FilterConfig(high_hz=3600), 8000)).all()


def test_no_band_is_left():
    with pytest.raises(BadConfig, match=r"filter\.low_hz is 900.*1500 Hz.*675"):
        design_bandpass(FilterConfig(low_hz=900), 1500)


@pytest.mark.parametrize("order", range(1, 9))
@pytest.mark.parametrize(
    ("low_hz", "high_hz", "rate_hz"), [(300, 6000, 30_000), (900, 1200, 20_000), (5, 3500, 8_000)]
)
def test_the_design_is_scipys(order, low_hz, high_hz, rate_hz):
    ours = design_bandpass(FilterConfig(low_hz=low_hz, high_hz=high_hz), rate_hz, order)
    theirs = butter(order, (low_hz, high_hz), "bandpass", fs=rate_hz, output="sos")
    at_hz = np.linspace(low_hz / 4, rate_hz / 2, 500)
    response = sosfreqz(ours, at_hz, fs=rate_hz)[1]
    expected = sosfreqz(theirs, at_hz, fs=rate_hz)[1]
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(response, expected, atol=1e-6)


@pytest.mark.parametrize(
    "config", [FilterConfig(low_hz=0.01), FilterConfig(low_hz=300, high_hz=300.00001)]
)
def test_a_band_whose_filter_never_settles_is_refused(config):
    settle_s = settle_samples(design_bandpass(config, 30_000.0)) / 30_000.0
    with pytest.raises(
        BadConfig, match=r"settles after \d+ s, more than 5 s; raise filter\.low_hz"
    ):
        check_settling(config, settle_s)


def test_a_pole_that_rounds_on_to_the_circle_settles_after_a_number_of_samples():
    assert settle_samples(np.array([[1.0, 0.0, -1.0, 1.0, -2.0, 1.0]])) > 1e9
