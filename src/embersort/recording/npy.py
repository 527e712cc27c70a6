"""NumPy files checked before they are read: no objects, no shape that lies, no bomb."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.machine import memory_mb

LARGE_BYTES = 1_000_000_000
"""Below this an array is read whatever it was compressed to."""
MOST_COMPRESSED = 200
"""An array that is larger and shrank by more than this is no data; zeros shrink by 1,000."""


DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    MemoryError,
    BadZipFile,
    ZlibError,
)
"""What NumPy and zipfile raise over damaged, foreign, encrypted and oversized files."""


_MAX_SAMPLES = 2**62
"""Later than any spike."""


class _Unreadable(ValueError):
    """Why an array is not read, in half a sentence."""


def load_npz(path: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays from a ``.npz`` file, without objects, and none that could not fit in memory.

    Parameters
    ----------
    path : Path
    names : collection of str, optional
        Which arrays; those that the file lacks are left out. All where not given.

    Raises
    ------
    BadInput
        If the file is missing, damaged, or one of the arrays is not what it says.
    """
    try:
        with ZipFile(path) as archive:
            members = _members(archive, names)
            for name, member in members.items():
                _check_member(archive, name, member)
        with np.load(path, allow_pickle=False, max_header_size=MAX_HEADER) as arrays:
            return {name: arrays[name] for name in members}
    except DAMAGE as error:
        raise BadInput(f"{path} cannot be read ({reason(error)}); is it truncated?") from None


def npz_names(path: Path) -> set[str]:
    """Return the names of the arrays in a ``.npz`` file.

    Raises
    ------
    BadInput
        If it is none.
    """
    try:
        with ZipFile(path) as archive:
            return set(_members(archive, None))
    except DAMAGE as error:
        raise BadInput(f"{path} cannot be read ({reason(error)}); is it truncated?") from None


def load_npy(path: Path) -> NDArray[Any]:
    """Read an array from a ``.npy`` file, without objects.

    Raises
    ------
    BadInput
        If the file is missing, damaged, or not what it says.
    """
    try:
        with path.open("rb") as file:
            check_npy(file, path.stat().st_size)
            file.seek(0)
            return np.lib.format.read_array(file, allow_pickle=False)
    except DAMAGE as error:
        raise BadInput(f"{path} cannot be read as a NumPy array: {reason(error)}") from None


MAX_HEADER = 10_000
"""Longest header that is parsed, in bytes: NumPy's own limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What a ``.npy`` file says of its array, and how many bytes it takes to say it."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    n_bytes: int


def check_npy(file: IO[bytes], n_bytes: int) -> Header:
    """Check that an array's header fits the ``n_bytes`` of its file, and return it.

    Raises
    ------
    ValueError
        If it holds objects, or its shape is none, or says more or less than there is.
    """
    version = npy_format.read_magic(file)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise _Unreadable(f"version {version} of the format is not known")
    first = version == (1, 0)
    read = npy_format.read_array_header_1_0 if first else npy_format.read_array_header_2_0
    try:
        shape, fortran_order, dtype = read(file, max_header_size=MAX_HEADER)
    except (TypeError, SyntaxError, TokenError, RecursionError, MemoryError) as error:
        raise _Unreadable(f"its header is damaged ({reason(error)})") from None
    if dtype.hasobject:
        raise _Unreadable("it holds Python objects, which could run code")
    if any(type(n) is not int or n < 0 for n in shape):
        raise _Unreadable(f"its shape {shape} is none")
    wanted, there = math.prod(shape) * dtype.itemsize, n_bytes - file.tell()
    if wanted > there:
        raise _Unreadable(f"its shape {shape} needs {wanted} bytes, {there} are there")
    return Header(shape=shape, fortran_order=fortran_order, dtype=dtype, n_bytes=file.tell())


def whole_row(array: NDArray[Any], where: str) -> NDArray[np.int64]:
    """Return an array as int64 if it is one row of whole numbers below ``2**62``.

    Raises
    ------
    BadInput
        If it is something else; ``where`` names it.
    """
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise BadInput(
            f"{where}: {array.dtype} of shape {array.shape}, expected one row of whole numbers"
        )
    if array.size and not (np.abs(array.astype(np.float64)) <= _MAX_SAMPLES).all():
        raise BadInput(f"{where}: values that are missing or beyond any recording")
    whole = array.astype(np.int64)
    if array.dtype.kind == "f" and not np.array_equal(whole, array):
        raise BadInput(f"{where}: values that are no whole numbers")
    return whole


def reason(error: BaseException) -> str:
    """Return the first line of what an error says, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _members(archive: ZipFile, names: Iterable[str] | None) -> dict[str, ZipInfo]:
    found = {
        info.filename.removesuffix(".npy"): info
        for info in archive.infolist()
        if info.filename.endswith(".npy")
    }
    return found if names is None else {name: found[name] for name in names if name in found}


def _check_member(archive: ZipFile, name: str, member: ZipInfo) -> None:
    shrank = member.file_size / max(1, member.compress_size)
    if member.file_size > LARGE_BYTES and shrank > MOST_COMPRESSED:
        raise _Unreadable(
            f"'{name}' would grow {shrank:.0f}-fold to {member.file_size / 1e9:.1f} GB: no data do"
        )
    memory = memory_mb()
    if memory is not None and member.file_size > memory * 1e6:
        raise _Unreadable(f"'{name}' takes {member.file_size / 1e9:.1f} GB, more than the memory")
    with archive.open(member) as file:
        try:
            check_npy(file, member.file_size)
        except ValueError as error:
            raise _Unreadable(f"'{name}': {reason(error)}") from None
