"""A registry entry made into a stored recording: rendered, generated, fetched or opened."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import embersort
from embersort.benchmark.exchange import StoredRecording, open_stored, read_sorting, store_recording
from embersort.benchmark.fetch import fetch_file, fetch_files, find_dandi_asset
from embersort.benchmark.hashing import hash_file, hash_files, hash_json
from embersort.benchmark.home import Home
from embersort.benchmark.pins import ASSET, pin_asset, pin_files, read_pins, write_pins
from embersort.benchmark.registry import RegisteredRecording, inside
from embersort.benchmark.sources import (
    DandiSource,
    FilesSource,
    GeneratorSource,
    Layout,
    LocalSource,
    MearecSource,
    SceneSource,
)
from embersort.benchmark.store import Entry, Store
from embersort.errors import BadInput
from embersort.types import Recording, Sorting

STAGE = "recording"
FORMAT_VERSION = 1
"""Raised when stored recordings change their form."""

Made = tuple[Recording, Sorting | None, float]
"""Recording, truth, and extent of drift in micrometres."""


def materialise(registered: RegisteredRecording, home: Home) -> StoredRecording:
    """Return the stored recording of an entry, making it unless it is there already.

    Two processes that ask for one recording make it once.

    Raises
    ------
    BadInput
        If it cannot be made; the message begins with the entry's name.
    """
    key = recipe_key(registered)
    with locked(home.work / f"{key}.lock"):
        found = find_made(registered, home)
        if found is not None:
            return found
        home.work.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="recording-", dir=home.work))
        try:
            recording, truth, drift_um = _make(registered, home, scratch)
            stored = store_recording(recording, truth, home.recordings, drift_um=drift_um)
        except BadInput as error:
            raise BadInput(f"{registered.name}: {error}") from None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        record = {
            "name": registered.name,
            "content": stored.content,
            "source": source_hash(registered),
        }
        Store(folder=home.results).write(STAGE, key, record)
        return stored


def find_made(registered: RegisteredRecording, home: Home) -> StoredRecording | None:
    """Return the stored recording of an entry if it was made before, else None."""
    entry = Store(folder=home.results).find(STAGE, recipe_key(registered))
    if entry is None:
        return None
    try:
        return open_stored(home.recordings / str(entry.record["content"]))
    except BadInput:
        return None


def find_alike(registered: RegisteredRecording, home: Home) -> StoredRecording | None:
    """Return the stored recording of an entry, failing that the newest of the same source.

    Another version of the simulator changes the recipe's key, whether or not
    it changes a sample. What was computed for the recording that was made
    before stays found.
    """
    found = find_made(registered, home)
    if found is not None:
        return found
    source = source_hash(registered)
    made = [
        entry
        for entry in Store(folder=home.results).entries(STAGE)
        if entry.record["name"] == registered.name and entry.record.get("source") == source
    ]
    for entry in sorted(made, key=Entry.written_s, reverse=True):
        try:
            return open_stored(home.recordings / str(entry.record["content"]))
        except BadInput:
            continue
    return None


def source_hash(registered: RegisteredRecording) -> str:
    """Return the hash of an entry's source alone, whoever carries it out."""
    return hash_json(registered.entry.source.model_dump(mode="json"))


def recipe_key(registered: RegisteredRecording) -> str:
    """Return the hash of everything that decides a recording's content, as far as one can know."""
    source = registered.entry.source
    recipe: dict[str, Any] = {"format": FORMAT_VERSION, "source": source.model_dump(mode="json")}
    if isinstance(source, SceneSource):
        recipe["simulator"] = simulator_hash()
    elif isinstance(source, GeneratorSource):
        import importlib.metadata

        recipe["simulator"] = importlib.metadata.version("spikeinterface")
    elif isinstance(source, LocalSource):
        folder = (registered.folder / source.folder).resolve()
        recipe["files"] = [
            hash_file(folder / name)
            for name in (source.recording, source.truth)
            if name and (folder / name).is_file()
        ]
        recipe["folder"] = str(folder)
    return hash_json(recipe)


@cache
def simulator_hash() -> str:
    """Return the hash of the code and cells that our scenes are rendered with."""
    package = Path(embersort.__file__).parent / "simulate"
    paths = sorted(path for path in package.rglob("*") if path.is_file())
    return hash_files(package, [path for path in paths if "__pycache__" not in path.parts])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file; a process that dies lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(registered: RegisteredRecording, home: Home, scratch: Path) -> Made:
    source = registered.entry.source
    if isinstance(source, SceneSource):
        return _render(source)
    if isinstance(source, GeneratorSource):
        from embersort.benchmark.generators import generate

        return generate(source)
    if isinstance(source, MearecSource):
        from embersort.benchmark.generators import generate_mearec

        return generate_mearec(source, home, scratch)
    if isinstance(source, FilesSource):
        pinned = pin_files(source, read_pins(registered.name, home))
        write_pins(registered.name, fetch_files(pinned, home.downloads, scratch), home)
        return _open_layout(source, scratch)
    if isinstance(source, DandiSource):
        return _fetch_asset(registered.name, source, home, scratch)
    return _open_layout(source, (registered.folder / source.folder).resolve())


def _fetch_asset(name: str, source: DandiSource, home: Home, scratch: Path) -> Made:
    """Fetch an archive's asset, which holds both recording and truth."""
    remote = find_dandi_asset(pin_asset(source, read_pins(name, home)))
    fetched = fetch_file(remote, home.downloads)
    shutil.copyfile(fetched, inside(scratch, remote.path))
    asset_id = remote.url.rstrip("/").split("/")[-2]
    write_pins(name, {ASSET: asset_id, source.asset_path: fetched.name}, home)
    in_file = {"recording": remote.path, "truth": source.truth and remote.path}
    return _open_layout(source.model_copy(update=in_file), scratch)


def _render(source: SceneSource) -> Made:
    """Render one of our own scenes."""
    from embersort.simulate.scene import Scene
    from embersort.simulate.simulation import simulate

    simulation = simulate(Scene.parse(source.scene, where="scene"), seed=source.seed)
    moved = simulation.truth.spike_displacement_um
    drift_um = float(np.ptp(moved)) if len(moved) else 0.0
    return simulation.recording, simulation.truth.sorting, drift_um


def _open_layout(source: Layout, folder: Path) -> Made:
    """Open files that lie in a folder."""
    from embersort.recording import open_recording

    recording = open_recording(
        inside(folder, source.recording),
        format=source.recording_format,
        **source.recording_options,
    )
    if not source.truth:
        return recording, None, 0.0
    path = inside(folder, source.truth)
    rate_hz, n_samples = recording.sampling_rate_hz, recording.n_samples
    if source.truth_format == "npz":
        return recording, read_sorting(path, rate_hz, n_samples), 0.0
    return recording, _read_nwb_units(path, rate_hz, n_samples), 0.0


def _read_nwb_units(path: Path, sampling_rate_hz: float, n_samples: int) -> Sorting:
    """Read the units table of an NWB file; HDF5 holds no code."""
    try:
        import h5py
    except ImportError:
        raise BadInput("reading NWB needs h5py; install it with 'pip install h5py'") from None
    try:
        with h5py.File(path, "r") as file:
            times_s = np.asarray(file["units/spike_times"], np.float64)
            ends = np.asarray(file["units/spike_times_index"], np.int64)
    except (OSError, KeyError) as error:
        raise BadInput(f"{path.name} has no units table: {error}") from None
    sample = np.round(times_s * sampling_rate_hz).astype(np.int64)
    unit = np.searchsorted(ends, np.arange(len(sample)), side="right")
    order = np.argsort(sample, kind="stable")
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=np.arange(len(ends)),
        sampling_rate_hz=sampling_rate_hz,
        n_samples=n_samples,
    )
