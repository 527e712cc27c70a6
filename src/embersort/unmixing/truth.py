"""A simulated recording's truth as unmixing sees it: sources behind the band-pass filter."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from embersort.errors import BadInput
from embersort.signal.filter import bandpass
from embersort.signal.preprocess import Preprocessor
from embersort.simulate.files import SCENE, TRUTH_ARRAYS
from embersort.simulate.scene import Scene
from embersort.simulate.simulation import Simulation, simulate
from embersort.simulate.sources import UnitSource, unit_sources
from embersort.units import ms_to_samples

SMEAR_MS = 4.0
"""A 300 Hz filter leaves less than a thousandth of a spike beyond this on either side."""
LEAST_HEIGHT = 1.0
"""A bin is a unit's where its own trace is larger than the noise: with this the error of a binary
mask, noise let in plus signal kept out, is least."""


def read_truth(folder: Path, n_samples: int) -> Simulation:
    """Make the simulation of a folder anew, to have each unit's own traces.

    Parameters
    ----------
    folder : Path
        As ``embersort simulate`` writes it.
    n_samples : int
        Length of the recording that is to be scored with it.

    Raises
    ------
    BadInput
        If there is no scene in the folder, or it does not give the folder's own spikes, or the
        recording has another length.
    """
    folder = Path(folder)
    if not (folder / SCENE).is_file():
        raise BadInput(f"{folder} holds no {SCENE}; give a folder that 'embersort simulate' wrote")
    simulation = simulate(Scene.from_toml(folder / SCENE))
    made = simulation.truth.sorting
    try:
        with np.load(folder / TRUTH_ARRAYS, allow_pickle=False) as arrays:
            same = np.array_equal(arrays["sample_index"], made.sample_index)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"{folder / TRUTH_ARRAYS} cannot be read ({error})") from None
    if not same:
        raise BadInput(
            f"{folder / SCENE} does not give the spikes of {folder / TRUTH_ARRAYS}: a hybrid, or "
            "simulated by another version of Embersort; simulate the scene anew"
        )
    if made.n_samples != n_samples:
        raise BadInput(
            f"the truth in {folder} has {made.n_samples} samples, the recording has {n_samples}; "
            "score whole recordings, without --start and --duration"
        )
    return simulation


def filtered_sources(simulation: Simulation, preprocessor: Preprocessor) -> tuple[UnitSource, ...]:
    """Return each unit's own traces behind the band-pass filter.

    The common reference is left out: the median over channels hardly moves with one unit.
    """
    margin = ms_to_samples(SMEAR_MS, simulation.recording.sampling_rate_hz)
    return tuple(
        source.filtered(lambda columns: bandpass(columns, preprocessor.sos), margin)
        for source in unit_sources(simulation)
    )
