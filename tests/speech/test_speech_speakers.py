"""Bins find their speaker: k-means on the sphere, counting, masks."""

from __future__ import annotations

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.speech.speakers import (
    count_free_centres,
    nearest_speaker,
    soft_masks,
    speaker_centres,
)


def clouds(n_speakers, n_each, spread, seed=0, n_dims=6):
    """Unit-norm clouds round the first axes, the first cloud the loudest."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_speakers), n_each)
    vectors = np.eye(n_dims)[labels] + rng.normal(0, spread, (len(labels), n_dims))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = rng.uniform(0.5, 1.5, len(labels)) / (1 + labels)
    order = rng.permutation(len(labels))
    return vectors[order].astype(np.float32), weights[order].astype(np.float32), labels[order]


@pytest.mark.parametrize("n_speakers", [1, 2, 3, 5])
def test_centres_are_found_and_in_order_of_loudness(n_speakers):
    vectors, weights, labels = clouds(n_speakers, 300, 0.15)
    centres = speaker_centres(vectors, weights, n_speakers, np.random.default_rng(0))
    np.testing.assert_allclose(centres, np.eye(6)[:n_speakers], atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)
    found = nearest_speaker(vectors[None], centres)[0]
    assert (found == labels).mean() > 0.99


def test_a_loud_bin_pulls_its_centre():
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    weights = np.array([3, 1], np.float32)
    centre = speaker_centres(vectors, weights, 1, np.random.default_rng(0))
    np.testing.assert_allclose(centre, [[3 / np.sqrt(10), 1 / np.sqrt(10)]], atol=1e-6)


def test_more_speakers_than_can_be_told_apart_is_one_clear_error():
    same = np.tile(np.array([[1, 0]], np.float32), (50, 1))
    with pytest.raises(BadInput, match="2 speakers cannot be told apart"):
        speaker_centres(same, np.ones(50, np.float32), 2, np.random.default_rng(0))
    with pytest.raises(BadInput, match="only 1 bins are not silence"):
        speaker_centres(same[:1], np.ones(1, np.float32), 2, np.random.default_rng(0))


@pytest.mark.parametrize("n_speakers", [1, 2, 3])
def test_speakers_are_counted(n_speakers):
    vectors, weights, _ = clouds(n_speakers, 1500, 0.15)
    centres = count_free_centres(vectors, weights)
    np.testing.assert_allclose(centres, np.eye(6)[:n_speakers], atol=0.05)


def test_soft_masks_sum_to_one_and_sharpen_to_binary_ones():
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(4, 5, 3)).astype(np.float32)
    centres = np.eye(3, dtype=np.float32)[:2]
    masks = soft_masks(embedding, centres, 3.0)
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-6)
    gap = embedding[..., 0] - embedding[..., 1]
    np.testing.assert_allclose(masks[0], 1 / (1 + np.exp(-3 * gap)), atol=1e-6)
    sharp = soft_masks(embedding, centres, 1e4)
    assert (sharp.argmax(axis=0) == nearest_speaker(embedding, centres)).all()
    assert set(np.round(sharp, 3).ravel()) == {0, 1}
