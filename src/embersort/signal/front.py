"""From traces to white tiles and the events in them: the one place, whoever asks.

Sorting, training, unmixing, the comparison of options and the benchmarks all go through `Front`,
so that a network learns from the very events that it will serve.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from embersort.config import RunConfig, SortConfig
from embersort.signal.basis import height_ratios, white_is_better
from embersort.signal.detect import Detector, detect, make_detector
from embersort.signal.preprocess import (
    Preprocessor,
    filter_tile,
    fit_preprocessor,
    reference,
    whiten,
)
from embersort.signal.snippets import Window, make_window
from embersort.signal.tile_cache import KeptTiles, WhiteTile
from embersort.signal.tiles import Tile, TileMapper, map_tiles, spread, tile_grid
from embersort.types import Events, FloatArray, Recording

log = logging.getLogger(__name__)

BASIS_TILES = 12
"""Tiles, spread over the recording, on which it is measured where events are looked for."""


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
    detect_white : bool
        Events are looked for in the white traces.
    """

    recording: Recording
    preprocessor: Preprocessor
    detector: Detector
    window: Window
    run: RunConfig
    mapper: TileMapper = map_tiles
    kept: KeptTiles = field(default_factory=lambda: KeptTiles(0))
    detect_white: bool = False

    @property
    def extra(self) -> int:
        """Samples needed on either side of a tile so that its own events are whole."""
        return self.window.n_window + max(self.window.n_window, self.detector.exclude_samples)

    @property
    def basis(self) -> str:
        """What events are looked for in, in words."""
        if self.detect_white:
            return "white traces"
        if self.preprocessor.shared is not None:
            return "filtered traces less what all channels share"
        return "filtered traces" + (
            " less the median of each shank" * bool(self.preprocessor.groups)
        )

    def white_tile(self, tile: Tile) -> NDArray[np.float32]:
        """Return the white traces of a tile with ``extra`` samples on either side."""
        kept = self.kept.get(tile.index)
        return whiten(self.filtered_tile(tile), self.preprocessor) if kept is None else kept[0]

    def white_tile_and_events(self, tile: Tile) -> WhiteTile:
        """Return the white traces of a tile, and the events in it; keep them for later passes.

        Sample indices of the events count from the start of the white traces.
        """
        kept = self.kept.get(tile.index)
        if kept is not None:
            return kept
        made = self.whiten_and_detect(self.filtered_tile(tile))
        self.kept.keep(tile.index, made)
        return made

    def filtered_tile(self, tile: Tile) -> NDArray[np.float32]:
        """Return the filtered traces of a tile in microvolt, ``extra`` samples on either side."""
        return filter_tile(self.recording, tile, self.preprocessor, self.extra)

    def whiten_and_detect(self, filtered: NDArray[np.float32]) -> WhiteTile:
        """Return the white traces of filtered ones, and the events between their margins.

        Events are looked for before whitening where nothing speaks against it: whitening evens
        out the noise but also takes from a trough what the neighbouring channels share with it.
        """
        white = whiten(filtered, self.preprocessor)
        looked_at = white if self.detect_white else reference(filtered, self.preprocessor)
        return white, detect(looked_at, self.extra, self.detector)

    def in_recording(self, events: Events, tile: Tile) -> Events:
        """Return events of a tile with their sample indices counted in the recording."""
        return replace(events, sample_index=events.sample_index + (tile.start - self.extra))

    def tiles(self) -> list[Tile]:
        """Return the grid of the recording."""
        return tile_grid(self.recording.n_samples, self.recording.sampling_rate_hz)


def make_front(
    recording: Recording,
    config: SortConfig,
    mapper: TileMapper = map_tiles,
    bytes_kept: int = 0,
) -> Front:
    """Learn noise and whitening of a recording, and lay down detector and window.

    Parameters
    ----------
    recording : Recording
    config : SortConfig
        Only ``filter``, ``whiten``, ``detect``, ``snippet`` and ``run`` are read.
    mapper : TileMapper
        Where the tiles are computed.
    bytes_kept : int
        White tiles so large together are kept from one pass to the next.
    """
    fs = recording.sampling_rate_hz
    front = Front(
        recording=recording,
        preprocessor=fit_preprocessor(recording, config.filter, config.whiten, config.run, mapper),
        detector=make_detector(recording.geometry, fs, config.detect),
        window=make_window(recording.geometry, fs, config.snippet),
        run=config.run,
        mapper=mapper,
        kept=KeptTiles(bytes_kept),
    )
    front = replace(front, detect_white=_looks_at_white(front))
    log.info("events are looked for in %s", front.basis)
    return front


def _looks_at_white(front: Front) -> bool:
    """Say whether events are looked for in white traces; measured where noise is shared."""
    if not front.preprocessor.far_noise_alike:
        return False

    def ratios(tile: Tile) -> FloatArray:
        filtered = front.filtered_tile(tile)
        plain = reference(filtered, front.preprocessor)
        white = whiten(filtered, front.preprocessor)
        return height_ratios(plain, white, front.extra, front.detector)

    tiles = spread(front.tiles(), BASIS_TILES)
    return white_is_better(np.concatenate(list(front.mapper(ratios, tiles, front.run))))
