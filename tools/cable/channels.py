"""Ion channels of the Hodgkin–Huxley kind, as tables of their gates over voltage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.types import FloatArray

TABLE_LOW_MV, TABLE_HIGH_MV, TABLE_STEP_MV = -120.0, 100.0, 0.1
TABLE_MV = np.arange(TABLE_LOW_MV, TABLE_HIGH_MV + TABLE_STEP_MV / 2, TABLE_STEP_MV)
"""Voltages at which gates are tabulated; linear in between, constant beyond."""

SODIUM_MV, POTASSIUM_MV = 50.0, -90.0
"""Reversal potentials in mammalian cells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """One kind of gate.

    Attributes
    ----------
    power : int
        How many of them a channel has.
    steady : ndarray, shape (n_table,)
        Open share in the long run at each voltage of ``TABLE_MV``.
    tau_ms : ndarray, shape (n_table,)
        Time constant at each voltage.
    """

    power: int
    steady: FloatArray
    tau_ms: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A channel: its gates and the voltage at which its current turns."""

    gates: tuple[Gate, ...]
    reversal_mv: float


def sodium(*, threshold_mv: float, speed: float, slow_loss: float = 0.0) -> Channel:
    """Return a fast sodium channel m³h (Traub and Miles 1991), with slow inactivation if asked.

    Parameters
    ----------
    threshold_mv : float
        Shifts the whole kinetics; the cell fires roughly 10 to 15 mV above it.
    speed : float
        Factor on all rates; 1 is about 36 °C.
    slow_loss : float
        Share of channels that long depolarisation closes for tens of milliseconds (0 to 1),
        which attenuates later spikes of a burst.
    """
    v = TABLE_MV - threshold_mv
    m = _from_rates(3, 0.32 * _linoid(v - 13, 4), 0.28 * _linoid(-(v - 40), 5), speed)
    h = _from_rates(1, 0.128 * np.exp((17 - v) / 18), 4 / (1 + np.exp((40 - v) / 5)), speed)
    if slow_loss == 0:
        return Channel(gates=(m, h), reversal_mv=SODIUM_MV)
    steady = 1 - slow_loss / (1 + np.exp(-(TABLE_MV + 30) / 6))
    tau = 1.0 + 39.0 / (1 + np.exp((TABLE_MV + 40) / 6))
    slow = Gate(power=1, steady=steady, tau_ms=tau)
    return Channel(gates=(m, h, slow), reversal_mv=SODIUM_MV)


def delayed_potassium(*, threshold_mv: float, speed: float) -> Channel:
    """Return a delayed rectifier n⁴ (Traub and Miles 1991)."""
    v = TABLE_MV - threshold_mv
    n = _from_rates(4, 0.032 * _linoid(v - 15, 5), 0.5 * np.exp((10 - v) / 40), speed)
    return Channel(gates=(n,), reversal_mv=POTASSIUM_MV)


def fast_potassium(*, speed: float) -> Channel:
    """Return a channel of the Kv3 kind: opens high and quickly, makes spikes narrow.

    Half activation −12 mV, slope 9 mV, time constant up to 2 ms (after Rudy and McBain 2001).
    """
    steady = 1 / (1 + np.exp(-(TABLE_MV + 12) / 9))
    tau = (0.25 + 1.75 / (1 + np.exp((TABLE_MV + 20) / 10))) / speed
    return Channel(gates=(Gate(power=2, steady=steady, tau_ms=tau),), reversal_mv=POTASSIUM_MV)


def slow_potassium(*, tau_ms: float) -> Channel:
    """Return a muscarinic (M-type) channel (Yamada et al. 1989)."""
    v = TABLE_MV + 35
    steady = 1 / (1 + np.exp(-v / 10))
    tau = tau_ms / (3.3 * np.exp(v / 20) + np.exp(-v / 20))
    return Channel(gates=(Gate(power=1, steady=steady, tau_ms=tau),), reversal_mv=POTASSIUM_MV)


def transient_potassium(*, speed: float) -> Channel:
    """Return an A-type channel of dendrites (after Hoffman et al. 1997, rounded)."""
    activation = Gate(
        power=1,
        steady=1 / (1 + np.exp(-(TABLE_MV - 5) / 14)),
        tau_ms=np.full(len(TABLE_MV), 0.25 / speed),
    )
    inactivation = Gate(
        power=1,
        steady=1 / (1 + np.exp((TABLE_MV + 56) / 8)),
        tau_ms=np.maximum(2.0, 5 + 0.26 * (TABLE_MV + 20)) / speed,
    )
    return Channel(gates=(activation, inactivation), reversal_mv=POTASSIUM_MV)


def leak(*, reversal_mv: float) -> Channel:
    """Return a channel that is always open."""
    return Channel(gates=(), reversal_mv=reversal_mv)


def squid_sodium() -> Channel:
    """Return the sodium channel of Hodgkin and Huxley (1952) at 6.3 °C, rest at −65 mV."""
    v = TABLE_MV
    m = _from_rates(3, 0.1 * _linoid(v + 40, 10), 4 * np.exp(-(v + 65) / 18), 1.0)
    h = _from_rates(1, 0.07 * np.exp(-(v + 65) / 20), 1 / (np.exp(-(v + 35) / 10) + 1), 1.0)
    return Channel(gates=(m, h), reversal_mv=50.0)


def squid_potassium() -> Channel:
    """Return the potassium channel of Hodgkin and Huxley (1952) at 6.3 °C, rest at −65 mV."""
    v = TABLE_MV
    n = _from_rates(4, 0.01 * _linoid(v + 55, 10), 0.125 * np.exp(-(v + 65) / 80), 1.0)
    return Channel(gates=(n,), reversal_mv=-77.0)


def _from_rates(
    power: int, opening: NDArray[np.float64], closing: NDArray[np.float64], speed: float
) -> Gate:
    total = opening + closing
    return Gate(power=power, steady=opening / total, tau_ms=1 / (total * speed))


def _linoid(x: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Return x / (1 - exp(-x / scale)), which is ``scale`` at x = 0."""
    ratio = x / scale
    small = np.abs(ratio) < 1e-6
    safe = np.where(small, 1.0, ratio)
    return np.where(small, scale * (1 + ratio / 2), scale * safe / -np.expm1(-safe))
