"""Runs SpikeSift, which reads the flat binary file itself."""

from pathlib import Path

import numpy as np
from exchange_io import read_facts, read_job, write_sorting


def main() -> None:
    """Sort the job's recording."""
    from spikesift import Recording, perform_spike_sorting

    job = read_job()
    facts = read_facts(job)
    recording = Recording(
        binary_file=str(Path(job["recording_folder"]) / "traces.raw"),
        data_type="int16",
        probe_geometry=np.array(facts["positions_um"], np.float32),
        sampling_frequency=facts["sampling_rate_hz"],
    )
    result = perform_spike_sorting(recording, verbose=False, **job["parameters"])
    trains = [np.asarray(result.spikes(cluster), np.int64) for cluster in result.cluster_ids()]
    unit_index = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    samples = np.concatenate(trains) if trains else np.zeros(0, np.int64)
    write_sorting(job, samples, unit_index, len(trains))


if __name__ == "__main__":
    main()
