"""A simulated recording's truth as unmixing sees it: sources behind the band-pass filter."""

from __future__ import annotations

from embersort.signal.filter import bandpass
from embersort.signal.preprocess import Preprocessor
from embersort.simulate.simulation import Simulation
from embersort.simulate.sources import UnitSource, unit_sources
from embersort.units import ms_to_samples

SMEAR_MS = 4.0
"""A 300 Hz filter leaves less than a thousandth of a spike beyond this on either side."""
LEAST_HEIGHT = 1.0
"""A bin is a unit's where its own trace is larger than the noise: with this the error of a binary
mask, noise let in plus signal kept out, is least."""


def filtered_sources(simulation: Simulation, preprocessor: Preprocessor) -> tuple[UnitSource, ...]:
    """Return each unit's own traces behind the band-pass filter.

    The common reference is left out: the median over channels hardly moves with one unit.
    """
    margin = ms_to_samples(SMEAR_MS, simulation.recording.sampling_rate_hz)
    return tuple(
        source.filtered(lambda columns: bandpass(columns, preprocessor.sos), margin)
        for source in unit_sources(simulation)
    )
