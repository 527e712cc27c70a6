"""One streaming pass over the recording: filter, whiten, detect, cut snippets."""

from embersort.signal.detect import Detector, detect, make_detector
from embersort.signal.front import Front, make_front
from embersort.signal.pca import TemporalPca, fit_pca
from embersort.signal.preprocess import Preprocessor, filter_tile, fit_preprocessor, whiten
from embersort.signal.snippets import Window, cut_snippets, make_window
from embersort.signal.tiles import Tile, map_tiles, tile_grid

__all__ = [
    "Detector",
    "Front",
    "Preprocessor",
    "TemporalPca",
    "Tile",
    "Window",
    "cut_snippets",
    "detect",
    "filter_tile",
    "fit_pca",
    "fit_preprocessor",
    "make_detector",
    "make_front",
    "make_window",
    "map_tiles",
    "tile_grid",
    "whiten",
]
