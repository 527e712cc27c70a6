"""Downloads that are checked by their hash and kept by it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pooch

from embersort.benchmark.registry import inside
from embersort.benchmark.sources import DandiSource, FilesSource, RemoteFile
from embersort.errors import BadInput

SCHEMES = ("http", "https", "file")
TIME_OUT_S = 60.0
"""Longest wait for a server's next bytes."""
BLOCK_BYTES = 1 << 20
MAX_DOWNLOAD_VARIABLE = "EMBERSORT_MAX_DOWNLOAD_GB"
"""Environment variable with the most that one file may have, in gigabytes."""
MAX_DOWNLOAD_GB = 100.0
MAX_ANSWER_BYTES = 10_000_000
"""Most that an archive may say in answer to a question."""
KEPT_FREE_BYTES = 1_000_000_000
"""What a download leaves free on the disk."""
DANDI_API_VARIABLE = "EMBERSORT_DANDI_API"
"""Environment variable with another DANDI server, for tests and mirrors."""
DANDI_API = "https://api.dandiarchive.org/api"


def fetch_file(remote: RemoteFile, downloads: Path) -> Path:
    """Download a file unless its hash is there already.

    Parameters
    ----------
    remote : RemoteFile
    downloads : Path
        Folder of files named by their hash.

    Returns
    -------
    Path
        The file in ``downloads``; its name is its SHA-256.

    Raises
    ------
    BadInput
        If the address cannot be reached or the content has another hash.
    """
    if remote.sha256 and (downloads / remote.sha256).is_file():
        return downloads / remote.sha256
    scheme = urllib.parse.urlsplit(remote.url).scheme
    if scheme not in SCHEMES:
        raise BadInput(f"the address '{remote.url}' is not one of {', '.join(SCHEMES)}")
    downloads.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel("WARNING")
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=downloads) as folder:
        try:
            part = pooch.retrieve(
                remote.url,
                known_hash=f"sha256:{remote.sha256}" if remote.sha256 else None,
                fname="file",
                path=folder,
                downloader=_download,
            )
        except BadInput:
            raise
        except ValueError as error:
            raise BadInput(
                f"{remote.url} is not the file that the registry says {remote.sha256} of; it "
                f"changed or was damaged on the way ({error})"
            ) from None
        place = downloads / pooch.file_hash(part)
        Path(part).replace(place)
    return place


def fetch_files(source: FilesSource, downloads: Path, folder: Path) -> dict[str, str]:
    """Fetch all files of a source and lay them out in a folder.

    Returns
    -------
    dict
        The SHA-256 of each file by its path: what the registry leaves open until the first fetch.

    Raises
    ------
    BadInput
        If there is nothing to fetch, a path leads out of the folder, or a download fails.
    """
    if not source.files:
        raise BadInput(
            "the entry names no files, since no address of them is known; write an entry of the "
            "same name with yours, and 'embersort bench registry add' it"
        )
    hashes = {}
    for remote in source.files:
        place = inside(folder, remote.path)
        fetched = fetch_file(remote, downloads)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fetched, place)
        hashes[remote.path] = fetched.name
    return hashes


def find_dandi_asset(source: DandiSource) -> RemoteFile:
    """Ask a DANDI server for the asset that an entry names.

    Raises
    ------
    BadInput
        If the entry names none, the server cannot be reached or knows none of that path.
    """
    api = os.environ.get(DANDI_API_VARIABLE, DANDI_API).rstrip("/")
    asset_id = source.asset_id
    if not asset_id:
        if not source.asset_path:
            raise BadInput(
                f"the entry leaves the asset's path in dandiset {source.dandiset} open; "
                "see the archive and complete it"
            )
        query = urllib.parse.urlencode({"path": source.asset_path, "metadata": "false"})
        version = f"{api}/dandisets/{source.dandiset}/versions/{source.version}"
        results = _read_json(f"{version}/assets/?{query}").get("results", [])
        exact = [asset for asset in results if asset.get("path") == source.asset_path]
        if not exact:
            raise BadInput(f"dandiset {source.dandiset} holds no asset '{source.asset_path}'")
        asset_id = str(exact[0]["asset_id"])
    name = Path(source.recording or source.asset_path).name
    url = f"{api}/assets/{urllib.parse.quote(asset_id)}/download/"
    return RemoteFile(path=name, url=url, sha256=source.sha256)


def _read_json(url: str) -> dict[str, Any]:
    """Return the JSON object that an address answers with."""
    with _open(url) as response:
        content = b"".join(_blocks(response, url, MAX_ANSWER_BYTES))
    try:
        value = json.loads(content)
    except ValueError:
        raise BadInput(f"{url} did not answer with JSON") from None
    if not isinstance(value, dict):
        raise BadInput(f"{url} answered with something other than an object")
    return value


def _download(url: str, place: str, _: object) -> None:
    """Write what an address holds to a place, within what may be fetched."""
    with Path(place).open("wb") as target, _open(url) as response:
        for block in _blocks(response, url, _most_bytes(Path(place).parent)):
            target.write(block)
        target.flush()
        os.fsync(target.fileno())


def _open(url: str) -> Any:
    try:
        return urllib.request.urlopen(url, timeout=TIME_OUT_S)
    except urllib.error.HTTPError as error:
        raise BadInput(f"{url} cannot be reached: {error}") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise BadInput(f"{url} cannot be reached: {reason}") from None


def _most_bytes(folder: Path) -> int:
    """Return how large a file may be: as the user says, and as the disk has room."""
    said = os.environ.get(MAX_DOWNLOAD_VARIABLE, str(MAX_DOWNLOAD_GB))
    try:
        limit = int(float(said) * 1e9)
    except (ValueError, OverflowError):
        raise BadInput(f"{MAX_DOWNLOAD_VARIABLE} is '{said}', expected gigabytes") from None
    return min(limit, max(0, shutil.disk_usage(folder).free - KEPT_FREE_BYTES))


def _blocks(response: Any, url: str, most_bytes: int) -> Iterator[bytes]:
    """Yield what a server sends; too much is an error, and an end before the announced one."""
    n_announced, n_read = response.headers.get("Content-Length"), 0
    if n_announced is not None and not n_announced.isdecimal():
        raise BadInput(f"{url} announces '{n_announced}' bytes, which is no number")
    if n_announced is not None and int(n_announced) > most_bytes:
        raise _too_large(url, int(n_announced), most_bytes)
    try:
        while block := response.read(BLOCK_BYTES):
            n_read += len(block)
            if n_read > most_bytes:
                raise _too_large(url, n_read, most_bytes)
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise BadInput(f"{url} broke off after {n_read} bytes: {error}; fetch it again") from None
    if n_announced is not None and n_read != int(n_announced):
        raise BadInput(f"{url} broke off after {n_read} of {n_announced} bytes; fetch it again")


def _too_large(url: str, n_bytes: int, most_bytes: int) -> BadInput:
    return BadInput(
        f"{url} has {n_bytes / 1e9:.3g} GB or more, at most {most_bytes / 1e9:.3g} GB are fetched; "
        f"free disk space, or raise {MAX_DOWNLOAD_VARIABLE}"
    )
