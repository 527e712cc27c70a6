"""How a spike looks once it is cleaned of what overlapped it: components, and the embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embersort.signal.pca import TemporalPca
from embersort.types import Events, IntArray


class SnippetEncoder(Protocol):
    """What `embersort.embedding.stage.EncoderStage` does with snippets."""

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding."""
        ...

    def encode(self, snippets: NDArray[np.float32], channel_index: IntArray) -> NDArray[np.float32]:
        """Return embeddings in the first `n_dims` columns, and what else the network tells."""
        ...

    def in_context(
        self, encoder_output: NDArray[np.float32], events: Events, *, n_threads: int
    ) -> NDArray[np.float32]:
        """Return embeddings that know the events around each."""
        ...

    def on_shared_channels(
        self, embedding: NDArray[np.float32], channel_index: IntArray
    ) -> NDArray[np.float32]:
        """Return embeddings of events on different channels in comparable columns."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureExtractor:
    """What snippets are reduced to.

    Attributes
    ----------
    pca : TemporalPca
        Keeps every difference, in units of the noise.
    encoder : SnippetEncoder, or None
        Has learned which differences matter; None where networks are not asked for.
    """

    pca: TemporalPca
    encoder: SnippetEncoder | None = None

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding; 0 without networks."""
        return 0 if self.encoder is None else self.encoder.n_dims

    def encode(
        self, snippets: NDArray[np.float32], channel_index: IntArray
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return codes of the components, and of the networks.

        Parameters
        ----------
        snippets : ndarray, shape (n_events, n_window, n_local), float32
            White, in units of the noise, on the local channels of each event's channel.
        channel_index : ndarray, shape (n_events,), int64

        Returns
        -------
        pca_features : ndarray, shape (n_events, n_features), float32
        encoder_output : ndarray, shape (n_events, n_outputs), float32
            Embeddings of unit norm in the first `n_dims` columns. Without columns where there are
            no networks.
        """
        pca_features = self.pca.encode(snippets, channel_index)
        if self.encoder is None:
            return pca_features, np.zeros((len(snippets), 0), np.float32)
        return pca_features, self.encoder.encode(snippets, channel_index)
