"""How large and how small a setting may be, by the unit in its name.

Far beyond anything that is meant, and near enough that no stage overflows, divides by what is all
but nothing, or asks for more memory than there is.
"""

from __future__ import annotations

_LARGEST = {
    "ms": 1e4,
    "s": 1e7,
    "um": 1e6,
    "hz": 1e6,
    "uv": 1e7,
    "mb": 1e7,
    "gib": 1e6,
}
"""By unit: ten seconds where milliseconds are meant, four months, a metre, a megahertz, …"""
_OTHERWISE = 1e12
_LEAST = 1e-12
"""A smaller number that is not 0 is no setting; its square may be no number at all."""


def out_of_bounds(name: str, value: object) -> str:
    """Return why a setting cannot be what it is, as the end of "NAME is VALUE: …"; empty if it can.

    Examples
    --------
    >>> out_of_bounds("exclude_ms", 1e18)
    'should be at most 10000'
    >>> out_of_bounds("exclude_ms", 0.4)
    ''
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or "seed" in name:
        return ""
    largest = _LARGEST.get(name.rpartition("_")[2], _OTHERWISE)
    if abs(value) > largest:
        return f"should be at most {largest:g}"
    if 0 < abs(value) < _LEAST:
        return f"should be 0 or at least {_LEAST:g}"
    return ""
