"""Runs Embersort on a stored recording, from the same files as any other sorter."""

import os
from pathlib import Path

from embersort.machine import collect_rarely, keep_freed_memory, one_thread_of_linear_algebra


def main() -> None:
    """Sort the job's recording."""
    collect_rarely()
    keep_freed_memory()
    one_thread_of_linear_algebra()
    from exchange_io import read_facts, read_job, write_sorting

    from embersort.config import SortConfig
    from embersort.recording import open_recording
    from embersort.sorting import sort

    job = read_job()
    facts = read_facts(job)
    recording = open_recording(
        Path(job["recording_folder"]) / "traces.raw",
        format="binary",
        sampling_rate_hz=facts["sampling_rate_hz"],
        n_channels=facts["n_channels"],
        dtype="int16",
        probe=Path(job["recording_folder"]) / "probe.json",
    )
    os.environ.setdefault("NUMBA_NUM_THREADS", str(job["n_threads"]))
    parameters = {**job["parameters"], "run": {"n_workers": job["n_threads"]}}
    result = sort(recording, SortConfig.parse(parameters, where="job"))
    sorting = result.sorting
    write_sorting(job, sorting.sample_index, sorting.unit_index, sorting.n_units)


if __name__ == "__main__":
    main()
