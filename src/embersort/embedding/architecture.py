"""The sizes of the networks, and the parameters that follow from them.

Both forward passes, PyTorch's in training and Numba's in sorting, are built from these.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from embersort.config import Config

CANONICAL_RATE_HZ = 20_000.0
"""Snippets of any sampling rate are read at this rate; the pass band ends at 6 kHz."""
CANONICAL_BEFORE_SAMPLES = 19
CANONICAL_SAMPLES = 48
"""The window of -0.95 to +1.4 ms round the trough, at the canonical rate."""
TOKEN_LENGTH_UM = 60.0
"""Distances within an event are given in this unit."""
TOKEN_GAIN = 4.0
"""Brings the normalised coefficients to about unit size."""
LOCATION_PERIOD_UM = 400.0
"""The position enters the embedding as an angle; events this far apart look alike again."""
LOG_AMPLITUDE_CENTRE = 3.0
"""Natural logarithm of a middling event's norm, in units of noise."""
CENTRE_SHARE = 0.1
"""Channels with less than this share of the strongest channel's energy don't pull the centre."""
N_TOKEN_EXTRAS = 5
"""Beside its coefficients a token holds dx, dy, distance, share of the norm, log norm."""
N_HEAD_EXTRAS = 2
"""Beside the pooled tokens the head sees log norm and log number of channels."""
N_OUT_EXTRAS = 6
"""After the shape: location gate, spike logit, collision logit, shift, centre dx and dy."""
N_LOCATION = 4
"""Cosine and sine of each coordinate's angle."""
N_RELATIONS = 7
"""How a neighbour relates to an event: similarity, time, log time and its sign, distance,
log amplitude ratio, and one that tells whether the times are given."""


class EncoderConfig(Config):
    """Sizes of the encoder."""

    n_coefficients: int = Field(16, ge=4, le=32)
    """Learned temporal coefficients per channel."""
    n_hidden: int = Field(64, ge=16, le=256)
    """Width of a token."""
    n_heads: int = Field(4, ge=1, le=16)
    """Heads of the attention that pools the tokens; divides ``n_hidden``."""
    n_head_hidden: int = Field(128, ge=16, le=512)
    """Width of the layer after pooling."""
    n_shape: int = Field(12, ge=2, le=64)
    """Dimensions of the embedding that tell shape; four more tell the place."""

    @property
    def n_dims(self) -> int:
        """Dimensions of the embedding."""
        return self.n_shape + N_LOCATION

    @property
    def flop_per_event(self) -> int:
        """Floating-point operations for an event on 16 channels."""
        n_channels, hidden = 16, self.n_hidden
        n_token = self.n_coefficients + N_TOKEN_EXTRAS
        per_channel = (
            CANONICAL_SAMPLES * self.n_coefficients
            + n_token * hidden
            + hidden * hidden
            + 4 * hidden * self.n_heads
        )
        per_event = (
            hidden * hidden
            + (hidden + N_HEAD_EXTRAS) * self.n_head_hidden
            + self.n_head_hidden * (self.n_shape + N_OUT_EXTRAS)
        )
        return 2 * (n_channels * per_channel + per_event)


class ContextConfig(Config):
    """Sizes of the context network, and which neighbours it is given."""

    n_neighbours: int = Field(16, ge=1, le=64)
    """Neighbours that an event is given: those nearest to it in embedding, …"""
    n_bins: int = Field(0, ge=0, le=64)
    """… but as many of them are each the nearest of one of so many equal parts of the window."""
    window_s: float = Field(30.0, gt=0)
    """Neighbours lie within this time before or after the event."""
    radius_um: float = Field(100.0, gt=0)
    """Neighbours have their peak channel this near to the event's."""
    n_hidden: int = Field(48, ge=8, le=128)
    """Width of a neighbour's token."""
    n_heads: int = Field(4, ge=1, le=16)
    """Heads of the attention over neighbours; divides ``n_hidden``."""
    n_update: int = Field(64, ge=8, le=256)
    """Width of the layer that makes the update."""

    @model_validator(mode="after")
    def _has_room_for_its_bins(self) -> Self:
        if self.n_bins > self.n_neighbours:
            raise ValueError(
                f"n_bins {self.n_bins} is more than n_neighbours {self.n_neighbours}, "
                "of which they are a part; lower n_bins"
            )
        return self


Shapes = dict[str, tuple[int, ...]]


def encoder_shapes(config: EncoderConfig) -> Shapes:
    """Return name and shape of each parameter of the encoder; weights are (inputs, outputs)."""
    hidden = config.n_hidden
    return {
        "temporal": (CANONICAL_SAMPLES, config.n_coefficients),
        "token_weight": (config.n_coefficients + N_TOKEN_EXTRAS, hidden),
        "token_bias": (hidden,),
        "pool_1": (hidden, config.n_heads),
        "mix_weight": (hidden, hidden),
        "mix_pooled": (hidden, hidden),
        "mix_bias": (hidden,),
        "pool_2": (hidden, config.n_heads),
        "head_weight": (hidden + N_HEAD_EXTRAS, config.n_head_hidden),
        "head_bias": (config.n_head_hidden,),
        "out_weight": (config.n_head_hidden, config.n_shape + N_OUT_EXTRAS),
        "out_bias": (config.n_shape + N_OUT_EXTRAS,),
    }


def context_shapes(config: ContextConfig, n_dims: int) -> Shapes:
    """Return name and shape of each parameter of the context network."""
    hidden = config.n_hidden
    return {
        "own_weight": (n_dims + 1, hidden),
        "other_weight": (n_dims + 1, hidden),
        "relation_weight": (N_RELATIONS, hidden),
        "pair_bias": (hidden,),
        "pool": (hidden, config.n_heads),
        "update_weight": (hidden + n_dims + 1, config.n_update),
        "update_bias": (config.n_update,),
        "out_weight": (config.n_update, n_dims + 1),
        "out_bias": (n_dims + 1,),
    }
