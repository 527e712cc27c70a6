"""A neuron of a dozen spikes beside one of hundreds."""

import numpy as np

import field_scenes as scenes
from embersort.evaluation.comparison import compare
from embersort.sorting import sort
from sortings import sorting_of

SECONDS = 40
N_RARE = 16


def test_a_dozen_spikes_of_one_shape_are_a_unit():
    rng, positions_um = np.random.default_rng(3), scenes.column(8)
    traces = scenes.noise(rng, SECONDS * scenes.RATE_HZ, positions_um)
    trains = [scenes.train(rng, rate, 0, SECONDS) for rate in (15, 12)]
    rare = np.round(np.linspace(1, SECONDS - 1, N_RARE) * scenes.RATE_HZ).astype(np.int64)
    for place, height, width, samples in [
        ((8, 70), 150, 0.12, trains[0]),
        ((8, 120), 190, 0.11, trains[1]),
        ((8, 85), 125, 0.12, rare),
    ]:
        wave = scenes.template(positions_um, place, height, width)
        scenes.add(rng, traces, wave, samples)
    result = sort(scenes.recording_of(traces, positions_um))
    truth = sorting_of(*trains, rare, n_samples=len(traces), rate_hz=scenes.RATE_HZ)
    assert (compare(truth, result.sorting).accuracy > 0.8).all()
