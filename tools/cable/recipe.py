"""The recipe of the bank: kinds of cells, their membranes, and how one is made to fire."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cable.channels import (
    delayed_potassium,
    fast_potassium,
    leak,
    slow_potassium,
    sodium,
    transient_potassium,
)
from cable.morphology import Range, ShapeConfig, draw_shape
from cable.solver import CableRun, Membrane, run_cable
from cable.tree import APICAL, AXON, SOMA, Tree
from embersort.config import Config

STEP_MS = 1 / 128
RATE_HZ = 32000.0
STRIDE = round(1e3 / RATE_HZ / STEP_MS)
"""Steps per stored sample."""
REST_MV = -70.0
SETTLE_MS = 15.0
"""Time for the membrane to come to rest before the first pulse."""
PULSE_TAU_MS = 0.7
"""Time to peak of the alpha-shaped current pulses that set off the spikes."""
BEFORE_MS, AFTER_MS = 1.5, 4.0
"""Window stored about each somatic peak."""
N_BEFORE = round(BEFORE_MS * 1e-3 * RATE_HZ)
N_WINDOW = N_BEFORE + round(AFTER_MS * 1e-3 * RATE_HZ) + 1
MAX_SPIKES = 4
SPIKE_MV = -15.0
"""A soma that crosses this upwards has fired."""
FIRST_PULSES_NA = np.geomspace(0.05, 16.0, 18)
"""Heights of a lone pulse tried in turn until it fires the cell."""
BURST_FACTORS = (1.05, 1.4, 1.9, 2.6)
"""Pulse heights of a burst, as multiples of that, tried until every pulse gives one spike."""
MIN_SPIKES = 2
INITIAL_SEGMENT_UM = 50.0
"""The axon's first stretch, where sodium channels are densest."""


class KindConfig(Config):
    """One kind of cell: its shape and the ranges of its membrane's parameters.

    Densities in mS/cm², uniform draws.
    """

    family: str
    split: str
    """``train`` or ``heldout``: whole kinds are held out."""
    n_cells: int
    shape: ShapeConfig
    soma_sodium: Range = (40.0, 120.0)
    initial_sodium: Range = (150.0, 500.0)
    axon_sodium: Range = (40.0, 120.0)
    dendrite_sodium: Range = (2.0, 30.0)
    """At the soma; falls with distance."""
    dendrite_decay_um: Range = (60.0, 500.0)
    soma_potassium: Range = (5.0, 25.0)
    axon_potassium: Range = (20.0, 80.0)
    dendrite_potassium: Range = (1.0, 6.0)
    fast_potassium: Range = (0.0, 0.0)
    slow_potassium: Range = (0.0, 0.3)
    dendrite_transient: Range = (0.0, 15.0)
    leak: Range = (0.05, 0.15)
    sodium_speed: Range = (0.8, 1.6)
    potassium_speed: Range = (0.5, 1.5)
    slow_loss: Range = (0.0, 0.8)
    threshold_mv: Range = (-63.0, -55.0)
    axial_ohm_cm: Range = (80.0, 180.0)
    interval_ms: Range = Field((5.6, 10.0))
    """Interval between the pulses of a burst."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FiredCell:
    """A cell that has fired: its shape and what its spikes look like.

    Attributes
    ----------
    tree : Tree
    currents_na : ndarray, shape (n_spikes, n_window, n_compartments)
        At ``RATE_HZ``, the somatic peak at sample ``N_BEFORE``.
    soma_mv : ndarray, shape (n_spikes, n_window)
    interval_ms : float
        Interval between the spikes.
    """

    tree: Tree
    currents_na: NDArray[np.float64]
    soma_mv: NDArray[np.float64]
    interval_ms: float


def fire_cell(kind: KindConfig, rng: np.random.Generator) -> FiredCell | None:
    """Draw a cell of a kind and let it fire a burst; None if it does not fire cleanly.

    Clean: every pulse of a burst gives exactly one spike. Of a burst that fails on a later pulse
    at every height, the spikes before the failure are kept if they are two or more.
    """
    tree = draw_shape(kind.shape, rng)
    membrane = draw_membrane(kind, tree, rng)
    interval_ms = rng.uniform(*kind.interval_ms)
    threshold_na = _threshold_na(tree, membrane)
    if threshold_na is None:
        return None
    for factor in BURST_FACTORS:
        current = pulses(factor * threshold_na, interval_ms, MAX_SPIKES)
        run = run_cable(tree, membrane, current, rest_mv=REST_MV, step_ms=STEP_MS)
        peaks = spike_peaks(run.voltage_mv[:, 0])
        n_clean = _n_clean(peaks, interval_ms)
        if n_clean == MAX_SPIKES or (n_clean >= MIN_SPIKES and factor == BURST_FACTORS[-1]):
            return _cut(tree, run, peaks[:n_clean], interval_ms)
    return None


def draw_membrane(kind: KindConfig, tree: Tree, rng: np.random.Generator) -> Membrane:
    """Draw the channels of a cell and spread them over its compartments."""
    threshold = rng.uniform(*kind.threshold_mv)
    sodium_speed, potassium_speed = (
        rng.uniform(*kind.sodium_speed),
        rng.uniform(*kind.potassium_speed),
    )
    channels = (
        sodium(threshold_mv=threshold, speed=sodium_speed, slow_loss=rng.uniform(*kind.slow_loss)),
        delayed_potassium(threshold_mv=threshold, speed=potassium_speed),
        fast_potassium(speed=potassium_speed),
        slow_potassium(tau_ms=1000.0),
        transient_potassium(speed=1.0),
        leak(reversal_mv=REST_MV),
    )
    density = np.zeros((len(channels), tree.n_compartments))
    path = tree.path_um()
    soma, axon = tree.kind == SOMA, tree.kind == AXON
    axon_start = path[axon].min() if axon.any() else 0.0
    initial = axon & (path - axon_start < INITIAL_SEGMENT_UM)
    dendrite = ~soma & ~axon
    fall = np.exp(-path / rng.uniform(*kind.dendrite_decay_um))
    density[0] = rng.uniform(*kind.dendrite_sodium) * fall
    density[0, soma] = rng.uniform(*kind.soma_sodium)
    density[0, axon] = rng.uniform(*kind.axon_sodium)
    density[0, initial] = rng.uniform(*kind.initial_sodium)
    density[1] = rng.uniform(*kind.dendrite_potassium) * fall
    density[1, soma] = rng.uniform(*kind.soma_potassium)
    density[1, axon] = rng.uniform(*kind.axon_potassium)
    fast = rng.uniform(*kind.fast_potassium)
    density[2] = np.where(dendrite, 0.2 * fast * fall, fast)
    density[3] = np.where(dendrite, 0.3, 1.0) * rng.uniform(*kind.slow_potassium)
    # A-type channels grow denser along the apical dendrite (Hoffman et al. 1997).
    density[4] = np.where(dendrite, rng.uniform(*kind.dendrite_transient), 0.0)
    density[4] *= np.where(tree.kind == APICAL, 1 + np.minimum(path, 350) / 100, 1.0)
    density[5] = rng.uniform(*kind.leak)
    return Membrane(
        channels=channels,
        density_s_per_cm2=density * 1e-3,
        capacitance_uf_per_cm2=np.full(tree.n_compartments, rng.uniform(0.8, 1.2)),
        axial_ohm_cm=rng.uniform(*kind.axial_ohm_cm),
    )


def pulses(height_na: float, interval_ms: float, n_pulses: int) -> NDArray[np.float64]:
    """Return alpha-shaped current pulses after the time to settle, in nA, one value a step."""
    duration_ms = SETTLE_MS + n_pulses * interval_ms + AFTER_MS + 2
    times_ms = np.arange(round(duration_ms / STEP_MS)) * STEP_MS
    current = np.zeros(len(times_ms))
    for k in range(n_pulses):
        since = np.maximum(times_ms - SETTLE_MS - k * interval_ms, 0) / PULSE_TAU_MS
        current += height_na * since * np.exp(1 - since)
    return current


def spike_peaks(soma_mv: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the step of the highest voltage of each excursion above the spike threshold."""
    above = soma_mv > SPIKE_MV
    edges = np.flatnonzero(np.diff(above.astype(np.int8)))
    starts = edges[~above[edges]] + 1
    ends = edges[above[edges]] + 1
    return np.array(
        [
            start + int(np.argmax(soma_mv[start:end]))
            for start, end in zip(starts, ends, strict=False)
        ],
        dtype=np.int64,
    )


def _threshold_na(tree: Tree, membrane: Membrane) -> float | None:
    """Return the lowest lone pulse tried that fires the cell; None if it fires unasked or never."""
    for pulse_na in FIRST_PULSES_NA:
        current = pulses(pulse_na, interval_ms=0.0, n_pulses=1)
        run = run_cable(tree, membrane, current, rest_mv=REST_MV, step_ms=STEP_MS)
        peaks = spike_peaks(run.voltage_mv[:, 0])
        if len(peaks):
            return float(pulse_na) if peaks[0] * STEP_MS > SETTLE_MS else None
    return None


def _n_clean(peaks: NDArray[np.int64], interval_ms: float) -> int:
    """Return how many pulses from the first on gave exactly one spike each."""
    pulse = np.floor((peaks * STEP_MS - SETTLE_MS) / interval_ms).astype(np.int64)
    n_clean = 0
    while n_clean < MAX_SPIKES and np.count_nonzero(pulse == n_clean) == 1:
        n_clean += 1
    # A pulse that fires twice spoils the window of the spike before it too.
    if np.count_nonzero(pulse == n_clean) > 1:
        n_clean -= 1
    return max(n_clean, 0)


def _cut(tree: Tree, run: CableRun, peaks: NDArray[np.int64], interval_ms: float) -> FiredCell:
    window = (np.arange(N_WINDOW) - N_BEFORE) * STRIDE
    rows = peaks[:, None] + window[None, :]
    return FiredCell(
        tree=tree,
        currents_na=run.current_na[rows],
        soma_mv=run.voltage_mv[rows, 0],
        interval_ms=interval_ms,
    )
