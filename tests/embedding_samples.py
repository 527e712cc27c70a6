"""Small networks with random weights, and events to run them on."""

import numpy as np

from embersort.embedding.architecture import (
    ContextConfig,
    EncoderConfig,
    context_shapes,
    encoder_shapes,
)
from embersort.embedding.segment_architecture import SegmentConfig, segment_shapes
from embersort.embedding.segment_network import SegmentNetwork
from embersort.embedding.weights import Weights
from embersort.types import Geometry

ENCODER = EncoderConfig(n_coefficients=6, n_hidden=16, n_heads=4, n_head_hidden=24, n_shape=5)
CONTEXT = ContextConfig(n_neighbours=4, n_hidden=16, n_heads=4, n_update=16)
SEGMENT = SegmentConfig(n_dims=6, n_hidden=8, n_blocks=3, n_event=8, n_neighbours=4)
RATE_HZ = 30000.0
N_WINDOW, N_BEFORE = 75, 30


def random_weights(seed=0):
    rng = np.random.default_rng(seed)

    def draw(shapes):
        return {
            name: (rng.standard_normal(shape) * 0.5).astype(np.float32)
            for name, shape in shapes.items()
        }

    return Weights(
        encoder_config=ENCODER,
        context_config=CONTEXT,
        encoder=draw(encoder_shapes(ENCODER)),
        context=draw(context_shapes(CONTEXT, ENCODER.n_dims)),
    )


def random_segment_network(seed=0):
    rng = np.random.default_rng(seed)
    weights = {
        name: (rng.standard_normal(shape) * 0.3).astype(np.float32)
        for name, shape in segment_shapes(SEGMENT).items()
    }
    # Widths of 10 to 50 um: drawn at random, channels would see all others alike or none.
    weights["log_length"] = np.linspace(np.log(10), np.log(50), 4).astype(np.float32)
    return SegmentNetwork(config=SEGMENT, weights=weights, sha256="random")


def column_probe(n_channels=8):
    index = np.arange(n_channels)
    return Geometry(positions_um=np.column_stack([20.0 * (index % 2), 15.0 * index]))


def random_events(n_events, neighbours, seed=0):
    """Return spike-like snippets and their peak channels."""
    rng = np.random.default_rng(seed)
    channel = rng.integers(len(neighbours), size=n_events)
    snippets = rng.standard_normal((n_events, N_WINDOW, neighbours.shape[1])).astype(np.float32)
    time = np.arange(N_WINDOW) - N_BEFORE
    spike = -12 * np.exp(-0.5 * (time / 4.0) ** 2) + 4 * np.exp(-0.5 * ((time - 15) / 8.0) ** 2)
    fall = np.exp(-np.arange(neighbours.shape[1]) / 3.0)
    snippets += (rng.uniform(0.5, 2, (n_events, 1, 1)) * spike[:, None] * fall).astype(np.float32)
    snippets[np.broadcast_to((neighbours[channel] < 0)[:, None, :], snippets.shape)] = 0
    return snippets, channel
