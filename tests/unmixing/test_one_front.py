"""Sorting, training and unmixing see the same events."""

import numpy as np

from embersort.config import RunConfig, SortConfig
from embersort.signal.detect import detect
from embersort.signal.front import make_front
from embersort.sorting.recipe import sort_evidence
from embersort.training.event_sets import labelled_snippets
from unmixing_scenes import prepared, simulation

CONFIG = SortConfig(run=RunConfig(n_workers=1))


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("sample_index", "channel_index", "amplitude")
    )


def test_sorting_training_and_unmixing_see_the_same_events():
    sorted_events = sort_evidence(simulation().recording, CONFIG).events
    assert sorted_events.n_events > 100
    assert same(labelled_snippets(simulation()).events, sorted_events)
    assert same(prepared().embedder.segments.events, sorted_events)


def test_the_events_are_those_of_the_filtered_traces_not_of_the_white_ones():
    front = make_front(simulation().recording, CONFIG)
    tile = front.tiles()[0]
    white, events = front.white_tile_and_events(tile)
    assert not same(detect(white, front.extra, front.detector), events)
