"""Several files and segments, each sorted by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def each_part(
    paths: list[str], how: dict[str, Any], *, trust: bool
) -> list[tuple[str, str, dict[str, Any]]]:
    """Return folder name, path and options of each file, and of each segment in it."""
    from embersort.recording import JoinedRecording, open_recording

    whole = {name: value for name, value in how.items() if name not in ("start_s", "duration_s")}
    parts: list[tuple[str, str, dict[str, Any]]] = []
    for i, path in enumerate(paths):
        opened = open_recording(path, **whole, trust=trust)
        stem = Path(path).stem if len(paths) == 1 else f"{i}-{Path(path).stem}"
        if isinstance(opened, JoinedRecording):
            parts += [(f"{stem}-segment{k}", path, {**how, "segment": k}) for k in opened.segments]
        else:
            parts.append((stem, path, how))
    return parts
