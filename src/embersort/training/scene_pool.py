"""The event sets of training scenes: made once, kept on disk, more of them while training goes on.

A few scenes are soon known by heart, and making many takes longer than training on them. So
training may start on the first scenes while others are made between its steps.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from embersort.config import Config
from embersort.training.event_sets import (
    EventSet,
    load_event_set,
    make_event_sets,
    save_event_set,
)
from embersort.training.run import Progress
from embersort.training.scenes import SceneDraw, Split, draw_scene


class GrowthConfig(Config):
    """Which scenes of a training are there at which step."""

    n_first: int = Field(0, ge=0)
    """Scenes at the first step; 0 means all."""
    steps_per_scene: int = Field(10, ge=1)
    """Steps after which there is one scene more."""

    def n_at(self, step: int, n_scenes: int) -> int:
        """Return the number of scenes at a step.

        Examples
        --------
        >>> growth = GrowthConfig(n_first=4, steps_per_scene=10)
        >>> [growth.n_at(step, 6) for step in (0, 9, 10, 99)]
        [4, 4, 5, 6]
        """
        if not self.n_first:
            return n_scenes
        return min(n_scenes, self.n_first + step // self.steps_per_scene)


class ScenePool:
    """The training scenes of a run, as many as there are at a step.

    Parameters
    ----------
    draw : SceneDraw
    n_scenes : int
        At the end.
    growth : GrowthConfig
    folder : Path
        Keeps each scene's event set; what is there already is not made again.
    """

    def __init__(self, draw: SceneDraw, n_scenes: int, growth: GrowthConfig, folder: Path) -> None:
        self._draw = draw
        self._n_scenes = n_scenes
        self._growth = growth
        self._folder = folder
        # What has been read; which scenes a step sees depends on the step alone.
        self._held: list[EventSet] = []

    def at(self, step: int, progress: Progress | None = None) -> list[EventSet]:
        """Return the event sets of a step; missing ones are made."""
        n_scenes = self._growth.n_at(step, self._n_scenes)
        if n_scenes > len(self._held):
            indices = range(len(self._held), n_scenes)
            self._held += event_sets(self._draw, "train", indices, self._folder, progress)
        return self._held[:n_scenes]


def event_sets(
    draw: SceneDraw,
    split: Split,
    indices: range,
    folder: Path,
    progress: Progress | None = None,
) -> list[EventSet]:
    """Make event sets of a split, or read those that an earlier run has made."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {index: folder / f"{split}-{index:04d}.npz" for index in indices}
    missing = [index for index, path in paths.items() if not path.exists()]
    made = make_event_sets([draw_scene(draw, split, index) for index in missing])
    for n_made, (index, events) in enumerate(zip(missing, made, strict=True), start=1):
        save_event_set(events, paths[index])
        if progress is not None:
            progress(f"{split} scenes", len(paths) - len(missing) + n_made, len(paths))
    return [load_event_set(path) for path in paths.values()]
