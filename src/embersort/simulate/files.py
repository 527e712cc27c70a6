"""A simulation on disk: recording, truth, and the scene it was made from."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from embersort.output.folder import new_folder
from embersort.recording import sorting_to_spikeinterface, to_spikeinterface
from embersort.simulate.simulation import Simulation
from embersort.simulate.truth import Truth
from embersort.types import Recording

RECORDING, TRUTH, TRUTH_ARRAYS, SCENE = "recording", "truth", "truth.npz", "scene.toml"
"""What OUT holds."""


def write_simulation(
    simulation: Simulation, folder: str | Path, *, overwrite: bool = False
) -> None:
    """Write a simulation: ``recording/``, ``truth/``, ``truth.npz`` and ``scene.toml``.

    The recording is a SpikeInterface binary folder, int16 counts where the scene
    has a converter and float32 µV otherwise; the truth is a SpikeInterface
    sorting folder and, with everything else that is known, an npz file.

    Parameters
    ----------
    overwrite : bool
        Replace an earlier simulation there.

    Raises
    ------
    BadInput
        If the folder exists and may not be replaced, or cannot be written.
    """
    with new_folder(folder, overwrite=overwrite, marker=RECORDING) as staging:
        uv_per_count = simulation.recording.uv_per_count
        save_recording(simulation.recording, staging / RECORDING, uv_per_count=uv_per_count)
        with _no_provenance():
            sorting_to_spikeinterface(simulation.truth.sorting).save(folder=staging / TRUTH)
        np.savez(staging / TRUTH_ARRAYS, **truth_arrays(simulation.truth))
        (staging / SCENE).write_text(to_toml(simulation.scene.model_dump()), "utf-8")


def save_recording(recording: Recording, folder: Path, *, uv_per_count: float = 0.0) -> None:
    """Write a recording as a SpikeInterface binary folder.

    Parameters
    ----------
    uv_per_count : float
        Where above 0, traces are stored as int16 counts of this size.
    """
    lazy = to_spikeinterface(recording)
    if uv_per_count > 0:
        from spikeinterface.preprocessing import astype, scale

        lazy = astype(scale(lazy, gain=1 / uv_per_count), "int16", round=True)
        lazy.set_channel_gains(uv_per_count)
        lazy.set_channel_offsets(0.0)
    with _no_provenance():
        lazy.save(folder=folder, n_jobs=1, chunk_duration="4s", progress_bar=False, verbose=False)


@contextmanager
def _no_provenance() -> Iterator[None]:
    """Say nothing of what is lazy having no file that it could be reopened from."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The extractor is not serializable")
        yield


def truth_arrays(truth: Truth) -> dict[str, Any]:
    """Return the truth as named arrays; the first five are an Embersort sorting."""
    sorting = truth.sorting
    return {
        "sample_index": sorting.sample_index,
        "unit_index": sorting.unit_index,
        "unit_ids": sorting.unit_ids,
        "sampling_rate_hz": sorting.sampling_rate_hz,
        "n_samples": sorting.n_samples,
        "templates_uv": truth.templates.waveforms_uv,
        "templates_n_before": truth.templates.n_before,
        "unit_position_um": truth.unit_position_um,
        "unit_snr": truth.unit_snr,
        "unit_peak_channel": truth.unit_peak_channel,
        "unit_cell": np.array(truth.unit_cell, dtype=np.str_),
        "spike_displacement_um": truth.spike_displacement_um,
        "spike_amplitude": truth.spike_amplitude,
        "spike_burst_position": truth.spike_burst_position,
        "spike_overlaps": truth.spike_overlaps,
    }


def to_toml(values: dict[str, Any]) -> str:
    """Return nested plain values (text, numbers, booleans, tables) as TOML.

    Examples
    --------
    >>> print(to_toml({"seed": 3, "probe": {"kind": "linear"}}), end="")
    seed = 3
    <BLANKLINE>
    [probe]
    kind = "linear"
    """
    lines = [f"{key} = {_toml(v)}\n" for key, v in values.items() if not isinstance(v, dict)]
    for key, table in values.items():
        if isinstance(table, dict):
            lines.append(f"\n[{key}]\n")
            lines.extend(f"{name} = {_toml(value)}\n" for name, value in table.items())
    return "".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    return repr(value)
