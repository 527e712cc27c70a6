"""Files as an attacker would write them: each makes a file where its code has run."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import numpy as np


class Payload:
    """What leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return exec, (code(self.mark),)


def code(mark: Path) -> str:
    return f"open({str(mark)!r}, 'w').close()"


def object_array(path: Path, mark: Path, n: int) -> None:
    values = np.empty(n, object)
    values[:] = [Payload(mark)] * n
    with path.open("wb") as file:
        np.lib.format.write_array(file, values, allow_pickle=True)


def saved_recording(folder: Path, n_channels: int = 4) -> Path:
    """Write a healthy SpikeInterface folder."""
    from embersort.recording import ArrayRecording, to_spikeinterface
    from embersort.types import Geometry

    traces = np.random.default_rng(0).normal(0, 10, (30_000, n_channels)).astype(np.float32)
    positions = np.column_stack([np.zeros(n_channels), 20.0 * np.arange(n_channels)])
    recording = ArrayRecording(
        traces=traces, sampling_rate_hz=30_000, geometry=Geometry(positions_um=positions)
    )
    to_spikeinterface(recording).save(folder=folder, progress_bar=False)
    return folder


def saved_zarr(folder: Path, recording: Path) -> Path:
    import spikeinterface

    spikeinterface.load(recording).save(folder=folder, format="zarr", progress_bar=False)
    return folder


def saved_sorting(folder: Path, format: str = "numpy_folder") -> Path:
    from spikeinterface.core import NumpySorting

    trains = [{1: np.arange(100, 20_000, 700), 2: np.arange(50, 20_000, 900)}]
    NumpySorting.from_unit_dict(trains, 30_000.0).save(folder=folder, format=format)
    return folder


def with_pickled_property(folder: Path, mark: Path) -> Path:
    object_array(folder / "properties" / "colour.npy", mark, 4)
    return folder


def with_cached_pickle(folder: Path, mark: Path) -> Path:
    (folder / "si_folder.json").unlink()
    (folder / "cached.pkl").write_bytes(pickle.dumps(Payload(mark)))
    return folder


def with_class(folder: Path, mark: Path) -> Path:
    """Name a class that is called with arguments of the attacker's choice."""
    (folder / "binary.json").unlink(missing_ok=True)
    (folder / "numpysorting_info.json").unlink(missing_ok=True)
    values = {
        "class": "subprocess.Popen",
        "module": "subprocess",
        "version": "0.105.3",
        "kwargs": {"args": ["touch", str(mark)]},
        "annotations": {},
        "properties": {},
        "relative_paths": False,
    }
    (folder / "si_folder.json").write_text(json.dumps(values))
    return folder


def with_class_in_binary_json(folder: Path, mark: Path) -> Path:
    values = json.loads((folder / "binary.json").read_text())
    nested = {"class": "subprocess.Popen", "kwargs": {"args": ["touch", str(mark)]}}
    values |= {"class": "subprocess.Popen", "kwargs": nested["kwargs"]}
    (folder / "binary.json").write_text(json.dumps(values))
    return folder


def with_pickled_chunks(folder: Path, mark: Path, array: str) -> Path:
    """Store one array of a Zarr folder in the codec that unpickles."""
    place = folder / array
    meta = json.loads((place / ".zarray").read_text())
    meta |= {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 5}], "compressor": None}
    (place / ".zarray").write_text(json.dumps(meta))
    for chunk in place.iterdir():
        if not chunk.name.startswith("."):
            chunk.write_bytes(pickle.dumps(Payload(mark)))
    (folder / ".zmetadata").unlink(missing_ok=True)
    return folder


def with_hidden_metadata(folder: Path, mark: Path, array: str) -> Path:
    """Hide the array that unpickles behind a link out of the folder."""
    with_pickled_chunks(folder, mark, array)
    away = folder.parent / "away"
    shutil.move(folder / array, away)
    (folder / array).symlink_to(away)
    return folder


def as_n5(folder: Path, mark: Path) -> Path:
    """Let Zarr take the folder for N5, whose compression may be any codec's name."""
    moved = folder.rename(folder.with_suffix(".n5"))
    (moved / ".zgroup").write_text('{"zarr_format": 2}')
    return moved


def probe_file(path: Path, mark: Path) -> Path:
    path.write_text(
        f"{code(mark)}\n"
        "channel_groups = {0: {'channels': [0, 1, 2, 3],\n"
        "  'geometry': {0: (0, 0), 1: (0, 20), 2: (0, 40), 3: (0, 60)}}}\n"
    )
    return path


def phy_folder(folder: Path, mark: Path, line: str = "") -> Path:
    folder.mkdir()
    np.save(folder / "spike_times.npy", np.arange(10, 1000, 7))
    np.save(folder / "spike_clusters.npy", np.arange(10, 1000, 7) % 3)
    (folder / "params.py").write_text(line or f"sample_rate = 30000.\n{code(mark)}\n")
    return folder
