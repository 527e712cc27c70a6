"""Reads a job and writes a sorting; runs in a sorter's environment, without Embersort."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def read_job() -> dict[str, Any]:
    """Return the job whose file is this script's first argument."""
    return json.loads(Path(sys.argv[1]).read_text("utf-8"))


def read_facts(job: dict[str, Any]) -> dict[str, Any]:
    """Return what recording.json says."""
    return json.loads((Path(job["recording_folder"]) / "recording.json").read_text("utf-8"))


def open_with_spikeinterface(job: dict[str, Any]) -> Any:
    """Return the recording as SpikeInterface's, with probe and gain."""
    import spikeinterface.core as si
    from probeinterface import read_probeinterface

    facts, folder = read_facts(job), Path(job["recording_folder"])
    recording = si.BinaryRecordingExtractor(
        file_paths=[folder / "traces.raw"],
        sampling_frequency=facts["sampling_rate_hz"],
        dtype="int16",
        num_channels=facts["n_channels"],
        gain_to_uV=facts["uv_per_count"],
        offset_to_uV=0.0,
        is_filtered=False,
    )
    probe = read_probeinterface(folder / "probe.json").probes[0]
    with_probe = recording.set_probe(probe)
    return recording if with_probe is None else with_probe


def write_spikeinterface_sorting(job: dict[str, Any], sorting: Any) -> None:
    """Write a SpikeInterface sorting of one segment."""
    spikes = sorting.to_spike_vector()
    write_sorting(job, spikes["sample_index"], spikes["unit_index"], len(sorting.unit_ids))


def write_sorting(job: dict[str, Any], sample_index: Any, unit_index: Any, n_units: int) -> None:
    """Write spikes, leaving out those that lie outside the recording."""
    n_samples = read_facts(job)["n_samples"]
    sample_index = np.asarray(sample_index, np.int64)
    unit_index = np.asarray(unit_index, np.int64)
    inside = (sample_index >= 0) & (sample_index < n_samples)
    if not inside.all():
        message = f"{(~inside).sum()} spikes outside the recording were left out\n"
        sys.stdout.write(message)
    np.savez(
        Path(job["output_folder"]) / "sorting.npz",
        sample_index=sample_index[inside],
        unit_index=unit_index[inside],
        unit_ids=np.arange(n_units, dtype=np.int64),
    )
