"""Arrays packed as text that a page can hold: small, typed, unpacked only when looked at.

A pack is ``base64(deflate(head + data))``. The head is a little-endian uint32 with the
length of the JSON that follows, then that JSON, padded so that the data start at a
multiple of 8 bytes. The JSON names each array with its type, shape, place and, where the
values were quantised, scale and zero: ``value = zero + scale * stored``.
``assets/pack.js`` is the reader.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGN_BYTES = 8
"""Typed arrays of a browser must start at a multiple of their item size."""
STORED_TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32")
"""What ``assets/pack.js`` can read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantised:
    """Real values kept as small integers: ``value = zero + scale * stored``."""

    stored: NDArray[Any]
    scale: float
    zero: float


def quantise(values: NDArray[Any], dtype: str) -> Quantised:
    """Spread finite values over all levels of an unsigned integer type.

    Parameters
    ----------
    values : ndarray
        Real values; what is not finite becomes the smallest finite value.
    dtype : str
        ``"uint8"`` or ``"uint16"``. The error is at most half a level,
        ``(max - min) / (2 * n_levels)``.
    """
    values = np.asarray(values, np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    n_levels = int(np.iinfo(dtype).max)
    scale = (high - low) / n_levels or 1.0
    clean = np.where(np.isfinite(values), values, low)
    return Quantised(stored=np.rint((clean - low) / scale).astype(dtype), scale=scale, zero=low)


def smallest_unsigned(counts: NDArray[Any]) -> NDArray[Any]:
    """Return counts in the smallest of uint8, uint16, uint32 that holds them."""
    highest = int(counts.max()) if counts.size else 0
    for dtype in ("uint8", "uint16"):
        if highest <= np.iinfo(dtype).max:
            return counts.astype(dtype)
    return counts.astype(np.uint32)


def pack(
    arrays: Mapping[str, NDArray[Any] | Quantised], facts: Mapping[str, Any] | None = None
) -> str:
    """Pack arrays, and a few plain values beside them, into one base64 text.

    Raises
    ------
    TypeError
        If an array is of a type that the reader does not know.
    """
    heads: dict[str, Any] = {}
    body = bytearray()
    for name, array in arrays.items():
        stored = array.stored if isinstance(array, Quantised) else np.asarray(array)
        if stored.dtype.name not in STORED_TYPES:
            raise TypeError(f"array {name} is {stored.dtype}, expected one of {STORED_TYPES}")
        head: dict[str, Any] = {
            "dtype": stored.dtype.name,
            "shape": list(stored.shape),
            "offset": len(body),
        }
        if isinstance(array, Quantised):
            head |= {"scale": array.scale, "zero": array.zero}
        heads[name] = head
        body += np.ascontiguousarray(stored).astype(stored.dtype.newbyteorder("<")).tobytes()
        body += bytes(-len(body) % ALIGN_BYTES)
    text = json.dumps({"arrays": heads, "facts": dict(facts or {})}, allow_nan=False).encode()
    text += b" " * (-(len(text) + 4) % ALIGN_BYTES)
    whole = len(text).to_bytes(4, "little") + text + bytes(body)
    return base64.b64encode(zlib.compress(whole, 9)).decode()


def unpack(text: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a pack back: the arrays (quantised ones as float64) and the facts."""
    whole = zlib.decompress(base64.b64decode(text))
    n_head = int.from_bytes(whole[:4], "little")
    head = json.loads(whole[4 : 4 + n_head])
    arrays: dict[str, NDArray[Any]] = {}
    for name, entry in head["arrays"].items():
        dtype = np.dtype(entry["dtype"]).newbyteorder("<")
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(whole, dtype, count, 4 + n_head + entry["offset"])
        if "scale" in entry:
            array = entry["zero"] + entry["scale"] * array
        arrays[name] = array.reshape(entry["shape"])
    return arrays, head["facts"]


def json_for_script(value: Any) -> str:
    """Return JSON that may stand inside a ``<script>`` element, whatever text it holds."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
