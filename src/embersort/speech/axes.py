"""What a trained network still needs: along which axes speakers differ, and how soft masks are.

Both are fitted in closed form, or by trying a few values, on mixtures of the training's speakers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embersort.speech.masks import active_bins, dominant_source
from embersort.speech.mixtures import Mixture
from embersort.speech.network import Network
from embersort.speech.scores import si_sdr_gain_db
from embersort.speech.separate import SeparateConfig, block_embedder, separate
from embersort.speech.spectrogram import stft
from embersort.speech.weights import TrainedNetwork

SHARPNESS_TRIED = (5.0, 8.0, 12.0, 18.0)
"""Factors of the similarity in soft masks, of which the best is kept."""

N_TRIED_ON = 10
"""Mixtures on which they are tried: the gain changes slowly with the sharpness."""


def fit_to_clustering(trained: TrainedNetwork, mixtures: Sequence[Mixture]) -> TrainedNetwork:
    """Return the network with speaker axes and sharpness fitted to mixtures.

    The sharpness that training finds belongs to the true centres; clustering finds them less
    exactly, so masks should be softer.

    Parameters
    ----------
    trained : TrainedNetwork
    mixtures : sequence of Mixture
        Of speakers that the network was trained on, all of one number of speakers.
    """
    fitted = _with_weights(trained, {"speaker_axes": speaker_axes(trained, mixtures)})
    candidates = [
        _with_weights(fitted, {"sharpness": np.array(value, np.float32)})
        for value in SHARPNESS_TRIED
    ]
    return max(candidates, key=lambda candidate: _mean_gain_db(candidate, mixtures[:N_TRIED_ON]))


def speaker_axes(trained: TrainedNetwork, mixtures: Sequence[Mixture]) -> NDArray[np.float32]:
    """Return the axes along which the speakers of a mixture differ, most telling first.

    Parameters
    ----------
    trained : TrainedNetwork
    mixtures : sequence of Mixture

    Returns
    -------
    ndarray, shape (n_dims, n_dims), float32
        Columns are axes. Along each, bins of one speaker scatter with a standard deviation that is
        the ratio of the scatter between speakers to that within.

    Notes
    -----
    Linear discriminants (Fisher 1936; Rao 1948), with bins weighted by magnitude. Directions that
    tell phonemes or loudness but not speakers vanish, where k-means would split along them.
    """
    n_dims = trained.network.config.n_dims
    within, between = np.zeros((n_dims, n_dims)), np.zeros((n_dims, n_dims))
    for mixture in mixtures:
        vectors, weights, labels = _labelled_bins(trained, mixture)
        means = []
        for speaker in range(len(mixture.references)):
            own, weight = vectors[labels == speaker], weights[labels == speaker]
            if not len(own):
                continue
            mean = weight @ own / weight.sum()
            within += ((own - mean) * weight[:, None]).T @ (own - mean) / weights.sum()
            means.append(mean)
        offsets = np.array(means) - np.mean(means, axis=0)
        between += offsets.T @ offsets
    spread, directions = np.linalg.eigh(within)
    # A direction in which nothing varies must not be blown up.
    whitening = directions / np.sqrt(np.maximum(spread, 1e-6 * spread.max()))
    ratio, rotation = np.linalg.eigh(whitening.T @ between @ whitening)
    axes = (whitening @ rotation) * np.sqrt(np.maximum(ratio, 0.0))
    return np.ascontiguousarray(axes[:, ::-1], np.float32)


def _labelled_bins(
    trained: TrainedNetwork, mixture: Mixture
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return vector, magnitude and loudest speaker of the bins that are not silence."""
    grid = trained.spectrogram
    whole = stft(mixture.signal, grid)
    embed_block, n_blocks = block_embedder(whole, trained.network, SeparateConfig(), grid)
    embedding = np.concatenate([embed_block(block) for block in range(n_blocks)])
    active = active_bins(whole)[:, 1:]
    references = np.stack([stft(reference, grid) for reference in mixture.references])
    labels = dominant_source(references[..., 1:])
    return embedding[active], np.abs(whole)[:, 1:][active], labels[active]


def _mean_gain_db(trained: TrainedNetwork, mixtures: Sequence[Mixture]) -> float:
    """Return the mean SI-SDR gain of the whole recipe."""
    gains = []
    for mixture in mixtures:
        config = SeparateConfig(n_speakers=len(mixture.references))
        separation = separate(mixture.signal, trained.network, config, trained.spectrogram)
        gains.append(si_sdr_gain_db(mixture.references, separation.estimates, mixture.signal))
    return float(np.mean(gains))


def _with_weights(
    trained: TrainedNetwork, changed: dict[str, NDArray[np.float32]]
) -> TrainedNetwork:
    """Return the network with some weights replaced."""
    network = Network(config=trained.network.config, weights={**trained.network.weights, **changed})
    return replace(trained, network=network)
