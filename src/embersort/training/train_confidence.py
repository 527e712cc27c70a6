"""From a recipe to the confidence model: scenes, sorts, the fit, the file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from embersort.confidence.model import SHIPPED_NAME, save_model
from embersort.config import Config
from embersort.training.confidence_cases import CaseDraw, SortEvidence, draw_scenes, scene_cases
from embersort.training.confidence_fit import FitConfig, fit, judged

log = logging.getLogger(__name__)

SCENES_NAME = "sorted"

Progress = Callable[[str, float, float], None]


class ConfidenceRecipe(Config):
    """How the confidence model is learned."""

    network: Literal["confidence"] = "confidence"
    """What the recipe is for."""
    cases: CaseDraw = CaseDraw()
    """Scenes that are sorted."""
    fit: FitConfig = FitConfig()
    """What is learned from them."""


def train_confidence(
    recipe: ConfidenceRecipe, folder: Path, sort: SortEvidence, progress: Progress | None = None
) -> Path:
    """Learn confidence anew, going on where an earlier run was stopped.

    Parameters
    ----------
    recipe : ConfidenceRecipe
    folder : Path
        Gets the sorted scenes and the model. Sorted scenes that are there are not sorted again:
        use another folder after a change of the sorter.
    sort : callable
        The sorter, from a recording to evidence.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    Path
        The model.

    Notes
    -----
    Two to four seconds of one core for each scene.
    """
    scenes = draw_scenes(recipe.cases, "train")
    cases = []
    for case in scene_cases(scenes, folder / SCENES_NAME, sort):
        cases.append(judged(case))
        if progress is not None:
            progress("sorting scenes", len(cases), len(scenes))
    path = folder / SHIPPED_NAME
    sha256 = save_model(fit(cases, recipe.fit), path)
    log.info("confidence model %s, sha256 %s", path, sha256)
    return path
