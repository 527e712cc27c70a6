"""The sizes of the segment network, and the parameters that follow from them.

A *segment* is the filtered traces of -0.75 to +1.2 ms round an event on the channels nearest to its
peak; a *bin* is one channel at one moment. The network gives every bin of a segment an embedding.
"""

from __future__ import annotations

from pydantic import Field

from embersort.config import Config
from embersort.embedding.architecture import CANONICAL_BEFORE_SAMPLES, Shapes

SEGMENT_START = 4
SEGMENT_SAMPLES = 40
"""A segment is this part of the encoder's canonical window, at the same rate of 20 kHz."""
SEGMENT_BEFORE_SAMPLES = CANONICAL_BEFORE_SAMPLES - SEGMENT_START
"""Sample of the trough."""
SEGMENT_RADIUS_UM = 120.0
SEGMENT_CHANNELS = 12
"""At most as many channels, the nearest first, within this radius of the peak channel."""
N_PLANES = 4
"""A bin's own value, its mean and spread over the neighbours, and how far it is from the mean."""
FIRST_TAPS = 7
"""Samples that the first layer sees at a time."""
BLOCK_TAPS = 3
"""Samples that a block sees; each block has them twice as far apart as the one before."""
N_PLACE = 9
"""What a channel tells of itself: dx, dy, distance from the event's centre, cosine and sine of its
place, log energy, log number of neighbours."""
N_EVENT_EXTRAS = 2
"""Beside the pooled bins the event's layer sees log norm and log number of channels."""
LENGTHS_UM = (15.0, 30.0, 60.0, 120.0)
"""Widths of the kernels by which channels see each other, before training."""


class SegmentConfig(Config):
    """Sizes of the segment network, and which neighbours a segment is given."""

    n_dims: int = Field(24, ge=3, le=64)
    """Dimensions of a bin's embedding; along the last one lies the background."""
    n_hidden: int = Field(32, ge=8, le=128, multiple_of=4)
    """Width of a bin within the network."""
    n_blocks: int = Field(4, ge=2, le=8)
    """Blocks that mix a bin with others in time and on other channels."""
    n_event: int = Field(64, ge=8, le=256)
    """Width of the layer that sees the whole segment at once."""
    n_neighbours: int = Field(16, ge=1, le=64)
    """Nearest segments that a segment is given."""
    window_s: float = Field(30.0, gt=0)
    """Neighbours lie within this time before or after the event, on the same peak channel."""

    @property
    def event_after(self) -> int:
        """Number of blocks before the segment is looked at as a whole."""
        return self.n_blocks // 2


def segment_shapes(config: SegmentConfig) -> Shapes:
    """Return name and shape of each parameter of the network; weights are (inputs, outputs)."""
    hidden = config.n_hidden
    shapes: Shapes = {
        "first_weight": (FIRST_TAPS * N_PLANES, hidden),
        "place_weight": (N_PLACE, hidden),
        "time_bias": (SEGMENT_SAMPLES, hidden),
        "log_length": (len(LENGTHS_UM),),
    }
    for block in range(config.n_blocks):
        shapes[f"block_{block}_time"] = (BLOCK_TAPS * hidden, hidden)
        shapes[f"block_{block}_space"] = (hidden, hidden)
        shapes[f"block_{block}_bias"] = (hidden,)
        shapes[f"block_{block}_out"] = (hidden, hidden)
    return shapes | {
        "pool": (hidden, len(LENGTHS_UM)),
        "event_weight": (hidden + N_EVENT_EXTRAS, config.n_event),
        "event_bias": (config.n_event,),
        "event_to_bins": (config.n_event, hidden),
        "event_out": (config.n_event, config.n_dims - 1),
        "out_weight": (hidden, config.n_dims + 1),
        "out_bias": (config.n_dims + 1,),
    }
