"""The passes over the recording: each reads every tile once and keeps only what is small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embersort.config import RunConfig
from embersort.matching.fit import USUAL, Terms, least_gains
from embersort.matching.peel import Matches, peel
from embersort.signal.detect import Detector, detect
from embersort.signal.preprocess import Preprocessor, filter_tile, reference, whiten
from embersort.signal.snippets import Window, cut_snippets
from embersort.signal.tiles import Tile, TileMapper, map_tiles, tile_grid
from embersort.sorting.banks import Banks
from embersort.sorting.cleaned import explained_share, replace_own_channels, sum_by_unit
from embersort.sorting.doubtful import (
    SURE_SCALE,
    TYPICAL_SCALE,
    flooded_units,
    shapes_template,
)
from embersort.sorting.gathered import Gathered
from embersort.sorting.kept import KeptTiles, WhiteTile
from embersort.sorting.looks import Looks
from embersort.types import Events, Recording

Progress = Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Front:
    """What every pass needs: the recording and what is done to its samples.

    Attributes
    ----------
    recording : Recording
    preprocessor : Preprocessor
    detector : Detector
    window : Window
    run : RunConfig
    mapper : TileMapper
        Where the tiles are computed.
    kept : KeptTiles
        Tiles that need not be computed again.
    """

    recording: Recording
    preprocessor: Preprocessor
    detector: Detector
    window: Window
    run: RunConfig
    mapper: TileMapper = map_tiles
    kept: KeptTiles = field(default_factory=lambda: KeptTiles(0))

    @property
    def extra(self) -> int:
        """Samples needed on either side of a tile so that its own events are whole."""
        return self.window.n_window + max(self.window.n_window, self.detector.exclude_samples)

    def white_tile(self, tile: Tile) -> NDArray[np.float32]:
        """Return the white traces of a tile with ``extra`` samples on either side."""
        kept = self.kept.get(tile.index)
        if kept is not None:
            return kept[0]
        filtered = filter_tile(self.recording, tile, self.preprocessor, self.extra)
        return whiten(filtered, self.preprocessor)

    def white_tile_and_events(self, tile: Tile) -> WhiteTile:
        """Return the white traces of a tile, and the events in it; keep them for later passes.

        Events are looked for before whitening: it evens out the noise but also takes from a
        trough what the neighbouring channels share with it.
        """
        kept = self.kept.get(tile.index)
        if kept is not None:
            return kept
        filtered = filter_tile(self.recording, tile, self.preprocessor, self.extra)
        events = detect(reference(filtered, self.preprocessor), self.extra, self.detector)
        made = whiten(filtered, self.preprocessor), events
        self.kept.keep(tile.index, made)
        return made

    def tiles(self) -> list[Tile]:
        """Return the grid of the recording."""
        return tile_grid(self.recording.n_samples, self.recording.sampling_rate_hz)


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedEvents:
    """Events with what is kept of their snippets.

    Attributes
    ----------
    events : Events
    codes : ndarray, shape (n_events, n_codes), float32
        Of the components.
    learned : ndarray, shape (n_events, n_learned), float32
        What the networks say; without columns where there are none.
    """

    events: Events
    codes: NDArray[np.float32]
    learned: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedSpikes:
    """Spikes found by template matching, each cleaned of what overlapped it.

    Attributes
    ----------
    matches : Matches
        Sample indices count from the start of the recording.
    codes : ndarray, shape (n_spikes, n_codes), float32
        Of residual plus own template, on the local channels of ``channel_index``.
    embedding : ndarray, shape (n_spikes, n_dims), float32
        Of the same snippets; without columns where there are no networks.
    channel_index : ndarray, shape (n_spikes,), int64
        Main channel, at that time, of the template that found each spike.
    worth : ndarray, shape (n_spikes,), float32
        Gain as a multiple of the least that its template asks of a spike.
    explained : ndarray, shape (n_spikes,), float32
        Share of what is at each spike, less the noise, that its template explains.
    means : ndarray, shape (n_units, n_window, n_channels), float64
        Mean of residual plus own template over the spikes that are large enough, on the template's
        channels.
    flooded : ndarray, shape (n_units,), bool
        Whether most of a unit's matches seem to be noise that fits its template.
    """

    matches: Matches
    codes: NDArray[np.float32]
    embedding: NDArray[np.float32]
    channel_index: NDArray[np.int64]
    worth: NDArray[np.float32]
    explained: NDArray[np.float32]
    means: NDArray[np.float64]
    flooded: NDArray[np.bool_]

    @property
    def shapes_template(self) -> NDArray[np.bool_]:
        """Whether each spike is large enough to say what its unit looks like."""
        return shapes_template(self.matches, self.flooded)


def peak_waveforms(front: Front, tiles: list[Tile]) -> NDArray[np.float32]:
    """Return the waveforms of the events of some tiles on their peak channels."""
    own_channel = Window(
        n_before=front.window.n_before,
        n_after=front.window.n_after,
        neighbours=front.window.neighbours[:, :1].copy(),
    )

    def look(tile: Tile) -> NDArray[np.float32]:
        white, events = front.white_tile_and_events(tile)
        return cut_snippets(white, events.sample_index, events.channel_index, own_channel)[:, :, 0]

    return np.concatenate(list(front.mapper(look, tiles, front.run)))


def encode_events(front: Front, looks: Looks, progress: Progress = None) -> EncodedEvents:
    """Detect the events of the whole recording and encode their snippets.

    Memory for what is kept of events is taken from that for tiles: where there are many of them,
    a recording is long, and few of its tiles could be kept anyway.
    """

    def look(tile: Tile) -> tuple[NDArray, ...]:
        white, events = front.white_tile_and_events(tile)
        snippets = cut_snippets(white, events.sample_index, events.channel_index, front.window)
        return (
            events.sample_index + (tile.start - front.extra),
            events.channel_index,
            events.amplitude,
            *looks.encode(snippets, events.channel_index),
        )

    tiles = front.tiles()
    gathered = Gathered(len(tiles))
    for parts in front.mapper(look, tiles, front.run, progress):
        gathered.add(parts)
        front.kept.share_with(gathered.n_bytes)
    sample, channel, amplitude, codes, learned = gathered.columns()
    events = Events(sample_index=sample, channel_index=channel, amplitude=amplitude)
    return EncodedEvents(events=events, codes=codes, learned=learned)


def match_recording(
    front: Front,
    banks: Banks,
    looks: Looks,
    terms: Terms,
    progress: Progress = None,
) -> MatchedSpikes:
    """Match the templates to the whole recording."""
    n_channels = front.recording.geometry.n_channels
    n_units = len(banks.templates.base)

    def look(tile: Tile) -> tuple[NDArray, ...]:
        timed = banks.at(tile.start)
        bank = timed.bank
        matches, residual = peel(front.white_tile(tile), bank, terms)
        inside = (matches.sample_index >= front.extra) & (
            matches.sample_index < front.extra + tile.stop - tile.start
        )
        sample, local_unit = matches.sample_index[inside], matches.unit_index[inside]
        shift, scale = matches.shift_index[inside], matches.scale[inside]
        wide = Window(
            n_before=bank.n_before,
            n_after=bank.n_window - bank.n_before,
            neighbours=bank.channels,
        )
        own = bank.shifted[local_unit, shift] * scale[:, None, None]
        cleaned = cut_snippets(residual, sample, local_unit, wide) + own
        sums = [
            sum_by_unit(cleaned[scale >= least], local_unit[scale >= least], bank.n_units)
            for least in (TYPICAL_SCALE, SURE_SCALE)
        ]
        main = bank.channels[:, 0][local_unit]
        local = cut_snippets(residual, sample, main, front.window)
        replace_own_channels(local, cleaned, local_unit, bank.channels, front.window.neighbours)
        codes, learned = looks.encode(local, main)
        return (
            sample + (tile.start - front.extra),
            timed.unit_index[local_unit],
            scale,
            shift,
            matches.gain[inside],
            codes,
            learned[:, : looks.n_dims],
            main,
            matches.gain[inside] / least_gains(bank, terms)[USUAL, local_unit],
            explained_share(cleaned, own, bank.channels[local_unit] >= 0),
            timed.unit_index,
            bank.channels,
            np.stack(sums, axis=1),
        )

    tiles = front.tiles()
    gathered = Gathered(len(tiles))
    total = np.zeros((n_units, 2, front.window.n_window, n_channels))
    for *parts, units, channels, sums in front.mapper(look, tiles, front.run, progress):
        gathered.add(parts)
        for unit, own, summed in zip(units, channels, sums, strict=True):
            used = own >= 0
            total[unit][:, :, own[used]] += summed[:, :, used]
    sample, unit, scale, shift, gain, *looked_at = gathered.columns()
    codes, embedding, channel, worth, explained = looked_at
    matches = Matches(
        sample_index=sample, unit_index=unit, scale=scale, shift_index=shift, gain=gain
    )
    flooded = flooded_units(matches, worth, n_units, float(terms.min_scale[USUAL]))
    counts = np.bincount(unit[shapes_template(matches, flooded)], minlength=n_units)
    sums = total[np.arange(n_units), flooded.astype(np.int64)]
    return MatchedSpikes(
        matches=matches,
        codes=codes,
        embedding=embedding,
        channel_index=channel,
        worth=worth.astype(np.float32),
        explained=explained,
        means=sums / np.maximum(counts, 1)[:, None, None],
        flooded=flooded,
    )
