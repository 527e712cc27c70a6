"""Runs DARTsort by its own function: SpikeInterface's wrapper knows none of its inner settings."""

import threading
from pathlib import Path

from exchange_io import open_with_spikeinterface, read_job, write_spikeinterface_sorting
from run_dartsort import end_at_error, settings, with_round_positions


def main() -> None:
    """Sort the job's recording."""
    from dartsort import dartsort
    from dartsort.config import DeveloperConfig

    threading.excepthook = end_at_error
    job = read_job()
    found = dartsort(
        with_round_positions(open_with_spikeinterface(job)),
        Path(job["work_folder"]) / "sorter",
        cfg=DeveloperConfig(**settings(job)),
    )
    write_spikeinterface_sorting(job, found["sorting"].to_numpy_sorting())


if __name__ == "__main__":
    main()
