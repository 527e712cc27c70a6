"""Noise of muscles, the same on all wires and several times higher than what each has alone."""

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

import field_scenes as scenes
from embersort.evaluation.comparison import compare
from embersort.recording import ArrayRecording
from embersort.sorting import sort
from embersort.types import Geometry
from sortings import sorting_of

SECONDS = 20
FOUR_WIRES_UM = scenes.column(4)
HEIGHTS_UV = [110, 140, 180]
WIDTHS_MS = [0.13, 0.1, 0.12]


def muscles(rng, n_samples, height_uv):
    slow = butter(2, [200, 1500], "band", fs=scenes.RATE_HZ, output="sos")
    shared = sosfiltfilt(slow, rng.standard_normal(n_samples))
    return height_uv * shared[:, None] / shared.std()


@pytest.mark.parametrize(("n_groups", "gain_spread"), [(1, 0.0), (3, 0.1)])
def test_what_all_wires_share_hides_no_neuron(n_groups, gain_spread):
    rng = np.random.default_rng(11)
    n_samples = SECONDS * scenes.RATE_HZ
    groups, trains = [], []
    for _ in range(n_groups):
        traces = scenes.noise(rng, n_samples, FOUR_WIRES_UM)
        for place, height, width in zip([2, 35, 58], HEIGHTS_UV, WIDTHS_MS, strict=True):
            trains.append(scenes.train(rng, 8, 0, SECONDS))
            wave = scenes.template(FOUR_WIRES_UM, (9, place), height, width)
            scenes.add(rng, traces, wave, trains[-1])
        groups.append(traces)
    traces = np.concatenate(groups, axis=1)
    gains = 1 + gain_spread * rng.standard_normal(traces.shape[1])
    traces += muscles(rng, n_samples, 70) * gains
    geometry = Geometry(
        positions_um=np.concatenate(
            [FOUR_WIRES_UM + np.array([300 * i, 0]) for i in range(n_groups)]
        ),
        shank_index=np.repeat(np.arange(n_groups), 4),
    )
    result = sort(
        ArrayRecording(
            traces=traces.astype("f4"), sampling_rate_hz=scenes.RATE_HZ, geometry=geometry
        )
    )
    truth = sorting_of(*trains, n_samples=n_samples, rate_hz=scenes.RATE_HZ)
    assert (compare(truth, result.sorting).accuracy > 0.95).all()
    assert result.sorting.n_units <= len(trains) + 1
