"""Encoder and context network on a PyTorch device, for sorting where there is a GPU.

Answers are those of the CPU to about 1e-5, but not to the bit: a GPU sums in an order of its own.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from embersort.embedding.encoder import Encoded
from embersort.embedding.kernels import Float32
from embersort.embedding.resampling import resampling_matrices, shift_indices
from embersort.embedding.torch_context import ContextNetwork, EventTable
from embersort.embedding.torch_encoder import EncoderNetwork, EncoderOutput
from embersort.embedding.weights import Weights
from embersort.errors import MissingDependency
from embersort.types import IntArray

BLOCK_EVENTS = 16384
"""Events that are on the device at a time."""


def find_device(name: str) -> torch.device:
    """Return a PyTorch device, such as ``cuda``, that is there.

    Raises
    ------
    MissingDependency
        If PyTorch finds none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise MissingDependency(
            f"PyTorch {torch.__version__} finds no CUDA device; leave out --device, or install a "
            "driver and a build of PyTorch with CUDA"
        )
    return torch.device(name)


class TorchEncoder:
    """The encoder on a device; made and called as `embersort.embedding.encoder.Encoder` is.

    Parameters
    ----------
    weights : Weights
    device : torch.device
    n_window, n_before : int
        Samples of a snippet, and of them before the trough.
    sampling_rate_hz : float
    """

    def __init__(
        self,
        weights: Weights,
        device: torch.device,
        *,
        n_window: int,
        n_before: int,
        sampling_rate_hz: float,
    ) -> None:
        self._device = device
        self._network = EncoderNetwork(weights.encoder_config)
        self._network.load_state_dict(_tensors(weights.encoder))
        self._network.to(device)
        matrices = resampling_matrices(n_window, n_before, sampling_rate_hz)
        self._resampling = torch.from_numpy(matrices).to(device)
        self._n_before = n_before
        self._sampling_rate_hz = sampling_rate_hz

    @torch.no_grad()
    def encode(
        self,
        snippets: Float32,
        channel_index: IntArray,
        neighbours: IntArray,
        positions_um: NDArray[np.floating],
    ) -> Encoded:
        """Encode events; see `embersort.embedding.encoder.Encoder.encode`."""
        positions = torch.from_numpy(np.ascontiguousarray(positions_um, np.float32))
        positions = positions.to(self._device)
        parts = []
        for start in range(0, max(len(snippets), 1), BLOCK_EVENTS):
            rows = slice(start, start + BLOCK_EVENTS)
            local = torch.from_numpy(neighbours[channel_index[rows]]).to(self._device)
            parts.append(self._block(snippets[rows], local, positions))
        return Encoded(
            embedding=_joined([part.embedding for part in parts]),
            spike_logit=_joined([part.spike_logit for part in parts]),
            collision_logit=_joined([part.collision_logit for part in parts]),
            shift_samples=_joined([part.shift_ms for part in parts])
            * np.float32(self._sampling_rate_hz * 1e-3),
            position_um=_joined([part.position_um for part in parts]),
            log_amplitude=_joined([part.log_amplitude for part in parts]),
        )

    def _block(self, snippets: Float32, local: Tensor, positions: Tensor) -> EncoderOutput:
        troughs = snippets[:, self._n_before - 1 : self._n_before + 2, 0]
        shift = torch.from_numpy(shift_indices(np.ascontiguousarray(troughs))).to(self._device)
        traces = torch.from_numpy(np.ascontiguousarray(snippets)).to(self._device)
        canonical = torch.empty(
            (len(traces), traces.shape[2], self._resampling.shape[2]), device=self._device
        )
        for index in range(len(self._resampling)):
            chosen = shift == index
            canonical[chosen] = traces[chosen].transpose(1, 2) @ self._resampling[index]
        mask = local >= 0
        canonical = canonical * mask.unsqueeze(-1)
        return self._network(canonical, positions[local.clamp_min(0)], mask)


@torch.no_grad()
def apply_context_on(
    device: torch.device,
    weights: Weights,
    embedding: Float32,
    neighbours: IntArray,
    *,
    time_s: NDArray[np.floating],
    position_um: Float32,
    log_amplitude: Float32,
) -> Float32:
    """Return embeddings changed in the light of their neighbours, on a device.

    Parameters
    ----------
    device : torch.device
    weights : Weights
    embedding, neighbours, time_s, position_um, log_amplitude : ndarray
        As in `embersort.embedding.context.apply_context`.
    """
    network = ContextNetwork(weights.context_config, embedding.shape[1])
    network.load_state_dict(_tensors(weights.context))
    network.to(device)
    events = EventTable(
        embedding=_one_set(embedding, np.float32, device),
        time_s=_one_set(time_s, np.float64, device),
        position_um=_one_set(position_um, np.float32, device),
        log_amplitude=_one_set(log_amplitude, np.float32, device),
    )
    near = _one_set(neighbours, np.int64, device)
    timed = torch.ones(1, dtype=torch.bool, device=device)
    parts = [
        network(events, near[:, start : start + BLOCK_EVENTS], timed, start)[0]
        for start in range(0, len(embedding), BLOCK_EVENTS)
    ]
    return _joined(parts) if parts else np.empty_like(embedding)


def _tensors(values: dict[str, Float32]) -> dict[str, Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def _one_set(values: NDArray, kind: type, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(values, kind))[None].to(device)


def _joined(parts: list[Tensor]) -> NDArray:
    return torch.cat(parts).cpu().numpy()
