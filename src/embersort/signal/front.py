"""What every pass over a recording needs, and the white tiles and events that it gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embersort.config import RunConfig
from embersort.signal.detect import Detector, detect
from embersort.signal.preprocess import Preprocessor, filter_tile, reference, whiten
from embersort.signal.snippets import Window
from embersort.signal.tile_cache import KeptTiles, WhiteTile
from embersort.signal.tiles import Tile, TileMapper, map_tiles, tile_grid
from embersort.types import Recording


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
