import numpy as np
import pytest

from embersort.simulate.probes import ProbeConfig, build_geometry
from embersort.sorting import sort

RATE_HZ = 30_000
N_SAMPLES = 30 * RATE_HZ


def white(n_channels, seed):
    rng = np.random.default_rng(seed)
    return 10 * rng.standard_normal((N_SAMPLES, n_channels), dtype="f4")


def correlated(n_channels, seed):
    places = geometry(n_channels).positions_um
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    mixing = np.linalg.cholesky(np.exp(-distance / 40) + 0.05 * np.eye(n_channels))
    return white(n_channels, seed) @ mixing.T.astype("f4")


def geometry(n_channels):
    kind = "tetrode" if n_channels == 4 else "columns"
    return build_geometry(ProbeConfig(kind=kind, n_channels=n_channels))


@pytest.mark.parametrize("noise", [white, correlated])
@pytest.mark.parametrize("n_channels", [4, 32])
def test_noise_alone_gives_no_units(noise, n_channels):
    result = sort(
        noise(n_channels, seed=n_channels),
        sampling_rate_hz=RATE_HZ,
        positions_um=geometry(n_channels).positions_um,
    )
    assert result.sorting.n_units == 0
    assert result.sorting.n_spikes == 0
    assert result.templates.waveforms_uv.shape == (0, 75, n_channels)
