"""The files that pass between the benchmark and a sorter.

A recording is a folder: ``traces.raw`` (int16, time × channel), ``recording.json``
and ``probe.json`` (probeinterface). A sorter leaves ``sorting.npz`` with
``sample_index``, ``unit_index`` and ``unit_ids``. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from embersort.benchmark.hashing import hash_file, hash_json
from embersort.benchmark.scratch import fresh_folder
from embersort.errors import BadInput
from embersort.recording.npy import load_npz, whole_row
from embersort.recording.phy import whole_numbers
from embersort.types import Geometry, IntArray, Recording, Sorting

TRACES = "traces.raw"
RECORDING = "recording.json"
PROBE = "probe.json"
TRUTH = "truth.npz"
SORTING = "sorting.npz"

UV_PER_COUNT = 0.1
"""Resolution of stored traces: far below any noise, and ± 3.2 mV fit into 16 bits."""
CHUNK_S = 5.0
"""Seconds read at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRecording:
    """A recording on disk, in the form that every sorter gets.

    Attributes
    ----------
    folder : Path
    content : str
        SHA-256 of traces, probe and truth.
    n_samples, n_channels : int
    sampling_rate_hz, uv_per_count : float
    positions_um : list of [x, y]
    shank_index : list of int
    drift_um : float
        Known extent of the motion of the tissue; 0 where there is none or it is not known.
    has_truth : bool
    """

    folder: Path
    content: str
    n_samples: int
    n_channels: int
    sampling_rate_hz: float
    uv_per_count: float
    positions_um: list[list[float]]
    shank_index: list[int]
    drift_um: float
    has_truth: bool

    @property
    def geometry(self) -> Geometry:
        """Positions of the channels."""
        return Geometry(
            positions_um=np.array(self.positions_um), shank_index=np.array(self.shank_index)
        )

    def traces(self) -> np.memmap[Any, Any]:
        """Return the counts, shape (n_samples, n_channels), int16, mapped from disk."""
        shape = (self.n_samples, self.n_channels)
        return np.memmap(self.folder / TRACES, np.int16, "r", shape=shape)

    def truth(self) -> Sorting:
        """Return the true sorting.

        Raises
        ------
        BadInput
            If there is none.
        """
        if not self.has_truth:
            raise BadInput(f"{self.folder} holds no truth")
        return read_sorting(self.folder / TRUTH, self.sampling_rate_hz, self.n_samples)


def store_recording(
    recording: Recording, truth: Sorting | None, recordings: Path, *, drift_um: float = 0.0
) -> StoredRecording:
    """Write a recording under the hash of its content, in one step.

    Parameters
    ----------
    recording : Recording
    truth : Sorting, optional
    recordings : Path
        Folder that holds all recordings.
    drift_um : float
        Known extent of motion.

    Raises
    ------
    BadInput
        If the truth belongs to another recording, or the traces do not fit into 16 bits.
    """
    if truth is not None and truth.sampling_rate_hz != recording.sampling_rate_hz:
        raise BadInput(
            f"the truth is sampled at {truth.sampling_rate_hz} Hz, "
            f"the recording at {recording.sampling_rate_hz} Hz"
        )
    recordings.mkdir(parents=True, exist_ok=True)
    made = fresh_folder(recordings, "unfinished-")
    try:
        traces_hash, uv_per_count = _write_traces(recording, made / TRACES)
        facts = {
            "n_samples": recording.n_samples,
            "n_channels": recording.geometry.n_channels,
            "sampling_rate_hz": float(recording.sampling_rate_hz),
            "uv_per_count": uv_per_count,
            "positions_um": recording.geometry.positions_um.tolist(),
            "shank_index": recording.geometry.shank_index.tolist(),
            "drift_um": float(drift_um),
            "has_truth": truth is not None,
        }
        truth_hash = ""
        if truth is not None:
            write_sorting(truth, made / TRUTH)
            truth_hash = _hash_sorting(truth)
        content = hash_json({"facts": facts, "traces": traces_hash, "truth": truth_hash})
        _write_probe(recording.geometry, made / PROBE)
        (made / RECORDING).write_text(json.dumps({"content": content, **facts}, indent=1), "utf-8")
        place = recordings / content
        if not place.exists():
            made.rename(place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return open_stored(place)


def open_stored(folder: Path) -> StoredRecording:
    """Open a recording that ``store_recording`` wrote.

    Raises
    ------
    BadInput
        If the folder is not one.
    """
    try:
        values = json.loads((folder / RECORDING).read_text("utf-8"))
        return StoredRecording(folder=folder, **values)
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{folder} is not a stored recording: {error}") from None


def verify_stored(stored: StoredRecording) -> bool:
    """Return whether traces, probe and truth still have the hash that names the folder."""
    facts = {k: v for k, v in asdict(stored).items() if k not in ("folder", "content")}
    truth_hash = _hash_sorting(stored.truth()) if stored.has_truth else ""
    traces_hash = hash_file(stored.folder / TRACES)
    found = hash_json({"facts": facts, "traces": traces_hash, "truth": truth_hash})
    return found == stored.content == stored.folder.name


def write_sorting(sorting: Sorting, path: Path) -> None:
    """Write a sorting as plain arrays."""
    np.savez_compressed(
        path,
        sample_index=sorting.sample_index,
        unit_index=sorting.unit_index,
        unit_ids=sorting.unit_ids,
    )


def read_output(folder: Path, sampling_rate_hz: float, n_samples: int) -> Sorting:
    """Read what a sorter left: ``sorting.npz``, or Phy's spike times and clusters.

    Raises
    ------
    BadInput
        If there is neither, or it is damaged.
    """
    times, clusters = folder / "spike_times.npy", folder / "spike_clusters.npy"
    if (folder / SORTING).exists() or not (times.exists() and clusters.exists()):
        return read_sorting(folder / SORTING, sampling_rate_hz, n_samples)
    sample, cluster = whole_numbers(times), whole_numbers(clusters)
    ids, unit = np.unique(cluster, return_inverse=True)
    return _checked_sorting(sample, unit, ids, times.name, sampling_rate_hz, n_samples)


def read_sorting(path: Path, sampling_rate_hz: float, n_samples: int) -> Sorting:
    """Read a sorting; spikes need not be in order.

    Raises
    ------
    BadInput
        If the file is missing, damaged, of another form, or has spikes outside the recording.
    """
    if not path.is_file():
        raise BadInput(f"{path.name} was not written")
    names = ("sample_index", "unit_index", "unit_ids")
    arrays = load_npz(path, names)
    if missing := set(names) - set(arrays):
        raise BadInput(f"{path.name} is no sorting: it lacks {' and '.join(sorted(missing))}")
    sample, unit, ids = (whole_row(arrays[name], f"{path.name}, {name}") for name in names)
    return _checked_sorting(sample, unit, ids, path.name, sampling_rate_hz, n_samples)


def _checked_sorting(
    sample: IntArray,
    unit: IntArray,
    ids: IntArray,
    name: str,
    sampling_rate_hz: float,
    n_samples: int,
) -> Sorting:
    """Put spikes in order and check them; errors name the file."""
    if sample.ndim != 1 or sample.shape != unit.shape or ids.ndim != 1:
        raise BadInput(f"{name}: {sample.shape} spike times for {unit.shape} unit indices")
    order = np.argsort(sample, kind="stable")
    try:
        return Sorting(
            sample_index=sample[order],
            unit_index=unit[order],
            unit_ids=ids,
            sampling_rate_hz=sampling_rate_hz,
            n_samples=n_samples,
        )
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from None


def _write_traces(recording: Recording, path: Path) -> tuple[str, float]:
    """Write the traces as 16-bit counts; return their hash and the size of a count."""
    step = max(1, math.ceil(CHUNK_S * recording.sampling_rate_hz))
    limit_uv = UV_PER_COUNT * np.iinfo(np.int16).max
    digest = sha256()
    with path.open("wb") as file:
        for start in range(0, recording.n_samples, step):
            traces = recording.read(start, min(start + step, recording.n_samples))
            if not np.isfinite(traces).all():
                raise BadInput(f"the traces from sample {start} on hold values that are not finite")
            largest = float(np.abs(traces).max(initial=0.0))
            if largest > limit_uv:
                raise BadInput(
                    f"the traces reach {largest:.0f} µV, more than the {limit_uv:.0f} µV that fit; "
                    "give their gain, or subtract their offset"
                )
            block = np.round(traces / UV_PER_COUNT).astype("<i2").tobytes()
            digest.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), UV_PER_COUNT


def _hash_sorting(sorting: Sorting) -> str:
    """Return the hash of a sorting's spikes, whatever the order of spikes of one sample."""
    order = np.lexsort((sorting.unit_index, sorting.sample_index))
    digest = sha256(sorting.unit_ids.tobytes())
    digest.update(sorting.sample_index[order].tobytes())
    digest.update(sorting.unit_index[order].tobytes())
    return digest.hexdigest()


def _write_probe(geometry: Geometry, path: Path) -> None:
    """Write the geometry as a probeinterface file."""
    from probeinterface import Probe, write_probeinterface

    probe = Probe(ndim=2, si_units="um")
    probe.set_contacts(
        positions=np.array(geometry.positions_um), shapes="circle", shape_params={"radius": 5.0}
    )
    probe.set_shank_ids(geometry.shank_index.astype(str))
    probe.set_device_channel_indices(np.arange(geometry.n_channels))
    write_probeinterface(path, probe)
