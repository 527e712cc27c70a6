"""A small scene, unmixed by networks with random weights."""

from functools import cache

from embedding_samples import random_segment_network, random_weights
from embersort.config import RunConfig
from embersort.simulate import Scene, simulate
from embersort.unmixing.unmix import Networks, UnmixConfig, masked, prepare

SCENE = Scene.parse(
    {
        "seed": 2,
        "duration_s": 2.5,
        "cells": {"n_units": 3, "min_snr": 10.0, "max_snr": 20.0},
        "probe": {"kind": "columns", "n_channels": 6},
        "trains": {"rate_min_hz": 20.0, "rate_max_hz": 30.0},
    }
)
NETWORKS = Networks(encoder=random_weights(), segment=random_segment_network())
CONFIG = UnmixConfig(run=RunConfig(n_workers=1))


@cache
def simulation():
    return simulate(SCENE)


@cache
def prepared():
    return prepare(simulation().recording, NETWORKS, CONFIG)


@cache
def unmixed():
    return masked(prepared())
