"""Parts of a waveform that were taken for units of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.correlogram import echo_share
from embersort.clustering.pairs import Labelled
from embersort.config import MergeConfig
from embersort.types import FloatArray
from embersort.units import ms_to_samples

MIN_HEARD = 0.05
"""Share of its largest extent that a template has on each channel that it reaches."""


def echoes(spikes: Labelled, templates: FloatArray, config: MergeConfig) -> NDArray[np.bool_]:
    """Say which parts are echoes: most of their spikes follow a stronger part's at one fixed lag.

    Parameters
    ----------
    spikes : Labelled
    templates : ndarray, shape (n_parts, n_window, n_channels)
        The stronger is the voice, of two alike the first. A voice reaches the channel on which its
        echo is largest.
    config : MergeConfig

    Returns
    -------
    ndarray, shape (n_parts,), bool
    """
    fs = spikes.sampling_rate_hz
    reach = ms_to_samples(config.echo_ms, fs)
    width = max(1, ms_to_samples(config.echo_width_ms, fs))
    extent = np.ptp(templates, axis=1)
    strength = np.sqrt(np.square(templates, dtype=np.float64).sum(axis=(1, 2)))
    trains = [spikes.sample_index[spikes.unit_index == part] for part in range(len(templates))]
    order = np.argsort(-strength, kind="stable")
    echo = np.zeros(len(strength), bool)
    for place, part in enumerate(order):
        for voice in order[:place]:
            heard = extent[voice, extent[part].argmax()] > MIN_HEARD * extent[voice].max()
            if echo[voice] or not heard:
                continue
            if echo_share(trains[voice], trains[part], reach, width) >= config.echo_share:
                echo[part] = True
                break
    return echo
