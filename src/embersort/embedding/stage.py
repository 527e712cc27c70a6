"""The learned feature stage: what the sort recipe calls in place of principal components."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from embersort.embedding.architecture import ContextConfig
from embersort.embedding.context import apply_context
from embersort.embedding.encoder import Encoded, Encoder
from embersort.embedding.kernels import Float32
from embersort.embedding.neighbours import Search, nearest_events
from embersort.embedding.weights import Weights
from embersort.errors import MissingDependency
from embersort.types import Events, FloatArray, Geometry, IntArray
from embersort.units import s_to_samples

log = logging.getLogger(__name__)

TRAINED_RATES_HZ = (10_000.0, 50_000.0)
"""Sampling rates between which the encoder may be used without a warning."""
TRAINED_PITCH_UM = 100.0
"""Beyond this distance of nearest channels no channel sees what its neighbour sees."""


class SnippetEncoder(Protocol):
    """The encoder, on whatever it runs."""

    def encode(
        self,
        snippets: NDArray[np.float32],
        channel_index: IntArray,
        neighbours: IntArray,
        positions_um: NDArray[np.floating],
    ) -> Encoded:
        """Encode events; see `embersort.embedding.encoder.Encoder.encode`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EncoderStage:
    """The encoder with all that it needs to know of a recording.

    Attributes
    ----------
    encoder : SnippetEncoder
    weights : Weights
        Where the encoder came from; the context network's are used by `in_context`.
    geometry : Geometry
    neighbours : ndarray, shape (n_channels, n_local), int64
        Local channels of each peak channel, padded with -1.
    sampling_rate_hz : float
    device : str
        Where the networks run: ``cpu``, the same bits on every run, or a device of PyTorch.
    """

    encoder: SnippetEncoder
    weights: Weights
    geometry: Geometry
    neighbours: IntArray
    sampling_rate_hz: float
    device: str = "cpu"

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding."""
        return self.weights.encoder_config.n_dims

    def encode(self, snippets: NDArray[np.float32], channel_index: IntArray) -> NDArray[np.float32]:
        """Return codes, one row per event whatever its company.

        Parameters
        ----------
        snippets : ndarray, shape (n_events, n_window, n_local), float32
            White traces in units of noise, on the local channels of each event's peak channel.
        channel_index : ndarray, shape (n_events,), int64
            Peak channels.

        Returns
        -------
        ndarray, shape (n_events, n_dims + 6), float32
            Embedding; x and y (µm); log amplitude; spike and collision logit; shift (samples).
        """
        encoded = self.encoder.encode(
            snippets, channel_index, self.neighbours, self.geometry.positions_um
        )
        return np.column_stack(
            [
                encoded.embedding,
                encoded.position_um,
                encoded.log_amplitude,
                encoded.spike_logit,
                encoded.collision_logit,
                encoded.shift_samples,
            ]
        )

    def on_shared_channels(
        self, codes: NDArray[np.float32], channel_index: IntArray
    ) -> NDArray[np.float32]:
        """Return the embeddings: they mean the same whichever channel an event peaks on."""
        return codes[:, : self.n_dims]

    def read(self, codes: NDArray[np.float32]) -> Encoded:
        """Return the columns of codes under their names."""
        embedding, extras = codes[:, : self.n_dims], codes[:, self.n_dims :]
        return Encoded(
            embedding=embedding,
            position_um=extras[:, :2],
            log_amplitude=extras[:, 2],
            spike_logit=extras[:, 3],
            collision_logit=extras[:, 4],
            shift_samples=extras[:, 5],
        )

    def in_context(
        self,
        codes: NDArray[np.float32],
        events: Events,
        *,
        context: ContextConfig | None = None,
        n_threads: int = 1,
    ) -> NDArray[np.float32]:
        """Return codes whose embeddings were changed in the light of their neighbours.

        Parameters
        ----------
        codes : ndarray, shape (n_events, n_dims + 6), float32
            Of all events of the recording, as `encode` gives them.
        events : Events
            When and where.
        context : ContextConfig, optional
            Another window, radius or number of neighbours than the network was trained with.
        n_threads : int
            Does not change the result.
        """
        config = context or self.weights.context_config
        encoded = self.read(codes)
        neighbours = self.neighbours_of(codes, events, config, n_threads=n_threads)
        time_s = events.sample_index / self.sampling_rate_hz
        changed = self._change(encoded, neighbours, time_s, n_threads)
        return np.column_stack([changed, codes[:, self.n_dims :]])

    def neighbours_of(
        self, codes: NDArray[np.float32], events: Events, config: ContextConfig, n_threads: int = 1
    ) -> IntArray:
        """Return the events that each is seen among, (n_events, n_neighbours); -1 for none."""
        return nearest_events(
            codes[:, : self.n_dims],
            events.sample_index,
            events.channel_index,
            self.geometry,
            Search(
                n_neighbours=config.n_neighbours,
                window_samples=s_to_samples(config.window_s, self.sampling_rate_hz),
                radius_um=config.radius_um,
                n_bins=config.n_bins,
            ),
            n_threads=n_threads,
        )

    def _change(
        self, encoded: Encoded, neighbours: IntArray, time_s: FloatArray, n_threads: int
    ) -> Float32:
        """Return the context network's embeddings, from the CPU or another device."""
        if self.device == "cpu":
            return apply_context(
                self.weights.context,
                encoded.embedding,
                neighbours,
                time_s=time_s,
                position_um=encoded.position_um,
                log_amplitude=encoded.log_amplitude,
                n_threads=n_threads,
            )
        from embersort.embedding.torch_runtime import apply_context_on, find_device

        return apply_context_on(
            find_device(self.device),
            self.weights,
            encoded.embedding,
            neighbours,
            time_s=time_s,
            position_um=encoded.position_um,
            log_amplitude=encoded.log_amplitude,
        )


def joined_frame(
    components: NDArray[np.float32], embedding: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return components, each event's brought to unit norm, beside its unit-norm embedding.

    Parameters
    ----------
    components : ndarray, shape (n_events, n_columns), float32
        In units of the noise. Rows of zeros stay zeros.
    embedding : ndarray, shape (n_events, n_dims), float32

    Returns
    -------
    ndarray, shape (n_events, n_columns + n_dims), float32
        Height is the embedding's to tell: it has learned how far height is to be trusted.
    """
    norm = np.linalg.norm(components, axis=1, keepdims=True)
    unit = components / np.maximum(norm, np.finfo(np.float32).tiny)
    return np.concatenate([unit, embedding], axis=1)


def make_encoder_stage(
    weights: Weights,
    geometry: Geometry,
    neighbours: IntArray,
    *,
    n_window: int,
    n_before: int,
    sampling_rate_hz: float,
    device: str = "cpu",
) -> EncoderStage:
    """Make the learned feature stage for a recording.

    Parameters
    ----------
    weights : Weights
        From `load_shipped` or `load_weights`.
    geometry : Geometry
    neighbours : ndarray, shape (n_channels, n_local), int64
        The window's neighbour table.
    n_window, n_before : int
        Samples of a snippet, and of them before the trough.
    sampling_rate_hz : float
    device : str
        ``cpu``, or a device of PyTorch such as ``cuda``.

    Raises
    ------
    BadConfig
        If the window does not cover what the encoder reads.
    MissingDependency
        If there is no such device, or no PyTorch.
    """
    _warn_if_outside(geometry, sampling_rate_hz)
    window = {"n_window": n_window, "n_before": n_before}
    encoder = _make_encoder(weights, window, sampling_rate_hz, device)
    return EncoderStage(
        encoder=encoder,
        weights=weights,
        geometry=geometry,
        neighbours=neighbours,
        sampling_rate_hz=sampling_rate_hz,
        device=device,
    )


def _make_encoder(
    weights: Weights, window: dict[str, int], sampling_rate_hz: float, device: str
) -> SnippetEncoder:
    if device == "cpu":
        return Encoder(weights.encoder, **window, sampling_rate_hz=sampling_rate_hz)
    try:
        from embersort.embedding.torch_runtime import TorchEncoder, find_device
    except ImportError as error:
        raise MissingDependency(
            f"networks on '{device}' need PyTorch ({error}); leave out --device, or install it "
            "with: pip install 'embersort[train]'"
        ) from None
    where = find_device(device)
    return TorchEncoder(weights, where, **window, sampling_rate_hz=sampling_rate_hz)


def _warn_if_outside(geometry: Geometry, sampling_rate_hz: float) -> None:
    """Warn of a recording unlike those that the encoder was trained on."""
    low, high = TRAINED_RATES_HZ
    if not low <= sampling_rate_hz <= high:
        log.warning(
            "the encoder was made for %g to %g Hz, the recording has %g Hz; "
            "compare with feature.method = 'pca'",
            low,
            high,
            sampling_rate_hz,
        )
    pitch_um = nearest_pitch_um(geometry)
    if np.isfinite(pitch_um) and pitch_um > TRAINED_PITCH_UM:
        log.warning(
            "the encoder was trained on channels at most %g um apart, the nearest here are "
            "%.0f um apart: each is taken for itself; compare with feature.method = 'pca'",
            TRAINED_PITCH_UM,
            pitch_um,
        )


def nearest_pitch_um(geometry: Geometry) -> float:
    """Return the median distance of each channel to its nearest; infinite for one channel."""
    distance: FloatArray = geometry.distances_um()
    np.fill_diagonal(distance, np.inf)
    return float(np.median(distance.min(axis=1))) if geometry.n_channels else float("inf")
