"""Two sessions in one file, the probe slipped by a contact's pitch between them."""

import numpy as np

import field_scenes as scenes
from embersort.evaluation.comparison import compare
from embersort.sorting import sort
from sortings import sorting_of

SLIP_S, END_S, SLIP_UM = 14.05, 29.0, 20.0
DEPTHS_UM = 30.0 + 31.4 * np.arange(8)
HEIGHTS_UV = np.linspace(90, 220, 8)
WIDTHS_MS = [0.1, 0.14, 0.11, 0.15, 0.12, 0.09, 0.13, 0.1]


def test_each_neuron_is_one_unit_over_both_sessions():
    rng, positions_um = np.random.default_rng(5), scenes.column(16)
    traces = scenes.noise(rng, int(END_S * scenes.RATE_HZ), positions_um)
    trains = []
    for depth, height, width in zip(DEPTHS_UM, HEIGHTS_UV, WIDTHS_MS, strict=True):
        parts = []
        for start, stop, slip in [(0, SLIP_S, 0.0), (SLIP_S, END_S, SLIP_UM)]:
            parts.append(scenes.train(rng, 10, start, stop))
            wave = scenes.template(positions_um, (8, depth + slip), height, width)
            scenes.add(rng, traces, wave, parts[-1])
        trains.append(np.concatenate(parts))
    result = sort(scenes.recording_of(traces, positions_um))
    truth = sorting_of(*trains, n_samples=len(traces), rate_hz=scenes.RATE_HZ)
    assert (compare(truth, result.sorting).accuracy > 0.985).all()
