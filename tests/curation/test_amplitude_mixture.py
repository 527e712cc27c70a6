"""Crowds of strangers at the least scale of a weak unit, drawn from known mixtures."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import truncnorm

from embersort.curation import amplitude_mixture
from embersort.curation.amplitude_mixture import (
    Mixture,
    contamination_cut,
    fit,
    low_amplitude_contamination,
)
from embersort.curation.attenuation import UnitMatches

RATE_HZ = 10_000
DURATION = 300 * RATE_HZ
LEAST = 0.7
NORM = 12.0
"""Of the template of a weak unit, in units of the noise."""


def drawn(n_own, n_foreign_steps, seed=0, *, mean=0.98, sd=0.1, length=0.04):
    """Scales of own spikes, then of strangers; both from the least scale on."""
    rng = np.random.default_rng(seed)
    low = (LEAST - mean) / sd
    own = truncnorm.rvs(low, np.inf, mean, sd, size=n_own, random_state=rng)
    return np.concatenate([own, LEAST + rng.exponential(length, n_foreign_steps)])


def train(scaling, *, norm=NORM, sample=None, seed=1):
    """A unit's matches at random times."""
    rng = np.random.default_rng(seed)
    if sample is None:
        sample = rng.permutation(np.sort(rng.choice(DURATION, len(scaling), replace=False)))
    order = np.argsort(sample, kind="stable")
    scaling = np.asarray(scaling, "f4")[order]
    return UnitMatches(
        sample_index=np.asarray(sample)[order],
        scaling=scaling,
        decrease=np.float32(norm**2) * scaling**2,
        duration_samples=DURATION,
        sampling_rate_hz=RATE_HZ,
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_at_the_least_scale_is_taken_away_and_the_units_own_stay(seed):
    scaling = drawn(800, 150, seed)
    foreign = low_amplitude_contamination(some := train(scaling))
    is_strange = np.isin(some.scaling, np.asarray(scaling[800:], "f4"))
    assert foreign[is_strange].mean() > 0.8
    assert foreign[~is_strange].mean() < 0.04


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mean", [0.8, 0.9, 1.0])
def test_a_unit_without_strangers_loses_nothing_wherever_the_least_scale_cuts_it(seed, mean):
    some = train(drawn(1000, 0, seed, mean=mean))
    assert not low_amplitude_contamination(some).any()


def test_strangers_are_no_larger_than_small_neurons_are():
    scaling = drawn(800, 150, length=0.03)
    assert not low_amplitude_contamination(train(scaling, norm=20.0)).any()


def test_few_matches_say_nothing():
    assert not low_amplitude_contamination(train(drawn(30, 15))).any()
    # A crowd so narrow would show, were there a few more.
    assert not low_amplitude_contamination(train(drawn(33, 15, length=0.01))).any()
    assert low_amplitude_contamination(train(drawn(66, 30, length=0.01))).any()
    assert not low_amplitude_contamination(train(np.zeros(0))).any()


@pytest.mark.filterwarnings("error")
def test_matches_of_one_size_or_worth_nothing_have_no_strangers():
    assert not low_amplitude_contamination(train(np.full(100, 0.8))).any()
    assert not low_amplitude_contamination(train(np.full(100, 0.8), norm=0.0)).any()


def test_more_strangers_than_can_be_told_from_the_unit_stay():
    assert not low_amplitude_contamination(train(drawn(300, 300))).any()
    # Not even where they could be told.
    assert not low_amplitude_contamination(
        train(drawn(300, 220, mean=1.0, sd=0.08, length=0.01))
    ).any()


def test_above_a_scale_all_are_the_units_own():
    # A crowd that reaches higher, since the least scale is higher.
    rng = np.random.default_rng(0)
    scaling = np.concatenate([rng.normal(1.05, 0.07, 400), 0.77 + rng.exponential(0.03, 80)])
    assert not low_amplitude_contamination(train(scaling[scaling > 0.77])).any()


@pytest.mark.parametrize(("lag", "kept"), [(5 * RATE_HZ // 1000, True), (RATE_HZ // 2, False)])
def test_small_spikes_soon_after_others_are_the_units_own(lag, kept):
    scaling = drawn(300, 60)
    large = np.arange(300) * RATE_HZ
    some = train(scaling, sample=np.concatenate([large, large[::5] + lag]))
    assert low_amplitude_contamination(some).any() != kept


def test_the_constant_switches_it_off(monkeypatch):
    monkeypatch.setattr(amplitude_mixture, "MIN_EVIDENCE", 1e9)
    assert not low_amplitude_contamination(train(drawn(800, 150))).any()


def test_the_densities_are_of_one_spike_in_all():
    made = Mixture(least=LEAST, share=0.2, length=0.05, mean=0.8, sd=0.15)

    def both(x):
        return np.exp(np.logaddexp(*made.log_densities(np.array([x]))))[0]

    assert quad(both, LEAST, 3)[0] == pytest.approx(1, abs=1e-6)


def test_the_fit_is_as_likely_as_the_best_that_a_general_optimiser_finds():
    scaling = drawn(600, 120)
    found = fit(scaling, 0.15, 0.05)
    least = float(scaling.min())

    def loss(p):
        share, length, mean, sd = 1 / (1 + np.exp(-p[0])), np.exp(p[1]), p[2], np.exp(p[3])
        length = min(max(length, 0.01), 0.05)
        made = Mixture(least=least, share=share, length=length, mean=mean, sd=max(sd, 0.05))
        return -made.log_likelihood(scaling)

    best = minimize(loss, [-1.5, -3.0, 1.0, -2.0], method="Nelder-Mead", options={"maxiter": 4000})
    assert found.log_likelihood(scaling) > -best.fun - 0.5


def test_one_part_alone_finds_the_mean_and_spread_that_the_least_scale_hides():
    alone = fit(drawn(20_000, 0, mean=0.75, sd=0.12), 0.0, 0.01)
    assert alone.share == 0
    assert alone.mean == pytest.approx(0.75, abs=0.03)
    assert alone.sd == pytest.approx(0.12, abs=0.015)


def test_many_matches_are_thinned_before_they_are_looked_at():
    scaling = np.tile(drawn(800, 150), 20)
    assert 0.7 < contamination_cut(scaling, NORM**2 * scaling**2) < 0.85
