"""Runs HerdingSpikes through SpikeInterface's wrapper, band-passed as its documentation has it.

Its documented default is a band-pass from 300 to 6000 Hz; version 0.4.6 has
only a two-point average left, which lets slow waves through.
"""

from pathlib import Path

from exchange_io import open_with_spikeinterface, read_job, write_spikeinterface_sorting
from run_spikeinterface import lend_old_names

BAND_HZ = (300.0, 6000.0)


def main() -> None:
    """Sort the job's recording."""
    from spikeinterface.preprocessing import bandpass_filter
    from spikeinterface.sorters import run_sorter

    job = read_job()
    lend_old_names()
    recording = open_with_spikeinterface(job)
    highest_hz = min(BAND_HZ[1], 0.45 * recording.get_sampling_frequency())
    sorting = run_sorter(
        "herdingspikes",
        bandpass_filter(recording, BAND_HZ[0], highest_hz, dtype="float32"),
        folder=Path(job["work_folder"]) / "sorter",
        verbose=True,
        remove_existing_folder=True,
        **{"clustering_n_jobs": job["n_threads"], **job["parameters"]},
    )
    write_spikeinterface_sorting(job, sorting)


if __name__ == "__main__":
    main()
