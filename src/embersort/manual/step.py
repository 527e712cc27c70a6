"""One step of curation: which unit each spike goes to, and how units are labelled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from embersort.errors import BadInput
from embersort.types import UNASSIGNED, IntArray, Sorting, frozen_array

LABEL = "label"
"""Column of the unit table with the label that a person gave."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of curation.

    Attributes
    ----------
    unit_id_of_spike : ndarray, shape (n_spikes,), int64
        Name of the unit that each spike goes to; -1 where it is taken out.
    labels : dict of str to dict of int to str
        Column of the unit table, then the label of each unit by its name after the step.
    """

    unit_id_of_spike: IntArray
    labels: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = frozen_array(self.unit_id_of_spike, np.int64, 1, "unit_id_of_spike")
        object.__setattr__(self, "unit_id_of_spike", ids)


def make_step(
    sorting: Sorting,
    *,
    labels: Mapping[str, Mapping[int, str]] | None = None,
    merges: Iterable[tuple[Sequence[int], int | None]] = (),
    splits: Iterable[tuple[int, Sequence[Sequence[int]], Sequence[int] | None]] = (),
    removed: Iterable[int] = (),
) -> Step:
    """Return the step that some decisions make.

    Parameters
    ----------
    sorting : Sorting
    labels : dict, optional
        By column and unit. A merged unit keeps a label on which its parts agree, and the parts of
        a split unit have its label.
    merges : iterable of (unit ids, new id or None)
    splits : iterable of (unit id, groups of spikes, new ids or None)
        Spikes by their position in the unit's train. Those in no group are one more group.
    removed : iterable of int
        Units whose spikes are taken out.

    Raises
    ------
    BadInput
        If a unit does not exist, is in two decisions, or a new name is taken.
    """
    ids = sorting.unit_ids[sorting.unit_index].copy()
    names = _Names(sorting)
    origin: dict[int, list[int]] = {}
    for unit in names.use_all(removed, "removed"):
        ids[ids == unit] = UNASSIGNED
    for group, wanted in merges:
        parts = names.use_all(group, "merged")
        if len(parts) < 2:
            raise BadInput(f"a merge of {list(group)} names fewer than two units")
        new = names.new(wanted, parts)
        ids[np.isin(ids, parts)] = new
        origin[new] = parts
    for unit, groups, wanted_ids in splits:
        (unit,) = names.use_all([unit], "split")
        spikes = np.flatnonzero(sorting.unit_ids[sorting.unit_index] == unit)
        for part, wanted in _parts(unit, len(spikes), groups, wanted_ids):
            new = names.new(wanted, [unit])
            ids[spikes[part]] = new
            origin[new] = [unit]
    return Step(unit_id_of_spike=ids, labels=_inherited(labels or {}, origin, sorting))


def _parts(
    unit: int, n_spikes: int, groups: Sequence[Sequence[int]], wanted: Sequence[int] | None
) -> list[tuple[IntArray, int | None]]:
    """Return the positions and the wanted name of each part of a split unit."""
    parts = [np.asarray(group, np.int64).ravel() for group in groups]
    every = np.concatenate([np.zeros(0, np.int64), *parts])
    if len(every) and (every.min() < 0 or every.max() >= n_spikes):
        raise BadInput(f"the split of unit {unit} names spike {every.max()} of {n_spikes}")
    if len(np.unique(every)) != len(every):
        raise BadInput(f"the split of unit {unit} has a spike in two groups")
    rest = np.setdiff1d(np.arange(n_spikes), every)
    parts += [rest] if len(rest) else []
    if wanted is not None and len(wanted) != len(parts):
        raise BadInput(f"the split of unit {unit} makes {len(parts)} units, named are {wanted}")
    names: list[int | None] = list(wanted) if wanted is not None else [None] * len(parts)
    return list(zip(parts, names, strict=True))


class _Names:
    """Gives out unit names: each old one once, each new one that is free."""

    def __init__(self, sorting: Sorting) -> None:
        self._known = {int(unit) for unit in sorting.unit_ids}
        self._used: set[int] = set()
        self._given: set[int] = set()

    def use_all(self, units: Iterable[int], what: str) -> list[int]:
        found = [int(unit) for unit in units]
        for unit in found:
            if unit not in self._known:
                raise BadInput(f"unit {unit} is {what}, but the result has no such unit")
            if unit in self._used:
                raise BadInput(f"unit {unit} is merged, split or removed twice")
            self._used.add(unit)
        return found

    def new(self, wanted: int | None, parts: Sequence[int]) -> int:
        if wanted is None:
            wanted = max(self._known | self._given, default=-1) + 1
        taken = (self._known - set(parts)) | self._given
        if wanted in taken or wanted < 0:
            raise BadInput(f"a new unit cannot be named {wanted}: the name is taken or negative")
        self._given.add(wanted)
        return wanted


def _inherited(
    labels: Mapping[str, Mapping[int, str]], origin: Mapping[int, list[int]], sorting: Sorting
) -> dict[str, dict[int, str]]:
    """Return labels by the names after the step."""
    known = {int(unit) for unit in sorting.unit_ids}
    given: dict[str, dict[int, str]] = {}
    for column, by_unit in labels.items():
        if unknown := set(by_unit) - known - set(origin):
            raise BadInput(f"unit {min(unknown)} has a label, but the result has no such unit")
        after = dict(by_unit)
        for new, parts in origin.items():
            said: set[Any] = {by_unit.get(part) for part in parts}
            if new not in by_unit and len(said) == 1 and None not in said:
                after[new] = said.pop()
        given[column] = after
    return given
