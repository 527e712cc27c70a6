"""The recording formats that SpikeInterface reads: which one a path is, and reading it."""

from __future__ import annotations

import inspect
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from embersort.errors import BadInput, EmbersortError, MissingDependency, nearest_name
from embersort.recording.folders import open_folder_recording, open_zarr_recording
from embersort.recording.streams import Stream, stream_named, stream_with_spikes, streams_of
from embersort.recording.trust import no_pickles, untrusted

SPIKEINTERFACE_FOLDER = "spikeinterface"
NPY = "npy"
BINARY = "binary"

_BY_SUFFIX = {
    ".npy": NPY,
    ".dat": BINARY,
    ".bin": BINARY,
    ".raw": BINARY,
    ".i16": BINARY,
    ".rhd": "intan",
    ".rhs": "intan",
    ".nwb": "nwb",
    ".nev": "blackrock",
    ".abf": "axon",
    ".smr": "ced",
    ".smrx": "ced",
    ".plx": "plexon",
    ".pl2": "plexon2",
    ".edf": "edf",
    ".rec": "spikegadgets",
    ".brw": "biocam",
    ".nix": "nix",
    ".nex": "neuroexplorer",
    ".zarr": SPIKEINTERFACE_FOLDER,
    **{f".ns{i}": "blackrock" for i in range(1, 7)},
}

_BY_CONTENT = (
    ("binary.json", SPIKEINTERFACE_FOLDER),
    ("si_folder.json", SPIKEINTERFACE_FOLDER),
    (".zgroup", SPIKEINTERFACE_FOLDER),
    ("raw.mda", "mda"),
    ("**/*.ap.meta", "spikeglx"),
    ("**/*.nidq.meta", "spikeglx"),
    ("**/structure.oebin", "openephysbinary"),
    ("*.continuous", "openephyslegacy"),
    ("*.ncs", "neuralynx"),
    ("*.tbk", "tdt"),
    ("*.Tbk", "tdt"),
    ("*.lsx", "alphaomega"),
)
"""What a folder of a format contains; the first that matches decides."""

_QUOTED = re.compile(r"'([^']+)'")
_HOW_TO_NAME = "give --format (spikeglx, openephys, intan, blackrock, nwb, mearec, binary, …)"


def format_of(path: Path) -> str:
    """Return the name of the format that a file or folder is in, by its name and contents.

    Raises
    ------
    BadInput
        If there is nothing at ``path``, or its format cannot be told.
    """
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    suffix = path.suffix.lower()
    if suffix in (".bin", ".dat") and path.with_suffix(".meta").is_file():
        return "spikeglx"
    if suffix in (".h5", ".hdf5") and path.stem.endswith(".raw"):
        return "maxwell"
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if path.is_dir():
        for pattern, name in _BY_CONTENT:
            if next(path.glob(pattern), None) is not None:
                return name
        raise BadInput(f"{path} is a folder of no format that is known by sight; {_HOW_TO_NAME}")
    if suffix == ".meta" and path.with_suffix(".bin").is_file():
        return "spikeglx"
    raise BadInput(f"the format of {path} is not known by its name; {_HOW_TO_NAME}")


_RUN_BY_READER = ("sinapsresearchplatform", "shybrid")
"""Formats whose readers evaluate text of the file as code, or load YAML that may name it."""
_FOLDERS = (SPIKEINTERFACE_FOLDER, "zarr", "binaryfolder")
"""Names under which SpikeInterface's own folders can be asked for."""


def read_format(name: str, path: Path, stream: str | None, *, trust: bool = False) -> Any:
    """Open a recording with SpikeInterface. Reads headers only.

    Parameters
    ----------
    name : str
        ``spikeinterface``, or a name of SpikeInterface such as ``spikeglx`` or ``nwb``.
    path : Path
    stream : str, optional
        Name or identifier of one of several streams; the series' path for NWB.
    trust : bool
        Whether what could run code is read.

    Returns
    -------
    spikeinterface.BaseRecording

    Raises
    ------
    BadInput
        If the format is unknown, the file is not in it, or a stream must be chosen.
    MissingDependency
        If the format needs a package that is not installed.
    """
    if not path.exists():
        raise BadInput(f"{path} does not exist")
    try:
        with nullcontext() if trust else no_pickles(path):
            if name in _FOLDERS:
                return _load_folder(path, trust=trust)
            if name in _RUN_BY_READER and not trust:
                raise untrusted(path, f"text that the reader of {name} runs")
            return _read_foreign(name, path, stream)
    except EmbersortError:
        raise
    except ImportError as error:
        how = f"install it with 'pip install {error.name}'" if error.name else _first_line(error)
        package = error.name or "a package that is not installed"
        raise MissingDependency(f"reading {name} needs {package}; {how}") from None
    except Exception as error:  # noqa: BLE001 - forty readers raise anything, even bare Exception
        text = _first_line(error)
        if "install" in text or text.startswith("Requires "):
            raise MissingDependency(f"reading {name} lacks a package: {text}") from None
        raise BadInput(
            f"{path} cannot be read as {name} ({text}); is it damaged, or in another format?"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _load_folder(path: Path, *, trust: bool) -> Any:
    from spikeinterface.core import BaseRecording, load, read_zarr

    if path.is_file():
        raise BadInput(f"{path} is a file, expected a SpikeInterface folder; {_HOW_TO_NAME}")
    is_zarr = (path / ".zgroup").is_file() or path.suffix == ".zarr"
    if not trust:
        return open_zarr_recording(path) if is_zarr else open_folder_recording(path)
    loaded = read_zarr(path) if is_zarr else load(path)
    if not isinstance(loaded, BaseRecording):
        raise BadInput(f"{path} holds a {type(loaded).__name__}, expected a recording")
    return loaded


def _read_foreign(name: str, path: Path, stream: str | None) -> Any:
    from spikeinterface.extractors import recording_extractor_full_dict

    if name == "openephys":
        legacy = next(path.glob("*.continuous"), None) is not None
        name = "openephyslegacy" if legacy else "openephysbinary"
    if name not in recording_extractor_full_dict:
        valid = [*recording_extractor_full_dict, "auto", "npy", "binary", "openephys"]
        raise BadInput(f"unknown format '{name}'{nearest_name(name, valid)}")
    reader = recording_extractor_full_dict[name]
    wants = list(inspect.signature(reader).parameters)
    place = path.parent if wants[0] == "folder_path" and path.is_file() else path
    options: dict[str, Any] = {wants[0]: place}
    streams = streams_of(_class_of(name), place)
    if streams is not None and stream is not None:
        options["stream_name"] = stream_named(stream, streams, path).name
    elif streams is not None and len(streams) > 1:
        options["stream_name"] = stream_with_spikes(streams, path).name
    elif name == "nwb":
        return _read_nwb(reader, place, stream)
    elif stream is not None:
        options["stream_name"] = stream
    return reader(**options)


def _read_nwb(reader: Any, path: Path, stream: str | None) -> Any:
    """Open the series of an NWB file that is meant, or the one that can hold spikes."""
    try:
        return reader(path, **({"electrical_series_path": stream} if stream else {}))
    except ValueError as error:
        _, found, listed = str(error).partition("Available options are:")
        if not found:
            raise
    opened = {one: reader(path, electrical_series_path=one) for one in _QUOTED.findall(listed)}
    if not opened:
        raise BadInput(f"{path} holds no continuous traces (ElectricalSeries): nothing to sort")
    streams = [
        Stream(
            name=one,
            id=one,
            n_channels=recording.get_num_channels(),
            sampling_rate_hz=float(recording.get_sampling_frequency()),
        )
        for one, recording in opened.items()
    ]
    chosen = stream_named(stream, streams, path) if stream else stream_with_spikes(streams, path)
    return opened[chosen.name]


def _class_of(name: str) -> Any:
    """Return the class of one of Neo's readers; None for other formats."""
    from spikeinterface.extractors.extractor_classes import neo_recording_extractors_dict

    for reader in neo_recording_extractors_dict:
        if reader.__name__.replace("Recording", "").replace("Extractor", "").lower() == name:
            return reader
    return None
