"""When each unit fires."""

from __future__ import annotations

from typing import Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from embersort.config import Config
from embersort.errors import BadInput

MAX_BURST_SPIKES = 4
RATE_GRID_S = 0.1
"""Resolution at which a slowly changing rate is integrated."""


class TrainsConfig(Config):
    """Firing of the units."""

    process: Literal["poisson", "gamma", "lognormal", "file"] = "poisson"
    """Law of the intervals beyond the refractory period, or the trains of a file."""
    file: str = ""
    """For ``file``: an npz file of real trains, ``times`` in seconds one train after the other and
    ``offsets`` where each begins and the last ends. Each unit takes a stretch of one of them;
    only the refractory period is imposed."""
    gamma_shape: float = Field(2.0, gt=0)
    """Shape of ``gamma`` intervals; 1 is Poisson, larger is more regular."""
    lognormal_sigma: float = Field(1.0, gt=0)
    """Standard deviation of the log of ``lognormal`` intervals."""
    rate_min_hz: float = Field(5.0, gt=0)
    """Smallest mean rate."""
    rate_max_hz: float = Field(10.0, gt=0, le=200)
    """Largest mean rate."""
    rate_law: Literal["uniform", "lognormal"] = "uniform"
    """``lognormal``: the range holds the middle 95 % and is clipped to."""
    refractory_ms: float = Field(2.0, ge=0, le=20)
    """Shortest interval of a unit, bursts included."""
    bursting_share: float = Field(0.0, ge=0, le=1)
    """Share of the units that burst."""
    burst_probability: float = Field(0.3, ge=0, le=1)
    """Probability that a spike of a bursting unit starts a burst."""
    burst_min_interval_ms: float = Field(2.5, gt=0)
    """Shortest interval within a burst."""
    burst_max_interval_ms: float = Field(15.0, gt=0)
    """Longest interval within a burst."""
    rate_change: float = Field(0.0, ge=0, le=1)
    """Depth of the slow rise and fall of each unit's rate; 1 falls silent at times."""
    rate_change_s: float = Field(60.0, gt=0)
    """Period of that rise and fall."""
    synchrony: float = Field(0.0, ge=0, le=1)
    """Share of each unit's spikes that come in volleys which all units share."""
    synchrony_jitter_ms: float = Field(1.0, ge=0)
    """Standard deviation of the spikes of a volley."""

    @model_validator(mode="after")
    def _ordered(self) -> TrainsConfig:
        if self.rate_max_hz < self.rate_min_hz:
            raise ValueError("rate_max_hz is less than rate_min_hz")
        if self.burst_max_interval_ms < self.burst_min_interval_ms:
            raise ValueError("burst_max_interval_ms is less than burst_min_interval_ms")
        if self.refractory_ms * 1e-3 * self.rate_max_hz >= 0.8:
            raise ValueError("refractory_ms leaves no room for rate_max_hz")
        return self


def draw_trains(
    config: TrainsConfig, n_units: int, duration_s: float, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Draw the spike times of every unit.

    Parameters
    ----------
    n_units : int
    duration_s : float
    rng : numpy.random.Generator
        One stream per unit is spawned from it, so a unit's train does not depend on the others
        (volleys apart).

    Returns
    -------
    list of n_units ndarrays, float64
        Times in seconds, increasing, within [0, duration_s), no interval below the refractory
        period.

    Raises
    ------
    BadInput
        If the file of ``process = "file"`` cannot be used.

    Notes
    -----
    O(number of spikes).
    """
    if config.process == "file":
        return _trains_of_file(config, n_units, duration_s, rng)
    volley_rng, *unit_rngs = rng.spawn(n_units + 1)
    rates_hz = _draw_rates(config, n_units, volley_rng)
    n_volleys = volley_rng.poisson(rates_hz.mean() * duration_s) if n_units else 0
    volleys_s = np.sort(volley_rng.uniform(0, duration_s, n_volleys))
    is_bursting = volley_rng.random(n_units) < config.bursting_share
    return [
        _draw_train(config, rate, bursts, volleys_s, duration_s, unit_rng)
        for rate, bursts, unit_rng in zip(rates_hz, is_bursting, unit_rngs, strict=True)
    ]


def _trains_of_file(
    config: TrainsConfig, n_units: int, duration_s: float, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """Give each unit a stretch of another train while there are enough; short ones go round."""
    try:
        with np.load(config.file, allow_pickle=False) as file:
            times, offsets = file["times"].astype(np.float64), file["offsets"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"trains.file '{config.file}' holds no trains: {error}") from None
    stored = [np.sort(train) for train in np.split(times, offsets[1:-1]) if len(train) > 1]
    if not stored:
        raise BadInput(f"trains.file '{config.file}' holds no train of two spikes or more")
    order = rng.permutation(len(stored))
    trains = []
    for unit in range(n_units):
        train = stored[order[unit % len(stored)]]
        length_s = train[-1] - train[0] + np.mean(np.diff(train))
        n_rounds = int(np.ceil(duration_s / length_s)) + 1
        rounds = (train - train[0] + np.arange(n_rounds)[:, None] * length_s).ravel()
        rounds -= rng.uniform(0, length_s)
        inside = rounds[(rounds >= 0) & (rounds < duration_s)]
        trains.append(_with_refractory_period(inside, config.refractory_ms * 1e-3))
    return trains


def _draw_rates(
    config: TrainsConfig, n_units: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    if config.rate_law == "uniform":
        return rng.uniform(config.rate_min_hz, config.rate_max_hz, n_units)
    low, high = np.log(config.rate_min_hz), np.log(config.rate_max_hz)
    draws = rng.normal((low + high) / 2, (high - low) / 4, n_units)
    return np.exp(np.clip(draws, low, high))


def _draw_train(
    config: TrainsConfig,
    rate_hz: float,
    is_bursting: bool,
    volleys_s: NDArray[np.float64],
    duration_s: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    own_share = 1 - config.synchrony
    spikes_per_event = 1.0
    if is_bursting:
        spikes_per_event += config.burst_probability * MAX_BURST_SPIKES / 2
    event_rate_hz = rate_hz * own_share / spikes_per_event
    times = _renewal(config, event_rate_hz, duration_s, rng) if event_rate_hz > 0 else np.zeros(0)
    if config.rate_change > 0:
        times = _with_changing_rate(config, times, duration_s, rng)
    if is_bursting:
        times = _with_bursts(config, times, rng)
    if config.synchrony > 0 and len(volleys_s):
        share = min(1.0, rate_hz * config.synchrony * duration_s / len(volleys_s))
        joined = volleys_s[rng.random(len(volleys_s)) < share]
        jitter = rng.normal(0, config.synchrony_jitter_ms * 1e-3, len(joined))
        times = np.concatenate([times, joined + jitter])
    times = np.sort(times)
    times = times[(times >= 0) & (times < duration_s)]
    return _with_refractory_period(times, config.refractory_ms * 1e-3)


def _renewal(
    config: TrainsConfig, rate_hz: float, duration_s: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a renewal process whose intervals are the dead time plus a random part."""
    dead_s = config.refractory_ms * 1e-3
    free_s = 1 / rate_hz - dead_s
    n_draws = int(duration_s * rate_hz * 1.3 + 10 * np.sqrt(duration_s * rate_hz) + 20)
    if config.process == "poisson":
        free = rng.exponential(free_s, n_draws)
    elif config.process == "gamma":
        free = rng.gamma(config.gamma_shape, free_s / config.gamma_shape, n_draws)
    else:
        sigma = config.lognormal_sigma
        free = rng.lognormal(np.log(free_s) - sigma**2 / 2, sigma, n_draws)
    times = np.cumsum(free + dead_s)
    # The process runs already when the recording begins.
    return times - rng.uniform(0, 1 / rate_hz)


def _with_changing_rate(
    config: TrainsConfig, times_s: NDArray[np.float64], duration_s: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Stretch time so that the rate is 1 + depth · sin(2πt/period + phase) of its mean."""
    grid_s = np.linspace(0, duration_s, int(duration_s / RATE_GRID_S) + 2)
    angle = 2 * np.pi * grid_s / config.rate_change_s + rng.uniform(0, 2 * np.pi)
    intensity = 1 + config.rate_change * np.sin(angle)
    grown = np.concatenate([[0], np.cumsum((intensity[1:] + intensity[:-1]) / 2)])
    grown *= duration_s / grown[-1]
    inside = (times_s >= 0) & (times_s < duration_s)
    return np.interp(times_s[inside], grown, grid_s)


def _with_bursts(
    config: TrainsConfig, times_s: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Let some spikes be followed by one to three more at short, log-uniform intervals."""
    starts = rng.random(len(times_s)) < config.burst_probability
    n_more = rng.integers(1, MAX_BURST_SPIKES, len(times_s)) * starts
    low, high = np.log(config.burst_min_interval_ms), np.log(config.burst_max_interval_ms)
    interval_s = 1e-3 * np.exp(rng.uniform(low, high, len(times_s)))
    followers = [(times_s + k * interval_s)[n_more >= k] for k in range(1, MAX_BURST_SPIKES)]
    return np.concatenate([times_s, *followers])


def _with_refractory_period(times_s: NDArray[np.float64], dead_s: float) -> NDArray[np.float64]:
    """Drop every spike that follows a kept one too soon."""
    while len(times_s) > 1:
        too_soon = np.concatenate([[False], np.diff(times_s) < dead_s])
        # Of a run of close spikes only the first offender goes, then all is looked at again.
        too_soon[1:] &= ~too_soon[:-1]
        if not too_soon.any():
            break
        times_s = times_s[~too_soon]
    return times_s
