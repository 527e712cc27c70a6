"""The passes over the recording: each reads every tile once and keeps only what is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.curation.spikes import (
    MIN_SHAPING_SCALING,
    MIN_SHAPING_SCALING_CUT_OFF,
    MatchedSpikes,
    shapes_template,
    units_with_cut_off,
)
from embersort.matching.banks_over_time import BanksOverTime
from embersort.matching.clean_snippets import explained_share, replace_own_channels, sum_by_unit
from embersort.matching.orthogonal_pursuit import Matches, match_templates
from embersort.matching.single_fit import FULL, FitCriteria, least_decreases
from embersort.signal.accumulate import RowAccumulator
from embersort.signal.features import FeatureExtractor
from embersort.signal.front import Front
from embersort.signal.snippets import Window, cut_snippets
from embersort.signal.tiles import Tile
from embersort.types import Events

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFeatures:
    """Events with what is kept of their snippets.

    Attributes
    ----------
    events : Events
    pca_features : ndarray, shape (n_events, n_features), float32
        Of the components.
    encoder_output : ndarray, shape (n_events, n_outputs), float32
        What the networks say; without columns where there are none.
    """

    events: Events
    pca_features: NDArray[np.float32]
    encoder_output: NDArray[np.float32]


def peak_waveforms(front: Front, tiles: list[Tile]) -> NDArray[np.float32]:
    """Return the waveforms of the events of some tiles on their peak channels."""
    own_channel = Window(
        n_before=front.window.n_before,
        n_after=front.window.n_after,
        neighbours=front.window.neighbours[:, :1].copy(),
    )

    def process_tile(tile: Tile) -> NDArray[np.float32]:
        white, events = front.white_tile_and_events(tile)
        return cut_snippets(white, events.sample_index, events.channel_index, own_channel)[:, :, 0]

    return np.concatenate(list(front.mapper(process_tile, tiles, front.run)))


def encode_events(
    front: Front, extractor: FeatureExtractor, progress: Progress = None
) -> EventFeatures:
    """Detect the events of the whole recording and encode their snippets.

    Memory for what is kept of events is taken from that for tiles: where there are many of them,
    a recording is long, and few of its tiles could be kept anyway.
    """

    def process_tile(tile: Tile) -> tuple[NDArray, ...]:
        white, events = front.white_tile_and_events(tile)
        snippets = cut_snippets(white, events.sample_index, events.channel_index, front.window)
        return (
            events.sample_index + (tile.start - front.extra),
            events.channel_index,
            events.amplitude,
            *extractor.encode(snippets, events.channel_index),
        )

    tiles = front.tiles()
    rows = RowAccumulator(len(tiles))
    for parts in front.mapper(process_tile, tiles, front.run, progress):
        rows.add(parts)
        front.kept.share_with(rows.n_bytes)
    sample, channel, amplitude, pca_features, encoder_output = rows.columns()
    events = Events(sample_index=sample, channel_index=channel, amplitude=amplitude)
    return EventFeatures(events=events, pca_features=pca_features, encoder_output=encoder_output)


def match_recording(
    front: Front,
    banks: BanksOverTime,
    extractor: FeatureExtractor,
    criteria: FitCriteria,
    progress: Progress = None,
) -> MatchedSpikes:
    """Match the templates to the whole recording."""
    n_channels = front.recording.geometry.n_channels
    n_units = len(banks.templates.base)

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
            for least in (MIN_SHAPING_SCALING, MIN_SHAPING_SCALING_CUT_OFF)
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
    total = np.zeros((n_units, 2, front.window.n_window, n_channels))
    for *parts, units, channels, sums in front.mapper(process_tile, tiles, front.run, progress):
        rows.add(parts)
        for unit, own, summed in zip(units, channels, sums, strict=True):
            used = own >= 0
            total[unit][:, :, own[used]] += summed[:, :, used]
    sample, unit, scaling, shift, decrease, *looked_at = rows.columns()
    pca_features, embedding, channel, relative_gain, explained = looked_at
    matches = Matches(
        sample_index=sample, unit_index=unit, scaling=scaling, shift_index=shift, decrease=decrease
    )
    cut_off = units_with_cut_off(matches, relative_gain, n_units, float(criteria.min_scale[FULL]))
    counts = np.bincount(unit[shapes_template(matches, cut_off)], minlength=n_units)
    sums = total[np.arange(n_units), cut_off.astype(np.int64)]
    return MatchedSpikes(
        matches=matches,
        pca_features=pca_features,
        embedding=embedding,
        channel_index=channel,
        relative_gain=relative_gain.astype(np.float32),
        explained=explained,
        means=sums / np.maximum(counts, 1)[:, None, None],
        cut_off=cut_off,
    )
