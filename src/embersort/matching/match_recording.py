"""Matching of a whole recording: one pass over its tiles that keeps only what is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.config import MatchConfig
from embersort.matching.banks_over_time import BanksOverTime, banks_over_time
from embersort.matching.channel_sums import ChannelSums
from embersort.matching.clean_snippets import explained_share, replace_own_channels, sum_by_unit
from embersort.matching.orthogonal_pursuit import Matches, match_templates
from embersort.matching.single_fit import FULL, fit_criteria, least_decreases
from embersort.signal.accumulate import RowAccumulator
from embersort.signal.features import FeatureExtractor
from embersort.signal.front import Front
from embersort.signal.snippets import Window, cut_snippets
from embersort.signal.tiles import Tile
from embersort.templates.tracking import TrackedTemplates
from embersort.types import FloatArray

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchSetup:
    """What every matching of a recording needs, whatever its templates.

    Attributes
    ----------
    front : Front
    extractor : FeatureExtractor
        Of collision-cleaned snippets.
    noise : ndarray, shape (n_lags,)
        Autocorrelation of the white noise.
    config : MatchConfig
    stride : int
        See `embersort.matching.upsample.score_stride`.
    """

    front: Front
    extractor: FeatureExtractor
    noise: FloatArray
    config: MatchConfig
    stride: int

    def banks(self, templates: TrackedTemplates) -> BanksOverTime:
        """Return the banks of some templates."""
        return banks_over_time(
            templates,
            self.extractor.pca,
            self.front.preprocessor.whitening,
            self.front.window.n_before,
            self.noise,
            self.config,
            self.stride,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingMatches:
    """Spikes found by template matching, each cleaned of what overlapped it.

    Attributes
    ----------
    matches : Matches
        Sample indices count from the start of the recording.
    pca_features : ndarray, shape (n_spikes, n_features), float32
        Of residual plus own template, on the local channels of ``channel_index``.
    embedding : ndarray, shape (n_spikes, n_dims), float32
        Of the same snippets; without columns where there are no networks.
    channel_index : ndarray, shape (n_spikes,), int64
        Main channel, at that time, of the template that found each spike.
    relative_gain : ndarray, shape (n_spikes,)
        Objective decrease as a multiple of the least that is asked of a spike of the template.
    explained : ndarray, shape (n_spikes,), float32
        Share of what is at each spike, less the noise, that its template explains.
    sums : ChannelSums
        Of residual plus own template over the spikes that are at least so large, on the template's
        channels.
    """

    matches: Matches
    pca_features: NDArray[np.float32]
    embedding: NDArray[np.float32]
    channel_index: NDArray[np.int64]
    relative_gain: FloatArray
    explained: NDArray[np.float32]
    sums: ChannelSums


def match_recording(
    templates: TrackedTemplates,
    setup: MatchSetup,
    mean_scalings: tuple[float, ...],
    progress: Progress = None,
    *,
    allow_attenuated: bool,
) -> RecordingMatches:
    """Match templates to the whole recording, those of each time to the tiles of that time.

    Parameters
    ----------
    templates : TrackedTemplates
    setup : MatchSetup
    mean_scalings : tuple of float
        For each of these sums are taken of the collision-cleaned spikes that are at least so large.
    progress : callable, optional
        Called with the number of tiles done since the last call.
    allow_attenuated : bool
        Whether spikes may be smaller than `MIN_SCALING`.

    Returns
    -------
    RecordingMatches
        In order of time.
    """
    front, extractor = setup.front, setup.extractor
    rate_hz = front.recording.sampling_rate_hz
    banks = setup.banks(templates)
    criteria = fit_criteria(setup.config, rate_hz, allow_attenuated=allow_attenuated)

    def process_tile(tile: Tile) -> tuple[NDArray, ...]:
        timed = banks.at((tile.start + tile.stop) // 2)
        bank = timed.bank
        matches, residual = match_templates(front.white_tile(tile), bank, criteria)
        inside = (matches.sample_index >= front.extra) & (
            matches.sample_index < front.extra + tile.stop - tile.start
        )
        sample, local_unit = matches.sample_index[inside], matches.unit_index[inside]
        shift, scaling = matches.shift_index[inside], matches.scaling[inside]
        wide = Window(
            n_before=bank.n_before,
            n_after=bank.n_window - bank.n_before,
            neighbours=bank.channels,
        )
        own = bank.shifted[local_unit, shift] * scaling[:, None, None]
        cleaned = cut_snippets(residual, sample, local_unit, wide) + own
        sums = [
            sum_by_unit(cleaned[scaling >= least], local_unit[scaling >= least], bank.n_units)
            for least in mean_scalings
        ]
        main = bank.channels[:, 0][local_unit]
        local = cut_snippets(residual, sample, main, front.window)
        replace_own_channels(local, cleaned, local_unit, bank.channels, front.window.neighbours)
        pca_features, encoder_output = extractor.encode(local, main)
        return (
            sample + (tile.start - front.extra),
            timed.unit_index[local_unit],
            scaling,
            shift,
            matches.decrease[inside],
            pca_features,
            encoder_output[:, : extractor.n_dims],
            main,
            matches.decrease[inside] / least_decreases(bank, criteria)[FULL, local_unit],
            explained_share(cleaned, own, bank.channels[local_unit] >= 0),
            timed.unit_index,
            bank.channels,
            np.stack(sums, axis=1),
        )

    tiles = front.tiles()
    rows = RowAccumulator(len(tiles))
    total = ChannelSums(len(templates.base), templates.base.n_window, templates.base.n_channels)
    for *parts, units, channels, sums in front.mapper(process_tile, tiles, front.run, progress):
        rows.add(parts)
        for unit, own, summed in zip(units, channels, sums, strict=True):
            total.add(unit, own, summed)
    sample, unit, scaling, shift, decrease, *of_snippets = rows.columns()
    pca_features, embedding, channel, relative_gain, explained = of_snippets
    matches = Matches(
        sample_index=sample, unit_index=unit, scaling=scaling, shift_index=shift, decrease=decrease
    )
    return RecordingMatches(
        matches=matches,
        pca_features=pca_features,
        embedding=embedding,
        channel_index=channel,
        relative_gain=relative_gain,
        explained=explained,
        sums=total,
    )
