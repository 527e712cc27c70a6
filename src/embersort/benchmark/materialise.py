"""A registry entry made into a stored recording: rendered, generated, fetched or opened."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from filelock import FileLock

from embersort.benchmark.exchange import StoredRecording, open_stored, read_sorting, store_recording
from embersort.benchmark.fetch import fetch_file, fetch_files, find_dandi_asset
from embersort.benchmark.home import Home
from embersort.benchmark.pins import ASSET, pin_asset, pin_files, read_pins, write_pins
from embersort.benchmark.recipes import recipe_key, source_hash
from embersort.benchmark.registry import RegisteredRecording, inside
from embersort.benchmark.sources import (
    DandiSource,
    FilesSource,
    GeneratorSource,
    Layout,
    MearecSource,
    SceneSource,
)
from embersort.benchmark.store import Entry, Store
from embersort.errors import BadInput, EmbersortError, MissingDependency
from embersort.types import Recording, Sorting

STAGE = "recording"

Made = tuple[Recording, Sorting | None, float]
"""Recording, truth, and extent of drift in micrometres."""


def materialise(
    registered: RegisteredRecording, home: Home, *, trust: bool = False
) -> StoredRecording:
    """Return the stored recording of an entry, making it unless it is there already.

    Two processes that ask for one recording make it once. ``trust`` reads files that could run
    code when they are read.

    Raises
    ------
    BadInput
        If it cannot be made; the message begins with the entry's name.
    """
    key = recipe_key(registered, home)
    with locked(home.work / f"{key}.lock"):
        found = find_made(registered, home)
        if found is not None:
            return found
        scratch = empty_folder(home.work / f"recording-{key[:16]}")
        try:
            recording, truth, drift_um = _make(registered, home, scratch, trust=trust)
            stored = store_recording(recording, truth, home.recordings, drift_um=drift_um)
        except EmbersortError as error:
            raise BadInput(f"{registered.name}: {error}") from None
        # A reader may trip over a damaged file in any way; the row says so, the others go on.
        except Exception as error:
            kind = type(error).__name__
            raise BadInput(f"{registered.name} cannot be read: {kind}: {error}") from error
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
    entry = Store(folder=home.results).find(STAGE, recipe_key(registered, home))
    return None if entry is None else _open_made(entry, home)


def find_alike(registered: RegisteredRecording, home: Home) -> StoredRecording | None:
    """Return the stored recording of an entry, failing that the newest of the same source.

    Another version of the simulator changes the recipe's key, whether or not
    it changes a sample. What was computed for the recording that was made
    before stays found.
    """
    return find_made(registered, home) or find_all_made(home).get(made_as(registered))


def find_all_made(home: Home) -> dict[tuple[str, str], StoredRecording]:
    """Return every stored recording by what it was made as, whichever version made it.

    Where several versions made one, the newest counts.
    """
    entries = Store(folder=home.results).entries(STAGE)
    made = {}
    for entry in sorted(entries, key=Entry.written_s):
        stored = _open_made(entry, home)
        if stored is not None:
            made[str(entry.record["name"]), str(entry.record.get("source"))] = stored
    return made


def made_as(registered: RegisteredRecording) -> tuple[str, str]:
    """Return a recording's name and the hash of its source."""
    return registered.name, source_hash(registered)


def _open_made(entry: Entry, home: Home) -> StoredRecording | None:
    try:
        return open_stored(home.recordings / str(entry.record["content"]))
    except BadInput:
        return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file; a process that dies lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield


def empty_folder(folder: Path) -> Path:
    """Make a working folder anew; what a killed process left in it is deleted first."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _make(registered: RegisteredRecording, home: Home, scratch: Path, *, trust: bool) -> Made:
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
        return _open_layout(source, scratch, trust=trust)
    if isinstance(source, DandiSource):
        return _fetch_asset(registered.name, source, home, scratch, trust=trust)
    return _open_layout(source, (registered.folder / source.folder).resolve(), trust=trust)


def _fetch_asset(name: str, source: DandiSource, home: Home, scratch: Path, *, trust: bool) -> Made:
    """Fetch an archive's asset, which holds both recording and truth."""
    remote = find_dandi_asset(pin_asset(source, read_pins(name, home)))
    fetched = fetch_file(remote, home.downloads)
    shutil.copyfile(fetched, inside(scratch, remote.path))
    asset_id = remote.url.rstrip("/").split("/")[-2]
    write_pins(name, {ASSET: asset_id, source.asset_path: fetched.name}, home)
    in_file = {"recording": remote.path, "truth": source.truth and remote.path}
    return _open_layout(source.model_copy(update=in_file), scratch, trust=trust)


def _render(source: SceneSource) -> Made:
    """Render one of our own scenes."""
    from embersort.simulate.scene import Scene
    from embersort.simulate.simulation import simulate

    simulation = simulate(Scene.parse(source.scene, where="scene"), seed=source.seed)
    moved = simulation.truth.spike_displacement_um
    drift_um = float(np.ptp(moved)) if len(moved) else 0.0
    return simulation.recording, simulation.truth.sorting, drift_um


def _open_layout(source: Layout, folder: Path, *, trust: bool) -> Made:
    """Open files that lie in a folder."""
    from embersort.recording import open_recording

    recording = open_recording(
        inside(folder, source.recording),
        format=source.recording_format,
        # An entry does not get to say that its own files are to be trusted.
        **{**source.recording_options, "trust": trust},
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
        raise MissingDependency("reading NWB needs h5py; see 'embersort doctor'") from None
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
