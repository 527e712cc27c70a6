"""Runs a sorter that SpikeInterface wraps."""

import inspect
from pathlib import Path
from typing import Any

from exchange_io import open_with_spikeinterface, read_job, write_spikeinterface_sorting

OLDER = ("mountainsort4", "herdingspikes")
"""Sorters that were written for SpikeInterface's first interface."""


def settings(job: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the job's parameters with the number of threads put where the sorter takes it."""
    from spikeinterface.sorters import get_default_sorter_params

    parameters = dict(job["parameters"])
    known = get_default_sorter_params(name)
    job_kwargs = {"n_jobs": job["n_threads"], "progress_bar": False, "chunk_duration": "1s"}
    if "job_kwargs" in known:
        parameters["job_kwargs"] = job_kwargs
    elif "n_jobs" in known:
        parameters |= job_kwargs
    for key in ("num_workers", "clustering_n_jobs"):
        if key in known:
            parameters.setdefault(key, job["n_threads"])
    if "seed" in known and known["seed"] is None:
        parameters.setdefault("seed", job["seed"])
    return parameters


def lend_old_names() -> None:
    """Give older sorters what they expect: positions as a property, NumPy's former names."""
    import numpy as np
    from spikeinterface.core import BaseRecording

    get_property = BaseRecording.get_property

    def with_location(self: Any, key: str, *arguments: Any, **options: Any) -> Any:
        if key == "location":
            return self.get_channel_locations()
        return get_property(self, key, *arguments, **options)

    BaseRecording.get_property = with_location
    vars(np)["Inf"] = np.inf


def main() -> None:
    """Sort the job's recording."""
    from spikeinterface.sorters import run_sorter

    job = read_job()
    name = job["worker_sorter"]
    arguments: dict[str, Any] = {"verbose": True, "remove_existing_folder": True}
    if "folder" in inspect.signature(run_sorter).parameters:
        arguments["folder"] = Path(job["work_folder"]) / "sorter"
    if name in OLDER:
        lend_old_names()
    recording = open_with_spikeinterface(job)
    sorting = run_sorter(name, recording, **arguments, **settings(job, name))
    write_spikeinterface_sorting(job, sorting)


if __name__ == "__main__":
    main()
