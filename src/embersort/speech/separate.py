"""The separation recipe: a mixture in, one signal per speaker out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from embersort.config import Config
from embersort.errors import BadInput
from embersort.speech.masks import active_bins, apply_masks, binary_masks
from embersort.speech.network import Network, embed_segment
from embersort.speech.speakers import (
    count_free_centres,
    nearest_speaker,
    soft_masks,
    speaker_centres,
)
from embersort.speech.spectrogram import (
    DEFAULT_SPECTROGRAM,
    ComplexArray,
    SpectrogramConfig,
    log_features,
    stft,
)
from embersort.types import frozen_array

Float32Array = NDArray[np.float32]

MAX_CLUSTERED_BINS = 100_000
"""Bins that k-means holds at once, about 20 s of voices; of longer recordings every n-th bin
that is not silence is clustered, and all bins are assigned."""

CACHED_BLOCKS = 64
"""Embedded blocks kept between clustering and masking, about 4 MB each; the blocks of longer
recordings are embedded twice, so that memory stays bounded."""


class SeparateConfig(Config):
    """How a mixture is separated."""

    n_speakers: int | None = Field(None, ge=1, le=5)
    """Number of speakers; None counts them."""
    mask: Literal["soft", "binary"] = "soft"
    """Share of each bin by its distance to the centres, or all of it to the nearest."""
    block_frames: int = Field(400, ge=16)
    """Frames that the network sees at a time."""
    margin_frames: int = Field(48, ge=0)
    """Frames on both sides of a block that are embedded with it and then dropped."""
    seed: int = Field(0, ge=0)
    """Seed of the starts of k-means."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Separation:
    """A separated mixture.

    Attributes
    ----------
    estimates : ndarray, shape (n_speakers, n_samples), float32
        One signal per speaker, the loudest first; they sum to the mixture.
    masks : ndarray, shape (n_speakers, n_frames, n_frequencies), float32
        Share of each speaker in each bin.
    centres : ndarray, shape (n_speakers, n_dims), float32
        Centre of each speaker in the embedding.
    """

    estimates: Float32Array
    masks: Float32Array
    centres: Float32Array

    def __post_init__(self) -> None:
        for name, ndim in (("estimates", 2), ("masks", 3), ("centres", 2)):
            object.__setattr__(
                self, name, frozen_array(getattr(self, name), np.float32, ndim, name)
            )


def separate(
    signal: Float32Array,
    network: Network,
    config: SeparateConfig,
    spectrogram_config: SpectrogramConfig = DEFAULT_SPECTROGRAM,
) -> Separation:
    """Separate the voices of a mixture.

    The bins of the whole recording are clustered together, so a speaker keeps the same place
    from the first block to the last.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,), float32
        The mixture at ``spectrogram_config.sampling_rate_hz``.
    network : Network
    config : SeparateConfig
    spectrogram_config : SpectrogramConfig
        That with which the network was trained.

    Raises
    ------
    BadInput
        If the mixture is silent, shorter than one window, or has fewer voices than asked for.
    """
    if len(signal) < spectrogram_config.window_samples:
        raise BadInput(
            f"the mixture has {len(signal)} samples at {spectrogram_config.sampling_rate_hz} Hz, "
            f"shorter than one window of {spectrogram_config.window_samples}"
        )
    mixture = stft(signal, spectrogram_config)
    if not active_bins(mixture).any():
        raise BadInput("the mixture is silent from beginning to end; there is nothing to separate")

    embed_block, n_blocks = block_embedder(mixture, network, config, spectrogram_config)
    vectors, weights = _bins_to_cluster(mixture, embed_block, n_blocks, config)
    if config.n_speakers is None:
        centres = count_free_centres(vectors, weights)
    else:
        rng = np.random.default_rng(config.seed)
        centres = speaker_centres(vectors, weights, config.n_speakers, rng)

    masks = np.empty((len(centres), *mixture.shape), np.float32)
    for block in range(n_blocks):
        embedding = embed_block(block)
        where = slice(block * config.block_frames, (block + 1) * config.block_frames)
        if config.mask == "soft":
            masks[:, where, 1:] = soft_masks(embedding, centres, network.sharpness)
        else:
            labels = nearest_speaker(embedding, centres)
            masks[:, where, 1:] = binary_masks(labels, len(centres))
    # The network does not see 0 Hz: it goes with the bin next to it.
    masks[:, :, 0] = masks[:, :, 1]
    estimates = apply_masks(mixture, masks, len(signal), spectrogram_config)
    return Separation(estimates=estimates, masks=masks, centres=centres)


def block_embedder(
    mixture: ComplexArray,
    network: Network,
    config: SeparateConfig,
    spectrogram_config: SpectrogramConfig = DEFAULT_SPECTROGRAM,
) -> tuple[Callable[[int], Float32Array], int]:
    """Return a function from block to the embedding of its bins, and the number of blocks.

    Each block is embedded with a margin on both sides, so its bins are seen in their context.

    Returns
    -------
    callable
        Block number to array, shape (n_frames_in_block, n_frequencies - 1, n_dims).
    int
    """
    features = log_features(mixture, spectrogram_config)[:, 1:]
    margin, n_frames = config.margin_frames, config.block_frames

    @lru_cache(maxsize=CACHED_BLOCKS)
    def embed_block(block: int) -> Float32Array:
        start = block * n_frames
        before = min(margin, start)
        embedding = embed_segment(network, features[start - before : start + n_frames + margin])
        return embedding[before : before + n_frames]

    return embed_block, -(-len(features) // n_frames)


def _bins_to_cluster(
    mixture: ComplexArray,
    embed_block: Callable[[int], Float32Array],
    n_blocks: int,
    config: SeparateConfig,
) -> tuple[Float32Array, Float32Array]:
    """Return vectors and magnitudes of the bins that are not silence, thinned evenly if many."""
    active = active_bins(mixture)[:, 1:]
    every = -(-int(active.sum()) // MAX_CLUSTERED_BINS)
    magnitude = np.abs(mixture)[:, 1:]
    vectors, weights = [], []
    for block in range(n_blocks):
        where = slice(block * config.block_frames, (block + 1) * config.block_frames)
        chosen = np.flatnonzero(active[where])[::every]
        embedding = embed_block(block)
        vectors.append(embedding.reshape(-1, embedding.shape[-1])[chosen])
        weights.append(magnitude[where].reshape(-1)[chosen])
    return np.concatenate(vectors), np.concatenate(weights)
