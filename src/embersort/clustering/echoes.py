"""Parts of a waveform that were taken for units of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.correlogram import echo_share
from embersort.clustering.pairs import Labelled
from embersort.config import MergeConfig
from embersort.types import FloatArray, IntArray
from embersort.units import ms_to_samples

MIN_HEARD = 0.05
"""Share of its largest extent that a template has on each channel that it reaches."""


MOST_ASKED = 500
"""So many spikes tell whether a part always follows."""


def echoes(spikes: Labelled, templates: FloatArray, config: MergeConfig) -> NDArray[np.bool_]:
    """Say which parts are echoes: most of their spikes follow a stronger part's at one fixed lag.

    Parameters
    ----------
    spikes : Labelled
    templates : ndarray, shape (n_parts, n_window, n_channels)
        The stronger is the voice, of two alike the first. A voice reaches the channel on which its
        echo is largest, or next to all of the echo's spikes follow it.
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
            if echo[voice]:
                continue
            if extent[voice, extent[part].argmax()] > MIN_HEARD * extent[voice].max():
                share, least = (
                    echo_share(trains[voice], trains[part], reach, width),
                    config.echo_share,
                )
            # What is far away may be a neuron that fires together with it; but not each time.
            else:
                share, least = (
                    locked_share(trains[voice], trains[part], reach, width),
                    config.locked_share,
                )
            if share >= least:
                echo[part] = True
                break
    return echo


def locked_share(voice: IntArray, part: IntArray, reach: int, width: int) -> float:
    """Return the largest share of a part's spikes that the nearest of a voice's leads by one lag.

    Parameters
    ----------
    voice, part : ndarray, shape (n,), int64
        Spike samples in order. Of the part's at most `MOST_ASKED`, evenly spread, are looked at.
    reach : int
        Lags from ``-reach`` to ``reach`` samples count.
    width : int
        Lags within ``width`` samples of each other are the same.
    """
    if not len(voice) or not len(part):
        return 0.0
    asked = part[np.unique(np.linspace(0, len(part) - 1, MOST_ASKED).astype(np.int64))]
    after = np.searchsorted(voice, asked)
    later = voice[np.minimum(after, len(voice) - 1)] - asked
    earlier = voice[np.maximum(after - 1, 0)] - asked
    lag = np.where(np.abs(later) < np.abs(earlier), later, earlier)
    counts = np.bincount(lag[np.abs(lag) <= reach] + reach, minlength=2 * reach + 1)
    return float(np.convolve(counts, np.ones(width)).max() / len(asked))
