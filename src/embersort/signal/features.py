"""How a spike looks once it is cleaned of what overlapped it: components, and the embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embersort.signal.pca import TemporalPca
from embersort.types import IntArray


class SnippetEncoder(Protocol):
    """What `embersort.embedding.stage.EncoderStage` does with snippets."""

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding."""
        ...

    def encode(self, snippets: NDArray[np.float32], channel_index: IntArray) -> NDArray[np.float32]:
        """Return embeddings in the first `n_dims` columns, and what else the network tells."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureExtractor:
    """What snippets are reduced to.

    Attributes
    ----------
    components : TemporalPca
        Keeps every difference, in units of the noise.
    learned : SnippetEncoder, or None
        Has learned which differences matter; None where networks are not asked for.
    """

    components: TemporalPca
    learned: SnippetEncoder | None = None

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding; 0 without networks."""
        return 0 if self.learned is None else self.learned.n_dims

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
        codes : ndarray, shape (n_events, n_codes), float32
        learned : ndarray, shape (n_events, n_learned), float32
            Embeddings of unit norm in the first `n_dims` columns. Without columns where there are
            no networks.
        """
        codes = self.components.encode(snippets, channel_index)
        if self.learned is None:
            return codes, np.zeros((len(snippets), 0), np.float32)
        return codes, self.learned.encode(snippets, channel_index)
