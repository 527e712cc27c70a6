"""The kinds of cells in the bank, and which of them are held out from training."""

from __future__ import annotations

from cable.morphology import ShapeConfig
from cable.recipe import KindConfig

PYRAMIDAL_SMALL = ShapeConfig(
    soma_diameter_um=(12, 18),
    n_dendrites=(3, 5),
    dendrite_um=(50, 120),
    dendrite_diameter_um=(1.0, 2.0),
    apical_um=(120, 300),
    apical_diameter_um=(2.0, 3.5),
    n_obliques=(2, 5),
    n_tufts=(2, 3),
    axon_um=(150, 400),
    axon_down=True,
    axon_from_dendrite=0.15,
)
PYRAMIDAL_LARGE = PYRAMIDAL_SMALL.model_copy(
    update={
        "soma_diameter_um": (16.0, 26.0),
        "dendrite_um": (70.0, 160.0),
        "dendrite_diameter_um": (1.5, 3.0),
        "apical_um": (350.0, 650.0),
        "apical_diameter_um": (3.5, 6.5),
        "n_obliques": (3, 7),
    }
)
PYRAMIDAL_HIPPOCAMPAL = PYRAMIDAL_SMALL.model_copy(
    update={
        "soma_diameter_um": (14.0, 22.0),
        "n_dendrites": (2, 4),
        "apical_um": (200.0, 400.0),
        "apical_diameter_um": (2.5, 4.5),
        "n_obliques": (5, 10),
        "axon_from_dendrite": 0.4,
    }
)
BASKET_SMALL = ShapeConfig(
    soma_diameter_um=(10, 15),
    n_dendrites=(4, 7),
    dendrite_um=(50, 110),
    dendrite_diameter_um=(0.8, 1.6),
    axon_um=(100, 300),
)
BASKET_LARGE = BASKET_SMALL.model_copy(
    update={
        "soma_diameter_um": (14.0, 20.0),
        "n_dendrites": (3, 5),
        "dendrite_um": (90.0, 180.0),
        "dendrite_diameter_um": (1.2, 2.4),
    }
)
STELLATE_SPINY = ShapeConfig(
    soma_diameter_um=(10, 16),
    n_dendrites=(4, 8),
    dendrite_um=(40, 100),
    dendrite_diameter_um=(0.8, 1.8),
    axon_um=(100, 300),
    axon_down=True,
)
STELLATE_SMOOTH = STELLATE_SPINY.model_copy(
    update={"n_dendrites": (2, 4), "dendrite_um": (80.0, 160.0), "axon_down": False}
)
GRANULE = ShapeConfig(
    soma_diameter_um=(7, 11),
    n_dendrites=(1, 4),
    dendrite_um=(50, 120),
    dendrite_diameter_um=(0.7, 1.4),
    axon_um=(60, 200),
    axon_diameter_um=(0.3, 0.8),
)
GRANULE_SMALL = GRANULE.model_copy(
    update={"soma_diameter_um": (5.5, 8.0), "dendrite_um": (15.0, 50.0), "dendrite_orders": 1}
)

REGULAR = {"potassium_speed": (0.7, 3.5), "sodium_speed": (0.8, 3.0)}
FAST = {
    "fast_potassium": (30.0, 250.0),
    "potassium_speed": (1.0, 4.0),
    "sodium_speed": (1.2, 5.0),
    "slow_potassium": (0.0, 0.05),
    "slow_loss": (0.0, 0.2),
    "dendrite_transient": (0.0, 3.0),
    "dendrite_sodium": (0.0, 10.0),
}

# Added after comparison with real spikes, of which some are broader and many narrower.
BROAD = {**REGULAR, "potassium_speed": (0.25, 0.8), "sodium_speed": (0.5, 1.2)}
NARROW = {
    **FAST,
    "fast_potassium": (100.0, 350.0),
    "potassium_speed": (2.0, 5.0),
    "sodium_speed": (2.5, 6.0),
}


def _kind(
    family: str, split: str, n_cells: int, shape: ShapeConfig, **ranges: object
) -> KindConfig:
    return KindConfig.model_validate(
        {"family": family, "split": split, "n_cells": n_cells, "shape": shape, **ranges}
    )


KINDS = (
    _kind("pyramidal_small", "train", 70, PYRAMIDAL_SMALL, **REGULAR),
    _kind("pyramidal_large", "train", 70, PYRAMIDAL_LARGE, **REGULAR),
    _kind("pyramidal_hippocampal", "heldout", 50, PYRAMIDAL_HIPPOCAMPAL, **REGULAR),
    _kind("basket_small", "train", 60, BASKET_SMALL, **FAST),
    _kind("basket_large", "heldout", 35, BASKET_LARGE, **FAST),
    _kind("stellate_spiny", "train", 40, STELLATE_SPINY, **REGULAR),
    _kind("stellate_smooth", "heldout", 25, STELLATE_SMOOTH, **REGULAR),
    _kind("granule", "train", 35, GRANULE, **REGULAR),
    _kind("granule_small", "heldout", 15, GRANULE_SMALL, **REGULAR),
    _kind("pyramidal_broad", "train", 30, PYRAMIDAL_SMALL, **BROAD),
    _kind("basket_narrow", "train", 30, BASKET_SMALL, **NARROW),
)
