"""Measures for curators, and suggested merges, against what can be worked out by hand."""

import dataclasses

import numpy as np
import pytest

import sortings
from embersort.quality.curators import amplitude_cutoff, d_prime, isi_violations_ratio
from embersort.quality.pairs import coincidences, likeness, merge_candidates
from embersort.types import Geometry, SortResult, Templates

RATE_HZ = 10_000.0


def sorting_of(*trains, n_samples=1_000_000):
    return sortings.sorting_of(*trains, n_samples=n_samples, rate_hz=RATE_HZ)


def test_isi_violations_ratio_by_hand():
    # 100 s; one of three intervals is short.
    sorting = sorting_of([0, 10, 5000, 9000], [100], [])
    ratio = isi_violations_ratio(sorting)
    assert np.isnan(ratio[1:]).all()
    from embersort.quality.curators import VIOLATION_MS

    assert ratio[0] == pytest.approx(1 * 100 / (2 * VIOLATION_MS * 1e-3 * 4**2))


def test_isi_violations_ratio_of_random_spikes_is_a_half():
    rng = np.random.default_rng(0)
    # 10 Hz, so that hardly any violation hides another.
    train = np.sort(rng.integers(0, 100_000_000, 100_000))
    ratio = isi_violations_ratio(sorting_of(train, n_samples=100_000_000))[0]
    assert ratio == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("cut", [-3.0, -0.5, 0.0])
def test_missed_share_of_a_cut_normal_histogram(cut):
    rng = np.random.default_rng(1)
    heights = rng.normal(10, 1, 100_000)
    kept = heights[heights > 10 + cut]
    missed, mode = amplitude_cutoff(kept)
    true_share = np.mean(heights <= 10 + cut) / len(kept) * len(heights)
    # What is missed, as a share of what is there; at most half of the neuron's spikes.
    assert missed == pytest.approx(min(true_share, 0.5), abs=0.08)
    assert mode == pytest.approx(10, abs=0.3)


def test_a_few_spikes_have_no_cutoff():
    assert np.isnan(amplitude_cutoff(np.ones(49))[0])
    assert np.isnan(amplitude_cutoff(np.ones(500))[0])


def test_d_prime_of_normal_clouds_is_their_distance():
    rng = np.random.default_rng(2)
    one = rng.normal(0, 1, (20_000, 3))
    other = rng.normal([4, 0, 0], 1, (20_000, 3))
    assert d_prime(one, other) == pytest.approx(4, abs=0.1)
    # Turning and scaling the space changes nothing of note.
    assert d_prime(3 * one[:, ::-1], 3 * other[:, ::-1]) == pytest.approx(4, abs=0.1)
    assert np.isnan(d_prime(one[:1], other))


def test_coincidences_against_every_pair():
    rng = np.random.default_rng(3)
    one, other = (np.sort(rng.integers(0, 4000, 200)) for _ in range(2))
    lag_ms = np.abs(one[:, None] - other[None]) / RATE_HZ * 1e3
    expected = int(((lag_ms > 0.3) & (lag_ms <= 2.0)).sum())
    assert coincidences(one, other, RATE_HZ) == pytest.approx(expected, abs=0)


def three_units(shift=0, seed=4):
    """Units 0 and 1 share a template and a refractory period; unit 2 shares the template alone."""
    rng = np.random.default_rng(seed)
    whole = np.cumsum(rng.integers(60, 400, 8000))
    is_first = rng.random(len(whole)) < 0.6
    n_samples = int(whole[-1]) + 1
    free = np.sort(rng.integers(0, n_samples, 4000))
    wave = np.zeros((3, 40, 2), np.float32)
    wave[:, 15:20, 0] = -100
    wave[1] = np.roll(wave[1], shift, axis=0)
    sorting = sorting_of(whole[is_first], whole[~is_first], free, n_samples=n_samples)
    n = sorting.n_spikes
    return SortResult(
        sorting=sorting,
        templates=Templates(waveforms_uv=wave, n_before=15),
        geometry=Geometry(positions_um=[[0, 0], [0, 50]]),
        spike_amplitude=np.zeros(n),
        spike_probability=np.zeros(n),
        spike_position_um=np.zeros((n, 2)),
        embedding=np.zeros((n, 0)),
        unit_table={},
    )


def test_one_neuron_in_two_units_is_suggested_and_two_alike_are_not():
    (pair,) = merge_candidates(three_units())
    assert (pair.first, pair.second) == (0, 1)
    assert pair.n_coincidences == 0
    assert "100 % alike" in pair.words
    assert "0 spikes within each other's refractory period" in pair.words


def test_likeness_finds_the_lag():
    similarity, lag_ms = likeness(three_units(shift=4))
    assert similarity[0, 1] == pytest.approx(1)
    assert lag_ms[0, 1] == pytest.approx(0.4)
    assert lag_ms[1, 0] == pytest.approx(-0.4)


def test_units_apart_are_not_suggested():
    result = three_units()
    wave = np.array(result.templates.waveforms_uv)
    wave[1] = wave[1][:, ::-1]
    apart = dataclasses.replace(result, templates=Templates(waveforms_uv=wave, n_before=15))
    assert merge_candidates(apart) == []
