"""What the website shows, in one shape whatever file it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from embersort.benchmark.registry import RegisteredRecording
from embersort.benchmark.run import Row
from embersort.benchmark.sorters.spec import SorterSpec
from embersort.errors import BadInput

KINDS = {
    "simulated": "simulated throughout",
    "hybrid": "known spikes added to a real recording",
    "paired": "one cell recorded from inside as well",
    "manual": "curated by hand",
    "real": "no truth known",
    "": "not registered",
}
N_SLUG = 16
"""Characters of the hash that names a page's data; names may hold any script."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingInfo:
    """A recording, and where it belongs.

    Attributes
    ----------
    name, study_set, study, title : str
        Full name and its parts; the title is the last part.
    facts : dict
        What is known of it: kind, species, region, probe, licence, DOI, source.
    truth : dict
        Columns of its true units, as ``benchmark.scores.truth_table`` has them; may be empty.
    """

    name: str
    study_set: str
    study: str
    title: str
    facts: dict[str, Any] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """Name of its data file."""
        return slug(self.name)

    @property
    def n_units(self) -> int:
        """Number of true units."""
        return len(self.truth.get("unit_id", []))


@dataclass(frozen=True, kw_only=True, slots=True)
class SorterInfo:
    """A version of a sorter.

    Attributes
    ----------
    key : str
        Name and version.
    name, version : str
    facts : dict
        Title, licence, homepage, where its settings come from.
    """

    key: str
    name: str
    version: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """All results, ready to be shown.

    Attributes
    ----------
    recordings : list of RecordingInfo
        By study set, study and name.
    sorters : list of SorterInfo
        By name and version.
    rows : dict of (int, int) to Row
        Result of each (recording, sorter), by their positions.
    """

    recordings: list[RecordingInfo]
    sorters: list[SorterInfo]
    rows: dict[tuple[int, int], Row]

    @property
    def n_units(self) -> int:
        """Number of true units of all recordings."""
        return sum(recording.n_units for recording in self.recordings)


def slug(name: str) -> str:
    """Return a short name that any file system and address can hold."""
    return sha256(name.encode()).hexdigest()[:N_SLUG]


def load_benchmark(
    rows: Sequence[Row],
    registry: Mapping[str, RegisteredRecording] | None = None,
    sorters: Mapping[str, SorterSpec] | None = None,
) -> Benchmark:
    """Bring rows of results into the shape of the website.

    Parameters
    ----------
    rows : sequence of Row
        At most one per recording and version of a sorter.
    registry : mapping, optional
        What is known of the recordings.
    sorters : mapping, optional
        What is known of the sorters.

    Raises
    ------
    BadInput
        If there are no rows, two of one place, or a row whose columns differ in length.
    """
    if not rows:
        raise BadInput("there are no results to show; run 'embersort bench run' first")
    names = sorted({row.recording for row in rows}, key=place_of)
    recordings = [_recording(name, rows, (registry or {}).get(name)) for name in names]
    keys = _sorter_keys(rows)
    infos = [
        _sorter(key, name, version, sorters or {}) for key, name, version in sorted(keys.values())
    ]
    recording_index = {recording.name: index for index, recording in enumerate(recordings)}
    sorter_index = {info.key: index for index, info in enumerate(infos)}
    placed: dict[tuple[int, int], Row] = {}
    for row in rows:
        key = keys[row.sorter, row.result.get("sorter_version", "")][0]
        place = recording_index[row.recording], sorter_index[key]
        if place in placed:
            raise BadInput(f"there are two results of {key} on {row.recording}; keep one of them")
        _check(row, recordings[place[0]])
        placed[place] = row
    return Benchmark(recordings=recordings, sorters=infos, rows=placed)


def place_of(name: str) -> tuple[str, str, str]:
    """Return study set, study and title of a recording's full name.

    Examples
    --------
    >>> place_of("set/study/a"), place_of("alone")
    (('set', 'study', 'a'), ('alone', 'alone', 'alone'))
    """
    parts = name.split("/", 2)
    return parts[0], parts[1] if len(parts) > 2 else parts[0], parts[-1]


def _recording(
    name: str, rows: Sequence[Row], registered: RegisteredRecording | None
) -> RecordingInfo:
    study_set, study, title = place_of(name)
    truth = next((row.truth for row in rows if row.recording == name and row.truth), {})
    facts: dict[str, Any] = {"kind": ""}
    if registered is not None:
        described = registered.study_set.model_dump(exclude={"studies"})
        facts = {key: value for key, value in described.items() if key != "name"}
        facts["study_description"] = registered.study.description
        facts["source"] = registered.entry.source.model_dump()
    content = next(
        (
            row.result["recording"]
            for row in rows
            if row.recording == name and row.result.get("recording")
        ),
        "",
    )
    return RecordingInfo(
        name=name,
        study_set=study_set,
        study=study,
        title=title,
        facts={**facts, "content": content},
        truth=truth,
    )


def _sorter_keys(rows: Sequence[Row]) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Name each version; a row that never ran belongs to the newest version that did."""
    versions: dict[str, list[str]] = {}
    for row in rows:
        version = row.result.get("sorter_version", "")
        if version and version not in versions.setdefault(row.sorter, []):
            versions[row.sorter].append(version)
    keys = {}
    for row in rows:
        version = row.result.get("sorter_version", "")
        known = sorted(versions.get(row.sorter, []), key=_natural)
        shown = version or (known[-1] if known else "")
        key = f"{row.sorter} {shown}".strip()
        keys[row.sorter, version] = (key, row.sorter, shown)
    return keys


def _natural(version: str) -> list[tuple[int, str]]:
    """Order 4.1.10 after 4.1.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]


def _sorter(key: str, name: str, version: str, sorters: Mapping[str, SorterSpec]) -> SorterInfo:
    spec = sorters.get(name)
    facts: dict[str, Any] = {}
    if spec is not None:
        facts = {
            "title": spec.title,
            "licence": spec.licence,
            "homepage": spec.homepage,
            "settings_source": spec.settings_source,
            "needs": spec.needs,
            "parameters": spec.parameters,
            "requirements": list(spec.requirements),
            "is_reference": spec.gets_truth,
        }
    return SorterInfo(key=key, name=name, version=version, facts=facts)


def _check(row: Row, recording: RecordingInfo) -> None:
    """Refuse a row whose columns do not fit its truth."""
    for rule, scores in row.scores.items():
        try:
            lengths = {len(scores["units"][name]) for name in ("unit_id", "accuracy")}
        except (KeyError, TypeError):
            raise BadInput(
                f"the result of {row.sorter} on {row.recording} has no unit scores by rule {rule}; "
                "it is of an older schema: run 'embersort bench run' again"
            ) from None
        if lengths != {recording.n_units}:
            raise BadInput(
                f"the result of {row.sorter} on {row.recording} scores {sorted(lengths)} units, "
                f"its truth has {recording.n_units}"
            )


def plain_json(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return json.loads(json.dumps(value, default=str))
