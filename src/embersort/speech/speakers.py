"""Which speaker each bin belongs to: clustering of the bins of a whole recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.config import IsoSplitConfig
from embersort.errors import BadInput

Float32Array = NDArray[np.float32]

N_STARTS = 4
"""k-means is started this often; the tightest result is kept."""

MAX_ROUNDS = 40
"""A bound on the rounds of k-means; it settles in about twenty."""

N_COUNTED_BINS = 3000
"""Loudest bins in which speakers are counted: with more, ISO-SPLIT finds a voice's sounds, too."""

COUNTING_DIMS = 2
"""Principal dimensions in which speakers are counted; in more of them sounds tell apart, too."""

MIN_SPEAKER_SHARE = 0.05
"""A cluster with less of the loudness than this is no speaker."""


def speaker_centres(
    vectors: Float32Array,
    weights: Float32Array,
    n_speakers: int,
    rng: np.random.Generator,
) -> Float32Array:
    """Return one centre per speaker by weighted k-means.

    Parameters
    ----------
    vectors : ndarray, shape (n_bins, n_dims), float32
        Unit-norm embeddings of the bins that are not silence.
    weights : ndarray, shape (n_bins,), float32
        Positive; the magnitude of each bin.
    n_speakers : int
    rng : Generator

    Returns
    -------
    ndarray, shape (n_speakers, n_dims), float32
        Unit-norm mean directions of the clusters, the loudest speaker first.

    Raises
    ------
    BadInput
        If so many speakers cannot be told apart.

    Notes
    -----
    O(n_bins · n_dims · n_speakers) a round. Hershey et al. 2016, section 2: global k-means.
    """
    if len(vectors) < n_speakers:
        raise BadInput(
            f"{n_speakers} speakers asked for, but only {len(vectors)} bins are not silence; "
            "give a longer recording"
        )
    best, least = None, np.inf
    for _ in range(N_STARTS):
        labels, scatter = _k_means(vectors, weights, n_speakers, rng)
        if scatter < least and len(np.unique(labels)) == n_speakers:
            best, least = labels, scatter
    if best is None:
        raise BadInput(f"{n_speakers} speakers cannot be told apart here; ask for fewer")
    return _directions_of(vectors, weights, best, n_speakers)


def count_free_centres(vectors: Float32Array, weights: Float32Array) -> Float32Array:
    """Return one centre per speaker without being told how many there are.

    The loudest bins, in their first principal dimensions, are clustered by ISO-SPLIT; clusters
    with a fair share of the loudness are speakers.

    Parameters
    ----------
    vectors, weights
        As in `speaker_centres`.

    Returns
    -------
    ndarray, shape (n_speakers, n_dims), float32
        Unit-norm centres, the loudest speaker first; at least one.
    """
    from embersort.clustering.isosplit import isosplit

    loudest = np.sort(np.argsort(-weights, kind="stable")[:N_COUNTED_BINS])
    vectors, weights = vectors[loudest], weights[loudest]
    labels = isosplit(_principal(vectors, weights, COUNTING_DIMS), IsoSplitConfig())
    loudness = np.bincount(labels, weights)
    speakers = np.flatnonzero(loudness >= MIN_SPEAKER_SHARE * loudness.sum())
    members = np.isin(labels, speakers)
    labels = np.searchsorted(speakers, labels[members])
    return _directions_of(vectors[members], weights[members], labels, len(speakers))


def soft_masks(embedding: Float32Array, centres: Float32Array, sharpness: float) -> Float32Array:
    """Return each speaker's share of each bin, from the similarity to the centres.

    Parameters
    ----------
    embedding : ndarray, shape (n_frames, n_frequencies, n_dims), float32
    centres : ndarray, shape (n_speakers, n_dims), float32
    sharpness : float
        Factor of the similarity in the softmax.

    Returns
    -------
    ndarray, shape (n_speakers, n_frames, n_frequencies), float32
        Sums to 1 over the speakers.
    """
    logits = np.moveaxis(embedding @ (centres.T * np.float32(sharpness)), 2, 0)
    exponents = np.exp(logits - logits.max(axis=0))
    return exponents / exponents.sum(axis=0)


def nearest_speaker(embedding: Float32Array, centres: Float32Array) -> NDArray[np.int64]:
    """Return the nearest centre of each bin, shape (n_frames, n_frequencies)."""
    return (embedding @ centres.T).argmax(axis=2)


def _principal(vectors: Float32Array, weights: Float32Array, n_dims: int) -> Float32Array:
    """Return the first principal dimensions of weighted vectors."""
    centred = vectors - weights @ vectors / weights.sum()
    _, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    return np.ascontiguousarray(centred @ axes[:, ::-1][:, :n_dims], np.float32)


def _k_means(
    points: Float32Array, weights: Float32Array, n_clusters: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], float]:
    """Return the cluster of each point from one start, and the weighted scatter that is left."""
    centres = _spread_start(points, weights, n_clusters, rng)
    labels = np.full(len(points), -1)
    for _ in range(MAX_ROUNDS):
        # Without the square of the point, which is the same for all centres.
        distance = np.square(centres).sum(axis=1) - 2 * points @ centres.T
        nearest = distance.argmin(axis=1)
        if np.array_equal(labels, nearest):
            break
        labels = nearest
        totals, mass = _weighted_totals(points, weights, labels, n_clusters)
        mass = np.maximum(mass, np.finfo(np.float32).tiny)
        centres = (totals / mass[:, None]).astype(np.float32)
    return labels, float(distance.min(axis=1) @ weights)


def _spread_start(
    points: Float32Array, weights: Float32Array, n_clusters: int, rng: np.random.Generator
) -> Float32Array:
    """Return points as first centres, each drawn by its distance from those before (k-means++)."""
    chosen: list[int] = []
    distance = np.ones(len(points), np.float32)
    for _ in range(n_clusters):
        mass = np.cumsum(distance * weights, dtype=np.float64)
        chosen.append(min(int(np.searchsorted(mass, rng.uniform(0, mass[-1]))), len(mass) - 1))
        to_last = np.square(points - points[chosen[-1]]).sum(axis=1)
        distance = to_last if len(chosen) == 1 else np.minimum(distance, to_last)
    return points[chosen]


def _weighted_totals(
    points: Float32Array, weights: Float32Array, labels: NDArray[np.int64], n_clusters: int
) -> tuple[Float32Array, Float32Array]:
    """Return the weighted sum of the points of each cluster, and its total weight."""
    member = ((labels[:, None] == np.arange(n_clusters)) * weights[:, None]).astype(np.float32)
    return member.T @ points, member.sum(axis=0)


def _directions_of(
    vectors: Float32Array, weights: Float32Array, labels: NDArray[np.int64], n_clusters: int
) -> Float32Array:
    """Return the unit-norm mean of each cluster, the one with the largest weight first."""
    totals, mass = _weighted_totals(vectors, weights, labels, n_clusters)
    norms = np.linalg.norm(totals, axis=1, keepdims=True)
    directions = totals / np.maximum(norms, np.finfo(np.float32).tiny)
    return directions[np.argsort(-mass, kind="stable")]
