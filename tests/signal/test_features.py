import numpy as np

from embersort.signal.features import FeatureExtractor
from embersort.signal.pca import TemporalPca

NEIGHBOURS = np.array([[0, 1], [1, 0]])
COMPONENTS = TemporalPca(basis=np.eye(4, 2, dtype="f4"), neighbours=NEIGHBOURS)


class Learned:
    """Stands in for the encoder: an embedding of two columns, then what else it tells."""

    n_dims = 2

    def encode(self, snippets, channel_index):
        peak = snippets.max(axis=(1, 2))
        return np.stack([peak, -peak, channel_index, channel_index], axis=1)


def snippets():
    return np.random.default_rng(0).normal(size=(3, 4, 2)).astype("f4")


def test_without_networks_the_embedding_has_no_columns():
    extractor = FeatureExtractor(pca=COMPONENTS)
    pca_features, encoder = extractor.encode(snippets(), np.array([0, 1, 0]))
    np.testing.assert_array_equal(pca_features, COMPONENTS.encode(snippets(), np.array([0, 1, 0])))
    assert encoder.shape == (3, 0)
    assert extractor.n_dims == 0


def test_the_embedding_comes_first_of_what_the_networks_say():
    extractor = FeatureExtractor(pca=COMPONENTS, encoder=Learned())
    encoder = extractor.encode(snippets(), np.array([0, 1, 0]))[1]
    assert encoder.shape == (3, 4)
    peak = snippets().max(axis=(1, 2))
    np.testing.assert_array_equal(encoder[:, : extractor.n_dims], np.stack([peak, -peak], axis=1))
