"""SpikeInterface folders opened without what in them could run code.

SpikeInterface itself loads ``properties/*.npy`` with pickles, unpickles ``cached.pkl``, and makes
an object of whatever class ``si_folder.json`` names. Here only known readers are made, by us, after
every file that they read was looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from embersort.errors import BadInput
from embersort.recording.npy import check_npy, reason
from embersort.recording.trust import untrusted

_METADATA = (".zmetadata", ".zarray", "zarr.json")
_MAX_JSON_BYTES = 200_000_000

_CODECS = frozenset(
    {
        *("blosc", "zstd", "lz4", "zlib", "gzip", "bz2", "lzma", "shuffle", "delta", "astype"),
        *("fixedscaleoffset", "quantize", "bitround", "packbits", "crc32", "crc32c", "adler32"),
        *(
            "fletcher32",
            "vlen-utf8",
            "vlen-bytes",
            "vlen-array",
            "json2",
            "msgpack2",
            "fixedlength",
        ),
        *("wavpack", "flac", "bytes", "transpose", "sharding_indexed", "categorize"),
    }
)
"""Zarr's compressors and filters that hold data only; ``pickle`` is the one that does not."""


def open_zarr_recording(path: Path) -> Any:
    """Open a SpikeInterface recording in Zarr, after its codecs were looked at."""
    from spikeinterface.core.zarrextractors import read_zarr_recording

    check_zarr(path)
    return read_zarr_recording(path)


def open_folder_recording(path: Path) -> Any:
    """Open the folder of a saved SpikeInterface recording, after its files were looked at.

    Raises
    ------
    BadInput
        If it holds pickles, Python objects, or names a class that is not a plain folder of traces.
    """
    from spikeinterface.core import BinaryFolderRecording

    if (path / "binary.json").is_file():
        _check_traces(path / "binary.json")
        check_properties(path)
        return BinaryFolderRecording(path)
    for name in ("cached.pkl", "cached.pickle", "cached.json"):
        if (path / name).is_file():
            raise untrusted(path / name, "a recording as SpikeInterface before 0.95 stored it")
    named = class_named_in(path)
    if "sorting" in named.lower():
        raise BadInput(f"{path} holds a {named.rpartition('.')[2]}, expected a recording")
    if named.endswith(".ZarrRecordingExtractor"):
        raise BadInput(f"{path} leads to a Zarr folder; name that one")
    raise untrusted(path / "si_folder.json", f"a {named or 'nameless class'}, not plain traces")


def class_named_in(path: Path) -> str:
    """Return the class that a SpikeInterface folder names; empty if none."""
    file = path / "si_folder.json"
    values = read_json(file) if file.is_file() else {}
    return str(values.get("class", "")) if isinstance(values, dict) else ""


def check_properties(path: Path) -> None:
    """Refuse a folder whose properties or times are more than plain arrays."""
    files = [*(path / "properties").glob("*.npy"), *path.glob("times_cached_seg*.npy")]
    for file in files:
        try:
            with file.open("rb") as opened:
                check_npy(opened, file.stat().st_size)
        except (OSError, ValueError, EOFError) as error:
            if "Python objects" in str(error):
                raise untrusted(file, "Python objects") from None
            raise BadInput(f"{file} cannot be read as a NumPy array: {reason(error)}") from None


def check_zarr(path: Path) -> None:
    """Refuse a Zarr folder with a codec that is not known to hold data only."""
    if path.suffix == ".n5":
        raise BadInput(f"{path} is an N5 folder, expected Zarr")
    for file in _metadata_files(path):
        for codec in _codecs_in(read_json(file)):
            if codec.removeprefix("numcodecs.") not in _CODECS:
                raise untrusted(file, f"data in the codec '{codec}'")


def read_json(path: Path) -> Any:
    """Read a JSON file of a bounded size.

    Raises
    ------
    BadInput
        If it is none.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise BadInput(f"{path} is too large for what it should hold")
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} cannot be read as JSON: {reason(error)}") from None


def _check_traces(file: Path) -> None:
    """Check that ``binary.json`` names flat binary files that lie beside it."""
    values = read_json(file)
    kwargs = values.get("kwargs") if isinstance(values, dict) else None
    if not isinstance(kwargs, dict):
        raise BadInput(f"{file} does not say how its traces are stored; is it damaged?")
    if not str(values.get("class", "")).endswith(".BinaryRecordingExtractor"):
        raise untrusted(file, f"a {values.get('class')}, not plain traces")
    for key in ("file_paths", "file_timestamps_paths"):
        named = kwargs.get(key) or []
        for name in named if isinstance(named, list) else [named]:
            place = PurePath(str(name))
            if place.is_absolute() or ".." in place.parts:
                raise BadInput(f"{file} leads out of its folder, to {name}; put the traces into it")


def _metadata_files(path: Path) -> Iterator[Path]:
    """Yield every file of metadata in a Zarr folder, through links too, as Zarr would find them."""
    seen = set()
    for place, folders, files in os.walk(path, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(place) / name for name in files if name in _METADATA)


def _codecs_in(value: Any) -> Iterator[str]:
    """Yield the name of every codec in the metadata of Zarr, of either version."""
    if isinstance(value, list):
        for item in value:
            yield from _codecs_in(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("compressor", "filters", "codecs"):
            for codec in item if isinstance(item, list) else [item]:
                if isinstance(codec, dict):
                    yield str(codec.get("id", codec.get("name")))
                    yield from _codecs_in(codec.get("configuration"))
                elif isinstance(codec, str) and key == "codecs":
                    yield codec
        else:
            yield from _codecs_in(item)
