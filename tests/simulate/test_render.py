"""Spikes land exactly where and as large as the table says."""

from __future__ import annotations

import numpy as np
import pytest

import naive_simulate as naive
from embersort.simulate.render import SpikeTable, TemplateSet, add_spikes, grid_place


def impulses() -> TemplateSet:
    """Two units: 1 µV on channels 0 and 2, 10 µV on channel 1; one-sample templates."""
    return TemplateSet(
        values_uv=np.array([1, 2, 10], np.float32),
        value_offset=np.array([0, 2, 3]),
        channels=np.array([0, 2, 1]),
        channel_offset=np.array([0, 2, 3]),
        first_template=np.array([0, 1, 2]),
        grid_um=np.zeros(1),
        n_window=1,
        n_before=0,
    )


def spike_table(sample, template, shift=None, amplitude=None, grid=None, share=None) -> SpikeTable:
    n = len(sample)
    return SpikeTable(
        sample_index=np.array(sample, np.int64),
        template_index=np.array(template, np.int64),
        shift=np.array(shift if shift is not None else [0] * n, np.float32),
        amplitude=np.array(amplitude if amplitude is not None else [1] * n, np.float32),
        grid_index=np.array(grid if grid is not None else [0] * n, np.int64),
        grid_share=np.array(share if share is not None else [0] * n, np.float32),
    )


def test_impulses_come_back_exactly():
    traces = np.zeros((8, 3), np.float32)
    add_spikes(
        traces, 0, spike_table([1, 3, 3, 7], [0, 1, 0, 1], amplitude=[1, 0.5, 3, 1]), impulses()
    )
    expected = np.zeros((8, 3), np.float32)
    expected[1] = [1, 0, 2]
    expected[3] = [3, 5, 6]
    expected[7] = [0, 10, 0]
    assert np.array_equal(traces, expected)


def test_what_is_there_stays_and_what_is_outside_is_left_out():
    traces = np.full((4, 3), 7, np.float32)
    add_spikes(traces, 100, spike_table([99, 101, 104], [1, 1, 1]), impulses())
    expected = np.full((4, 3), 7, np.float32)
    expected[1, 1] = 17
    assert np.array_equal(traces, expected)


@pytest.fixture
def random_scene():
    rng = np.random.default_rng(5)
    n_grid, n_window = 3, 12
    locals_ = [4, 2, 5]
    templates = TemplateSet(
        values_uv=rng.standard_normal(n_grid * n_window * sum(locals_)).astype(np.float32),
        value_offset=np.cumsum([0] + [n_grid * n_window * n for n in locals_]),
        channels=np.concatenate([rng.permutation(5)[:n] for n in locals_]),
        channel_offset=np.cumsum([0, *locals_]),
        first_template=np.array([0, 1, 3]),
        grid_um=np.array([-2.0, 0.0, 2.0]),
        n_window=n_window,
        n_before=4,
    )
    n = 40
    grid_index, share = grid_place(templates.grid_um, rng.uniform(-2, 2, n))
    spikes = SpikeTable(
        sample_index=np.sort(rng.integers(0, 200, n)),
        template_index=rng.integers(0, 3, n),
        shift=rng.random(n, np.float32),
        amplitude=rng.random(n, np.float32),
        grid_index=grid_index,
        grid_share=share,
    )
    return spikes, templates


def test_kernel_equals_its_slow_twin(random_scene):
    spikes, templates = random_scene
    traces = np.zeros((200, 5), np.float32)
    add_spikes(traces, 0, spikes, templates)
    assert traces == pytest.approx(naive.add_spikes(200, 5, spikes, templates), abs=1e-5)


def test_slices_have_the_bits_of_the_whole(random_scene):
    spikes, templates = random_scene
    whole = np.zeros((200, 5), np.float32)
    add_spikes(whole, 0, spikes, templates)
    for start, stop in [(0, 1), (37, 61), (61, 200)]:
        part = np.zeros((stop - start, 5), np.float32)
        add_spikes(part, start, spikes, templates)
        assert np.array_equal(part, whole[start:stop])


def test_a_shifted_sine_is_the_later_sine():
    t = np.arange(60)
    wave = np.sin(2 * np.pi * t / 20).astype(np.float32)
    templates = TemplateSet(
        values_uv=wave,
        value_offset=np.array([0, 60]),
        channels=np.array([0]),
        channel_offset=np.array([0, 1]),
        first_template=np.array([0, 1]),
        grid_um=np.zeros(1),
        n_window=60,
        n_before=0,
    )
    traces = np.zeros((60, 1), np.float32)
    add_spikes(traces, 0, spike_table([0], [0], shift=[0.3]), templates)
    later = np.sin(2 * np.pi * (t - 0.3) / 20)
    assert traces[5:55, 0] == pytest.approx(later[5:55], abs=1e-3)


@pytest.mark.parametrize(
    ("displacement", "index", "share"), [(-4, 0, 0), (-2, 0, 0), (-1, 0, 0.5), (0, 1, 0), (2, 2, 0)]
)
def test_place_on_the_grid(displacement, index, share):
    places, shares = grid_place(np.array([-2.0, 0.0, 2.0]), np.array([displacement]))
    assert (places[0], shares[0]) == (index, share)
