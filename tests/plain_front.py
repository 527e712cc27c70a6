"""A front that changes nothing of its recording but the scale, apart from the filter."""

import numpy as np

from embersort.config import DetectConfig, FilterConfig, RunConfig, SnippetConfig
from embersort.recording import ArrayRecording
from embersort.signal import make_detector, make_window
from embersort.signal.filter import design_bandpass, settle_samples
from embersort.signal.front import Front
from embersort.signal.preprocess import Preprocessor
from embersort.types import Geometry

RATE_HZ = 30_000
N_CHANNELS = 4


def front_of(traces):
    geometry = Geometry(
        positions_um=np.column_stack([np.zeros(N_CHANNELS), 25.0 * np.arange(N_CHANNELS)])
    )
    sos = design_bandpass(FilterConfig(), RATE_HZ)
    return Front(
        recording=ArrayRecording(traces=traces, sampling_rate_hz=RATE_HZ, geometry=geometry),
        preprocessor=Preprocessor(
            sos=sos,
            groups=(),
            channel_ok=np.ones(N_CHANNELS, bool),
            noise_uv=np.full(N_CHANNELS, 5.0),
            referenced_noise_uv=np.full(N_CHANNELS, 5.0),
            whitening=np.eye(N_CHANNELS, dtype="f4") / np.float32(5),
            margin=settle_samples(sos),
        ),
        detector=make_detector(geometry, RATE_HZ, DetectConfig(exclude_um=10)),
        window=make_window(geometry, RATE_HZ, SnippetConfig()),
        run=RunConfig(n_workers=1),
    )
