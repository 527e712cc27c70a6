"""Which speaker each bin belongs to: clustering of the bins of a whole recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.config import IsoSplitConfig
from embersort.errors import BadInput

Float32Array = NDArray[np.float32]

N_STARTS = 6
"""k-means is started this often; the tightest result is kept."""

MAX_ROUNDS = 100
"""A bound on the rounds of k-means; it settles in about twenty."""

N_COUNTED_BINS = 12_000
"""Loudest bins in which speakers are counted; more make it slower, not surer."""

COUNTING_DIMS = 4
"""Principal dimensions in which speakers are counted: ISO-SPLIT looks along lines."""

MIN_SPEAKER_SHARE = 0.05
"""A cluster with less of the loudness than this is no speaker."""


def speaker_centres(
    vectors: Float32Array, weights: Float32Array, n_speakers: int, rng: np.random.Generator
) -> Float32Array:
    """Return one centre per speaker by weighted k-means on the sphere.

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
        Unit-norm centres, the loudest speaker first.

    Raises
    ------
    BadInput
        If so many centres cannot be told apart.

    Notes
    -----
    O(n_bins · n_dims · n_speakers) a round. Hershey et al. 2016, section 2: global k-means.
    """
    if len(vectors) < n_speakers:
        raise BadInput(
            f"{n_speakers} speakers asked for, but only {len(vectors)} bins are not silence; "
            "give a longer recording"
        )
    best, best_similarity = None, -np.inf
    for _ in range(N_STARTS):
        centres = _spread_start(vectors, weights, n_speakers, rng)
        labels = np.full(len(vectors), -1)
        for _ in range(MAX_ROUNDS):
            similarity = vectors @ centres.T
            new_labels = similarity.argmax(axis=1)
            if np.array_equal(labels, new_labels):
                break
            labels = new_labels
            centres = _centres_of(vectors, weights, labels, n_speakers)
        total = float(similarity.max(axis=1) @ weights)
        if total > best_similarity and len(np.unique(labels)) == n_speakers:
            best, best_similarity = centres, total
    if best is None:
        raise BadInput(f"{n_speakers} speakers cannot be told apart here; ask for fewer")
    return _loudest_first(best, vectors, weights)


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
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    labels = isosplit(centred @ axes[:, ::-1][:, :COUNTING_DIMS], IsoSplitConfig())
    loudness = np.bincount(labels, weights)
    speakers = np.flatnonzero(loudness >= MIN_SPEAKER_SHARE * loudness.sum())
    members = np.isin(labels, speakers)
    labels = np.searchsorted(speakers, labels[members])
    centres = _centres_of(vectors[members], weights[members], labels, len(speakers))
    return _loudest_first(centres, vectors, weights)


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


def _spread_start(
    vectors: Float32Array, weights: Float32Array, n_speakers: int, rng: np.random.Generator
) -> Float32Array:
    """Return bins as first centres, each drawn by its distance from those before (k-means++)."""
    chosen: list[int] = []
    distance = np.ones(len(vectors))
    for _ in range(n_speakers):
        mass = np.cumsum(distance * weights, dtype=np.float64)
        chosen.append(min(int(np.searchsorted(mass, rng.uniform(0, mass[-1]))), len(mass) - 1))
        distance = np.maximum(1 - (vectors @ vectors[chosen].T).max(axis=1), 0.0)
    return vectors[chosen]


def _centres_of(
    vectors: Float32Array, weights: Float32Array, labels: NDArray[np.int64], n_speakers: int
) -> Float32Array:
    """Return the weighted mean direction of each cluster; zero where it is empty."""
    member = (labels[:, None] == np.arange(n_speakers)) * weights[:, None]
    totals = member.T.astype(np.float32) @ vectors
    norms = np.linalg.norm(totals, axis=1, keepdims=True)
    return totals / np.maximum(norms, np.finfo(np.float32).tiny)


def _loudest_first(
    centres: Float32Array, vectors: Float32Array, weights: Float32Array
) -> Float32Array:
    """Return the centres in order of the loudness that is nearest to each."""
    loudness = np.bincount((vectors @ centres.T).argmax(axis=1), weights, len(centres))
    return centres[np.argsort(-loudness, kind="stable")]
