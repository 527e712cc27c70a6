"""Sums and local snippets of cleaned spikes, against the obvious."""

import numpy as np

from embersort.matching.clean_snippets import (
    NOISE_SD,
    explained_share,
    replace_own_channels,
    sum_by_unit,
)
from embersort.signal.pca import TemporalPca


def test_snippets_are_summed_by_unit():
    cleaned = np.array([[[1, 2]], [[10, 20]], [[100, 200]]], "f4")
    sums = sum_by_unit(cleaned, np.array([2, 0, 2]), 3)
    assert sums.tolist() == [[[10, 20]], [[0, 0]], [[101, 202]]]


def test_a_templates_channels_are_found_among_the_local_ones():
    # Unit 0 has channels 2 and 0, unit 1 channel 1 alone; around channel 1 lie 1, 2 and 0.
    support = np.array([[2, 0], [1, -1]])
    neighbours = np.array([[0, 1, -1], [1, 2, 0], [2, 1, -1]])
    cleaned = np.array([[[7, 8]], [[9, 5]]], "f4")
    local = np.zeros((2, 1, 3), "f4")
    replace_own_channels(local, cleaned, np.array([0, 1]), support, neighbours)
    assert local.tolist() == [[[7, 0, 0]], [[9, 0, 0]]]


def test_codes_are_inner_products_channel_by_channel():
    rng = np.random.default_rng(0)
    snippets = rng.standard_normal((5, 20, 3)).astype("f4")
    basis = np.linalg.qr(rng.standard_normal((20, 2)))[0].astype("f4")
    pca = TemporalPca(basis=basis, neighbours=np.zeros((1, 3), np.int64))
    pca_features = pca.encode(snippets, np.zeros(5, np.int64))
    expected = np.stack([[s[:, j] @ basis for j in range(3)] for s in snippets]).reshape(5, 6)
    np.testing.assert_allclose(pca_features, expected, atol=1e-5)
    assert (pca.encode(snippets[3:4], np.zeros(1, np.int64)) == pca_features[3:4]).all()


def test_the_share_that_a_template_explains_is_the_squared_cosine_to_what_is_there():
    rng = np.random.default_rng(0)
    own = rng.standard_normal((2000, 30, 4)).astype("f4")
    own[:, :, 3] = 0
    used = np.tile([True, True, True, False], (2000, 1))
    own *= 30 / np.sqrt(np.square(own).sum((1, 2), keepdims=True))
    other = rng.standard_normal(own.shape).astype("f4")
    other[:, :, 3] = 50
    # Twice as much that is not the template's, on its channels, and its noise.
    stranger = other * used[:, None]
    stranger -= own * (stranger * own).sum((1, 2), keepdims=True) / 900
    stranger *= 60 / np.sqrt(np.square(stranger).sum((1, 2), keepdims=True))
    # A fit leaves no noise of its own shape.
    noise = rng.standard_normal(own.shape).astype("f4")
    noise -= own * (noise * own).sum((1, 2), keepdims=True) / 900
    noise[:, :, 3] = other[:, :, 3]
    assert (explained_share(own + noise, own, used) > 0.98).all()
    share = explained_share(own + stranger + noise, own, used)
    allowed = NOISE_SD * np.sqrt(2 * 30 * 3)
    np.testing.assert_allclose(share.mean(), 900 / (900 + 3600 - allowed), rtol=0.01)
