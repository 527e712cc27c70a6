import numpy as np

import naive_embedding
from embersort.embedding.kernels import add_product, attention_pool, normalise, rectify


def test_product_equals_numpy_for_any_number_of_inputs():
    rng = np.random.default_rng(1)
    for n_inputs in (1, 3, 4, 7, 16):
        rows = rng.standard_normal((5, n_inputs)).astype(np.float32)
        weight = rng.standard_normal((n_inputs, 9)).astype(np.float32)
        out = np.ones((5, 9), np.float32)
        add_product(rows, weight, out)
        assert np.allclose(out, 1 + rows @ weight, atol=1e-5)


def test_a_row_has_the_same_bits_in_any_company():
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((33, 21)).astype(np.float32)
    weight = rng.standard_normal((21, 17)).astype(np.float32)
    together, alone = np.zeros((33, 17), np.float32), np.zeros((1, 17), np.float32)
    add_product(rows, weight, together)
    add_product(rows[20:21], weight, alone)
    assert (together[20] == alone[0]).all()


def test_pooling_equals_its_twin():
    rng = np.random.default_rng(3)
    tokens = rng.standard_normal((6, 8)).astype(np.float32)
    weight = rng.standard_normal((8, 2)).astype(np.float32)
    out = np.full(8, 7, np.float32)
    attention_pool(tokens, weight, np.empty((6, 2), np.float32), out)
    assert np.allclose(out, naive_embedding.attention_pool(tokens, weight), atol=1e-6)


def test_pooling_nothing_gives_zeros():
    out = np.full(8, 7, np.float32)
    empty = np.zeros((0, 8), np.float32)
    attention_pool(empty, np.ones((8, 2), np.float32), np.empty((1, 2), np.float32), out)
    assert out.tolist() == [0.0] * 8


def test_rectify_and_normalise():
    values = np.array([[-1.0, 3.0], [4.0, -0.0]], np.float32)
    rectify(values)
    assert values.tolist() == [[0.0, 3.0], [4.0, 0.0]]
    vector = np.array([3.0, 4.0], np.float32)
    normalise(vector)
    assert np.allclose(vector, [0.6, 0.8])
    zero = np.zeros(3, np.float32)
    normalise(zero)
    assert zero.tolist() == [0.0, 0.0, 0.0]
