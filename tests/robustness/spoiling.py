"""Healthy files made into broken ones, by strategies of Hypothesis."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("EMBERSORT_FUZZ_CASES", "200"))
"""Of all fuzzers together: 200 by ``make test``, 5,000 by ``make fuzz``."""
N_FUZZERS = 5

fuzz = settings(
    max_examples=max(1, CASES // N_FUZZERS),
    deadline=20_000,
    derandomize=CASES <= 200,
    suppress_health_check=list(HealthCheck),
    database=None,
)
"""A case that takes 20 s has failed."""

ODD_NUMBERS = st.sampled_from(
    [0, -1, 1, 2**31, 2**63 - 1, -(2**63), 1e-310, 1e-40, 1e18, 1e308, np.nan, np.inf, -np.inf]
)
ODD_TYPES = st.sampled_from(
    ["?", "i1", "<i8", "u8", "f2", "<f4", ">f8", "c8", "U3", "S2", "M8[s]", "i4,f4", "V4"]
)
ODD_SHAPES = st.sampled_from(
    [(), (0,), (1,), (3,), (5,), (0, 0), (5, 2), (2, 5), (1, 1, 1), (5, 0)]
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def odd_arrays(draw: Any) -> np.ndarray:
    """Draw an array of a type and shape that nobody expects."""
    dtype, shape = draw(ODD_TYPES), draw(ODD_SHAPES)
    array = np.zeros(shape, dtype)
    if array.dtype.kind in "iuf":
        with np.errstate(all="ignore"):
            array[...] = np.array(draw(ODD_NUMBERS), np.float64).astype(dtype)
    return array


@st.composite
def spoilt_bytes(draw: Any, content: bytes) -> bytes:
    """Draw a file's content cut short, with bytes changed, doubled, or something else at all."""
    way = draw(st.sampled_from(["cut", "change", "insert", "other", "empty"]))
    if way == "empty":
        return b""
    if way == "other":
        return draw(st.binary(max_size=200))
    place = draw(st.integers(0, max(0, len(content) - 1)))
    if way == "cut":
        return content[:place]
    piece = draw(st.binary(min_size=1, max_size=20))
    end = place + (len(piece) if way == "change" else 0)
    return content[:place] + piece + content[end:]


@st.composite
def spoilt_json(draw: Any, text: str) -> str:
    """Draw a JSON text in which one value is something else, or gone."""
    whole = json.loads(text)
    place, value = whole, None
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
            value = draw(JSON | ODD_NUMBERS)
            if draw(st.booleans()) and isinstance(place, dict):
                del place[key]
            else:
                place[key] = value
            break
        place = place[key]
    return json.dumps(whole)


@st.composite
def spoilt_file(draw: Any, path: Path) -> bytes:
    """Draw a broken form of a file, by what it is."""
    content = path.read_bytes()
    if draw(st.booleans()):
        return draw(spoilt_bytes(content))
    if path.suffix == ".json":
        return draw(spoilt_json(content.decode())).encode()
    if path.suffix in (".npz", ".npy"):
        return draw(_spoilt_arrays(path))
    return draw(spoilt_bytes(content))


@st.composite
def _spoilt_arrays(draw: Any, path: Path) -> bytes:
    import io

    out, odd = io.BytesIO(), draw(odd_arrays())
    if path.suffix == ".npy":
        np.save(out, odd)
        return out.getvalue()
    with np.load(path) as arrays:
        values = dict(arrays)
    name = draw(st.sampled_from(sorted(values)))
    way = draw(st.sampled_from(["odd", "short", "gone", "number"]))
    if way == "odd":
        values[name] = odd
    elif way == "short" and values[name].ndim:
        values[name] = values[name][: draw(st.integers(0, 3))]
    elif way == "number" and values[name].size and values[name].dtype.kind in "iuf":
        changed = values[name].copy()
        with np.errstate(all="ignore"):
            changed.reshape(-1)[0] = np.array(draw(ODD_NUMBERS), float).astype(changed.dtype)
        values[name] = changed
    else:
        del values[name]
    np.savez(out, **values)
    return out.getvalue()
