"""Embersort: spike sorting by deep clustering.

>>> import embersort
>>> result = embersort.sort(recording)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Imported when first used: `embersort --help` must not pay for Numba.
_LAZY = {
    "sort": "embersort.sorting",
    "compare": "embersort.evaluation.comparison",
    "open_recording": "embersort.recording",
    "SortConfig": "embersort.config",
    "Geometry": "embersort.types",
    "Sorting": "embersort.types",
}

_PACKAGES = ("simulate",)
"""``embersort.simulate.simulate(scene)`` needs no import of its own."""

__all__ = ["__version__", *_LAZY, *_PACKAGES]


_FUNCTIONS = ("sort", "compare", "open_recording")


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        globals()[name] = _function(name)
        return globals()[name]
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    if name in _PACKAGES:
        return import_module(f"embersort.{name}")
    raise AttributeError(f"module 'embersort' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)


def _function(name: str) -> Any:
    """Return one of the functions, with answers in the words of Python."""
    import inspect

    from embersort.python_words import for_python

    function = getattr(import_module(_LAZY[name]), name)
    opening: list[str] = []
    if name == "sort":
        door = import_module(_LAZY["open_recording"])
        opening = list(inspect.signature(door.open_recording).parameters)
    return for_python(function, opening)
