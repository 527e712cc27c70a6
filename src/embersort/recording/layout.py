"""Contacts in space brought into the plane of a probe, in micrometres."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from embersort.errors import BadInput
from embersort.types import FloatArray, IntArray

SAME_PLACE_UM = 1.0
"""Contacts are several micrometres wide: nearer than this, they are one, or the unit is wrong."""
FARTHEST_PITCH_UM = 20_000.0
"""Nearest contacts farther apart than 2 cm are nanometres, or no contacts."""
FLAT = 1e-3
"""Contacts whose spread off a plane is this share of their spread on it lie on it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Places of contacts in a plane.

    Attributes
    ----------
    positions_um : ndarray, shape (n_contacts, 2), float64
    side_index : ndarray, shape (n_contacts,), int64
        Contacts of different sides see different neurons. All zero for a flat probe.
    """

    positions_um: FloatArray
    side_index: IntArray


def in_plane(positions_um: FloatArray) -> Layout:
    """Return contacts, given in two or three dimensions, in the plane in which they lie.

    A coordinate that is the same for all is left out; so probes that stand in x, z or y, z are
    taken as what they are. Parallel planes, such as the two faces of a probe, are sides of their
    own. Other arrangements are seen along the direction in which they are thinnest.

    Parameters
    ----------
    positions_um : ndarray, shape (n_contacts, 2 or 3)

    Raises
    ------
    BadInput
        If the positions have another number of coordinates, or are not finite.
    """
    positions = np.asarray(positions_um, np.float64)
    if positions.ndim != 2 or positions.shape[1] not in (2, 3):
        raise BadInput(
            f"positions of contacts have shape {positions.shape}, "
            "expected (n_channels, 2) or (n_channels, 3): x, y and perhaps z in µm"
        )
    if not np.isfinite(positions).all():
        bad = int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])
        raise BadInput(f"the position of contact {bad} is not finite; give it in µm")
    one_side = np.zeros(len(positions), np.int64)
    if positions.shape[1] == 2:
        return Layout(positions_um=positions, side_index=one_side)
    extent = np.ptp(positions, axis=0) if len(positions) else np.zeros(3)
    thin = int(np.argmin(extent[::-1]))
    axis = 2 - thin
    kept = [one for one in range(3) if one != axis]
    if extent[axis] <= max(FLAT * extent.max(), 1e-9):
        if axis != 2:
            _log.warning(
                "the contacts of the probe stand in the plane %s; it is taken as the probe's plane",
                " and ".join("xyz"[one] for one in kept),
            )
        return Layout(positions_um=positions[:, kept], side_index=one_side)
    # Depth is the widest; of the others x is across a face by every convention.
    for axis in (one for one in (2, 1, 0) if one != int(np.argmax(extent))):
        sides = _sides(positions[:, axis])
        if sides is not None:
            kept = [one for one in range(3) if one != axis]
            _log.warning(
                "the contacts of the probe lie in %d planes of constant %s; each is taken as a "
                "side of its own, whose neurons the others do not see",
                sides.max() + 1,
                "xyz"[axis],
            )
            return Layout(positions_um=positions[:, kept], side_index=sides)
    return Layout(positions_um=_projected(positions), side_index=one_side)


def _sides(values: FloatArray) -> IntArray | None:
    """Return which of a few well separated values each is; None where they are not a few."""
    levels, index = np.unique(np.round(values, 3), return_inverse=True)
    few = len(levels) * 4 <= len(values)
    if not few or np.diff(levels).min(initial=np.inf) < SAME_PLACE_UM:
        return None
    return index.astype(np.int64).reshape(-1)


def _projected(positions: FloatArray) -> FloatArray:
    """Return three-dimensional places along their two widest directions, the widest as depth."""
    centred = positions - positions.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    # The sign of a direction is arbitrary: depth grows with the coordinate it is nearest to.
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    plane = (directions * signs[:, None])[[1, 0]]
    if len(spread) > 2 and spread[2] > FLAT * spread[0]:
        _log.warning(
            "the contacts of the probe lie in no plane (they are %.3g µm off the best one); they "
            "are projected onto it",
            spread[2] / np.sqrt(len(positions)),
        )
    return centred @ plane.T


def in_micrometres(positions: FloatArray, shank_index: IntArray | None = None) -> FloatArray:
    """Return positions in µm, where millimetres or metres were given as if they were.

    Contacts less than a micrometre apart do not exist; a thousand or a million times as far
    they are an ordinary probe. Said in a warning.

    Parameters
    ----------
    positions : ndarray, shape (n_contacts, n_axes)
    shank_index : ndarray, shape (n_contacts,), int64, optional
        Distances count within a shank only.

    Raises
    ------
    BadInput
        If no power of a thousand makes a probe of them.
    """
    nearest = _nearest(positions, shank_index)
    if nearest is None:
        return positions
    if nearest > FARTHEST_PITCH_UM:
        raise BadInput(
            f"the nearest contacts of the probe are {nearest:g} µm apart, more than any probe's; "
            "give positions in µm"
        )
    if nearest >= SAME_PLACE_UM:
        return positions
    for name, factor in (("millimetres", 1e3), ("metres", 1e6)):
        if SAME_PLACE_UM <= nearest * factor <= 1e3 * SAME_PLACE_UM:
            _log.warning(
                "the nearest contacts of the probe are %g µm apart, so its positions are taken as "
                "%s (%g µm apart); give them in µm to be sure",
                nearest,
                name,
                nearest * factor,
            )
            return positions * factor
    raise BadInput(
        f"the nearest contacts of the probe are {nearest:g} µm apart, nearer than contacts can be; "
        "give positions in µm"
    )


def _nearest(positions: FloatArray, shank_index: IntArray | None) -> float | None:
    """Return the median distance of a contact to its nearest neighbour elsewhere. O(n²)."""
    shanks = np.zeros(len(positions), np.int64) if shank_index is None else shank_index
    found = []
    for place, shank in zip(positions, shanks, strict=True):
        squares = ((positions[shanks == shank] - place) ** 2).sum(axis=1)
        squares = squares[squares > 0]
        if len(squares):
            found.append(np.sqrt(squares.min()))
    return float(np.median(found)) if found else None
