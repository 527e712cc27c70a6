"""A few of many, evenly spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spread_places(n: int, most: int) -> NDArray[np.int64]:
    """Return at most so many of the first ``n`` numbers, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).astype(np.int64))
