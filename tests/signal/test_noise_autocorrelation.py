"""How alike the noise is to itself a few samples later."""

import numpy as np
import pytest

from embersort.signal.whiten import noise_autocorrelation

N_LAGS = 20


def coloured(n_samples=60_000, n_channels=2, seed=0):
    """Moving average of three white samples: 1, 2/3, 1/3 at the first lags."""
    white = np.random.default_rng(seed).normal(size=(n_samples + 2, n_channels))
    return ((white[2:] + white[1:-1] + white[:-2]) / np.sqrt(3)).astype(np.float32)


def test_of_a_moving_average():
    found = noise_autocorrelation([coloured(seed=0), coloured(seed=1)], N_LAGS)
    expected = np.zeros(N_LAGS)
    expected[:3] = 1, 2 / 3, 1 / 3
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_spikes_have_no_say():
    traces = coloured()
    spike = -30 * np.exp(-0.5 * np.square(np.arange(-8, 9) / 3.0))
    for start in range(100, 59_000, 400):
        traces[start : start + 17, 0] += spike
    of_both = noise_autocorrelation([traces], N_LAGS)
    np.testing.assert_allclose(of_both, noise_autocorrelation([coloured()], N_LAGS), atol=0.05)


@pytest.mark.parametrize(
    "traces", [np.zeros((0, 2), "f4"), np.zeros((50, 2), "f4"), np.full((50, 2), 99, "f4")]
)
def test_where_there_is_no_noise_it_has_no_colour(traces):
    assert noise_autocorrelation([traces], 3).tolist() == [1, 0, 0]
