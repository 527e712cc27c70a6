"""Runs DARTsort through SpikeInterface's wrapper, which trusts it with two things it trips over.

A probe whose contacts are off by rounding (1e-16 µm) makes it search for a
grid of that pitch for ever; an error in one of its loading threads leaves it
waiting for ever.
"""

import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from exchange_io import open_with_spikeinterface, read_job, write_spikeinterface_sorting

POSITION_DECIMALS = 3
PRETRAINED = "SingleChannelWaveformDenoiser"
"""The denoiser whose weights come with DARTsort, which has to be told where they are."""


def with_round_positions(recording: Any) -> Any:
    """Return the recording with its contacts at whole nanometres."""
    from probeinterface import Probe

    probe = Probe(ndim=2, si_units="um")
    positions = recording.get_channel_locations().round(POSITION_DECIMALS)
    probe.set_contacts(positions=positions, shapes="circle", shape_params={"radius": 5.0})
    probe.set_shank_ids(recording.get_probe().shank_ids)
    probe.set_device_channel_indices(np.arange(len(positions)))
    with_probe = recording.set_probe(probe)
    return recording if with_probe is None else with_probe


def settings(job: dict[str, Any]) -> dict[str, Any]:
    """Return the job's parameters with threads and the place of trained weights put in."""
    parameters = {"n_jobs_small": job["n_threads"], **job["parameters"]}
    if parameters.get("nn_denoiser_class_name") == PRETRAINED:
        from dartsort.config import default_pretrained_path

        parameters.setdefault("nn_denoiser_pretrained_path", default_pretrained_path)
    return parameters


def end_at_error(arguments: threading.ExceptHookArgs) -> None:
    """End the process where one of its threads fails; the sorter itself would wait for it."""
    traceback.print_exception(*arguments[:3])
    sys.stderr.flush()
    os._exit(1)


def main() -> None:
    """Sort the job's recording."""
    from spikeinterface.sorters import run_sorter

    threading.excepthook = end_at_error
    job = read_job()
    sorting = run_sorter(
        "dartsort",
        with_round_positions(open_with_spikeinterface(job)),
        folder=Path(job["work_folder"]) / "sorter",
        verbose=True,
        remove_existing_folder=True,
        **settings(job),
    )
    write_spikeinterface_sorting(job, sorting)


if __name__ == "__main__":
    main()
