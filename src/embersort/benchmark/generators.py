"""Recordings made by simulators that are not ours: SpikeInterface's generator and MEArec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from embersort.benchmark.home import Home
from embersort.benchmark.process import Limits, run_limited
from embersort.benchmark.sources import GeneratorSource, MearecSource
from embersort.errors import BadInput, MissingDependency
from embersort.recording import ArrayRecording, from_spikeinterface, sorting_from_spikeinterface
from embersort.types import Geometry, Recording, Sorting

MEAREC_ENVIRONMENT = "mearec"
MEAREC_REQUIREMENTS = ("mearec[templates] numpy<2.3",)
MEAREC_LIMITS = Limits(time_s=7200.0, memory_gib=16.0)
LOG_TAIL_LINES = 3


def generate(source: GeneratorSource) -> tuple[Recording, Sorting, float]:
    """Make a recording with SpikeInterface's generator.

    Static without ``drift``, else ``generate_drifting_recording`` with its
    units moved along y. All randomness comes from the seed.
    """
    import spikeinterface.generation as generation
    from spikeinterface.core import generate_ground_truth_recording

    probe = _probe(source.probe)
    noise = {"noise_levels": source.noise_uv}
    if source.drift:
        _, recording, sorting = generation.generate_drifting_recording(
            num_units=source.n_units,
            duration=source.duration_s,
            sampling_frequency=source.sampling_rate_hz,
            probe=probe,
            generate_displacement_vector_kwargs=source.drift,
            generate_noise_kwargs={"noise_levels": (source.noise_uv, source.noise_uv)}
            | {"spatial_decay": 25.0},
            seed=source.seed,
            **source.arguments,
        )
        start, stop = source.drift["drift_start_um"], source.drift["drift_stop_um"]
        extent_um = float(np.linalg.norm(np.subtract(stop, start)))
    else:
        recording, sorting = generate_ground_truth_recording(
            durations=[source.duration_s],
            sampling_frequency=source.sampling_rate_hz,
            num_units=source.n_units,
            probe=probe,
            noise_kwargs={**noise, "strategy": "on_the_fly"},
            seed=source.seed,
            **source.arguments,
        )
        extent_um = 0.0
    truth = sorting_from_spikeinterface(sorting, recording.get_num_samples())
    return from_spikeinterface(recording), truth, extent_um


def generate_mearec(
    source: MearecSource, home: Home, scratch: Path
) -> tuple[Recording, Sorting, float]:
    """Make a recording with MEArec, in MEArec's own environment.

    Raises
    ------
    MissingDependency
        If the environment was not installed.
    BadInput
        If MEArec fails; the message holds the end of what it printed.
    """
    python = home.environments / MEAREC_ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise MissingDependency(
            "this recording is made by MEArec, which is not installed; "
            "install it with 'embersort bench install mearec'"
        )
    job = scratch / "job.json"
    templates = home.folder / "mearec-templates"
    templates.mkdir(parents=True, exist_ok=True)
    values = {**source.model_dump(mode="json"), "output": str(scratch), "templates": str(templates)}
    job.write_text(json.dumps(values), "utf-8")
    worker = Path(__file__).parent / "sorters" / "workers" / "make_mearec.py"
    log = scratch / "mearec.log"
    result = run_limited([str(python), str(worker), str(job)], scratch, log, MEAREC_LIMITS)
    if result.outcome != "ok":
        tail = log.read_text("utf-8", errors="replace").strip().splitlines()[-LOG_TAIL_LINES:]
        raise BadInput(f"MEArec {result.outcome}: {' | '.join(tail)}")
    return _read_mearec(scratch)


def _read_mearec(folder: Path) -> tuple[Recording, Sorting, float]:
    """Read the plain arrays that the MEArec script leaves."""
    with np.load(folder / "truth.npz", allow_pickle=False) as arrays:
        facts = {name: arrays[name] for name in arrays.files}
    rate_hz = float(facts["sampling_rate_hz"])
    traces = np.load(folder / "traces.npy", allow_pickle=False, mmap_mode="r")
    recording = ArrayRecording(
        traces=traces,
        sampling_rate_hz=rate_hz,
        geometry=Geometry(positions_um=facts["positions_um"]),
    )
    truth = Sorting(
        sample_index=facts["sample_index"],
        unit_index=facts["unit_index"],
        unit_ids=facts["unit_ids"],
        sampling_rate_hz=rate_hz,
        n_samples=len(traces),
    )
    return recording, truth, float(facts["drift_um"])


def _probe(values: dict[str, Any]) -> Any:
    """Build the probe that a generator entry names."""
    from probeinterface import generate_multi_columns_probe, generate_tetrode

    tetrode = values.get("tetrode")
    probe = generate_tetrode() if tetrode else generate_multi_columns_probe(**values)
    probe.set_device_channel_indices(np.arange(probe.get_contact_count()))
    return probe
