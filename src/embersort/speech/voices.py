"""Speaker-labelled voices in a folder, divided so that no speaker is both learned and tested."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embersort.errors import BadInput
from embersort.speech.audio import SUFFIXES

Part = Literal["train", "validate", "test"]

TEST_SHARE = 0.15
VALIDATE_SHARE = 0.08


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """One sound file of one speaker.

    Attributes
    ----------
    path : Path
    speaker : str
        Name of the speaker.
    """

    path: Path
    speaker: str


def find_voices(folder: Path) -> list[Voice]:
    """Return the voices of a folder, in order of path.

    Speakers are told by the column ``speaker`` of ``index.csv`` (with a column ``file``) where
    there is one, else by the sub-folder that holds the file.

    Raises
    ------
    BadInput
        If the folder is missing or has fewer than two speakers.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; expected one with speaker-labelled sound files")
    index = folder / "index.csv"
    voices = _indexed(index) if index.is_file() else _by_folder(folder)
    if len({voice.speaker for voice in voices}) < 2:
        raise BadInput(
            f"{folder} holds {len(voices)} sound files of fewer than two speakers; give each "
            "speaker a sub-folder, or add an index.csv with the columns file and speaker"
        )
    return sorted(voices, key=lambda voice: voice.path)


def part_of(speaker: str) -> Part:
    """Return the part to which a speaker belongs: a fixed function of the name.

    Examples
    --------
    >>> part_of("103") == part_of("103")
    True
    """
    digest = hashlib.sha256(speaker.encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < TEST_SHARE:
        return "test"
    return "validate" if place < TEST_SHARE + VALIDATE_SHARE else "train"


def voices_of(voices: list[Voice], part: Part) -> list[Voice]:
    """Return the voices whose speakers belong to a part.

    Raises
    ------
    BadInput
        If the part has fewer than two speakers.
    """
    chosen = [voice for voice in voices if part_of(voice.speaker) == part]
    if len({voice.speaker for voice in chosen}) < 2:
        raise BadInput(
            f"fewer than two of the speakers fall into the part '{part}'; add more speakers"
        )
    return chosen


def _indexed(index: Path) -> list[Voice]:
    """Return the voices that an index file names."""
    with index.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"file", "speaker"} <= rows[0].keys():
        raise BadInput(f"{index} has no columns file and speaker")
    # One file may have several rows, one per excerpt.
    speakers = {index.parent / row["file"]: row["speaker"] for row in rows}
    return [Voice(path=path, speaker=speaker) for path, speaker in speakers.items()]


def _by_folder(folder: Path) -> list[Voice]:
    """Return the sound files of all sub-folders, the sub-folder's name as speaker."""
    paths = (path for path in folder.glob("*/**/*") if path.suffix.lower() in SUFFIXES)
    return [Voice(path=path, speaker=path.relative_to(folder).parts[0]) for path in paths]
