"""What a trained network still needs: how soft its masks are, found on mixtures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from embersort.speech.mixtures import Mixture
from embersort.speech.network import Network
from embersort.speech.scores import si_sdr_gain_db
from embersort.speech.separate import SeparateConfig, separate
from embersort.speech.weights import TrainedNetwork

SHARPNESS_TRIED = (5.0, 8.0, 12.0, 18.0)
"""Factors of the similarity in soft masks, of which the best is kept."""


def fit_sharpness(trained: TrainedNetwork, mixtures: Sequence[Mixture]) -> TrainedNetwork:
    """Return the network with the sharpness that separates some mixtures best.

    The sharpness that training finds belongs to the true centres; clustering finds them less
    exactly, so masks should be softer.

    Parameters
    ----------
    trained : TrainedNetwork
    mixtures : sequence of Mixture
        Of speakers that the network is not tested on.
    """
    candidates = [_with_sharpness(trained, value) for value in SHARPNESS_TRIED]
    return max(candidates, key=lambda candidate: _mean_gain_db(candidate, mixtures))


def _mean_gain_db(trained: TrainedNetwork, mixtures: Sequence[Mixture]) -> float:
    """Return the mean SI-SDR gain of the whole recipe."""
    gains = []
    for mixture in mixtures:
        config = SeparateConfig(n_speakers=len(mixture.references))
        separation = separate(mixture.signal, trained.network, config, trained.spectrogram)
        gains.append(si_sdr_gain_db(mixture.references, separation.estimates, mixture.signal))
    return float(np.mean(gains))


def _with_sharpness(trained: TrainedNetwork, sharpness: float) -> TrainedNetwork:
    """Return the network with another sharpness."""
    weights = {**trained.network.weights, "sharpness": np.array(sharpness, np.float32)}
    return replace(trained, network=Network(config=trained.network.config, weights=weights))
