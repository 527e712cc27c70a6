"""A training recipe: everything that decides the weights, in one TOML file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from pydantic import Field

from embersort.config import ClusterConfig, Config, read_toml
from embersort.embedding.architecture import ContextConfig, EncoderConfig
from embersort.errors import BadConfig, nearest_name
from embersort.training.loop import LoopConfig
from embersort.training.scene_pool import GrowthConfig
from embersort.training.scenes import SceneDraw
from embersort.training.spike_batches import BatchConfig
from embersort.training.spike_task import HandicapConfig, LossConfig

RECIPES = files("embersort.training") / "recipes"


class Recipe(Config):
    """How the spike networks are trained."""

    scene: SceneDraw = SceneDraw()
    """What the training scenes are drawn from."""
    start: str = ""
    """Weights to go on from: the name of shipped ones or a file; random ones where empty."""
    n_train_scenes: int = Field(84, ge=1)
    """Simulated recordings to train on."""
    growth: GrowthConfig = GrowthConfig()
    """Which of them are there at which step."""
    n_heldout_scenes: int = Field(12, ge=1)
    """Simulated recordings of other cells, probes and noise, on which progress is scored."""
    encoder: EncoderConfig = EncoderConfig()
    context: ContextConfig = ContextConfig()
    batch: BatchConfig = BatchConfig()
    loss: LossConfig = LossConfig()
    handicap: HandicapConfig = HandicapConfig()
    loop: LoopConfig = LoopConfig()
    cluster: ClusterConfig = ClusterConfig()
    """How the held-out sets are clustered."""


def find_recipe(name: str) -> Path:
    """Return the file of a shipped recipe, or of one given as a path ending in ``.toml``.

    Raises
    ------
    BadConfig
        If there is none.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise BadConfig(f"recipe {path} does not exist")
        return path
    shipped = {Path(str(entry)).stem: Path(str(entry)) for entry in RECIPES.iterdir()}
    if name not in shipped:
        raise BadConfig(f"no recipe '{name}'{nearest_name(name, shipped)}")
    return shipped[name]


def load_recipe(name: str) -> Recipe:
    """Read a recipe by name or path; names that it does not know are refused."""
    path = find_recipe(name)
    return Recipe.parse(read_toml(path), where=str(path))
