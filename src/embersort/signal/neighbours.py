"""Which channels are near which: fixed tables made once per recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.types import Geometry


def neighbour_table(
    geometry: Geometry, radius_um: float, max_channels: int | None = None
) -> NDArray[np.int64]:
    """List the channels within a radius of each channel, the nearest first.

    Parameters
    ----------
    geometry : Geometry
    radius_um : float
    max_channels : int, optional
        Keep at most this many, the channel itself among them.

    Returns
    -------
    ndarray, shape (n_channels, n_local), int64
        Row ``c`` starts with ``c`` itself and is filled up with -1. Channels at the same distance
        are in order of their index.
    """
    distance = geometry.distances_um()
    # A channel precedes any other contact at the very same place.
    np.fill_diagonal(distance, -1.0)
    order = np.argsort(distance, axis=1, kind="stable")
    near = np.take_along_axis(distance, order, axis=1) <= radius_um
    n_local = int(near.sum(axis=1).max(initial=1))
    if max_channels is not None:
        n_local = min(n_local, max_channels)
    return np.ascontiguousarray(np.where(near, order, -1)[:, :n_local])
