"""Collisions of two neurons against a third neuron, in white noise."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest

import naive_matching
from embersort.config import MatchConfig
from embersort.curation.collisions import (
    MIN_EVENTS,
    MIN_RATE_RATIO,
    collisions,
    explained_by,
    may_be_collisions,
)
from embersort.matching.bank import make_bank
from embersort.matching.match_recording import MatchSetup
from embersort.signal.tiles import Tile
from embersort.templates.sparse import sparse
from embersort.templates.spikes import UnitSpikes, evenly
from embersort.types import UNASSIGNED

N_BEFORE = 15
CONFIG = MatchConfig()


def setup_of(front):
    return MatchSetup(front=front, extractor=None, noise=np.ones(1), config=CONFIG, stride=1)


A, B, C = naive_matching.shapes()
N_WINDOW, N_CHANNELS = A.shape
PITCH = 5 * N_WINDOW
"""Events are this far apart."""


def traces_of(events, seed=0):
    """White noise with events, each a list of (template, lag, scale), at `at` of its row."""
    white = np.random.default_rng(seed).standard_normal((PITCH * (len(events) + 1), N_CHANNELS))
    for row, parts in enumerate(events):
        for template, lag, scaling in parts:
            first = at(row) - N_BEFORE + lag
            white[first : first + N_WINDOW] += scaling * template
    return white.astype("f4")


def at(row):
    return PITCH * (row + 1)


def by_others(events, template):
    start = at(np.arange(len(events))) - N_BEFORE
    templates = np.broadcast_to(template, (len(events), *A.shape)).astype("f4")
    bank = make_bank(sparse(np.stack([A, B])), N_BEFORE)
    return explained_by(traces_of(events), start, templates, bank, CONFIG)


def test_sums_at_many_lags_are_explained_though_their_median_is_no_sum():
    lags = np.arange(-12, 13, 3)
    events = [[(A, 0, 1), (B, int(lag), 1)] for lag in lags]
    template = A + np.median([np.roll(B, lag, axis=0) for lag in lags], axis=0)
    assert np.mean(by_others(events, template) > 1) > 0.8


@pytest.mark.parametrize(
    "template",
    [pytest.param(C, id="a third"), pytest.param(0.5 * A, id="a far smaller one of like shape")],
)
def test_the_spikes_of_another_neuron_are_not(template):
    assert not by_others([[(template, 0, 1)]] * 8, template).any()
    # Nor where others collide with it, or it comes a little off its time.
    assert not by_others([[(template, 2, 1), (B, 30, 1)]] * 8, template).any()


def test_in_doubt_is_what_chance_makes_of_pairs_of_larger_ones():
    counts = np.array([1000, 2000, 40])
    by_chance = 1000 * 2000 * N_WINDOW
    asked = partial_doubt(np.stack([A, B, C]), counts)
    assert asked(by_chance // 40) == [False, False, True]
    assert asked(by_chance // 40 + N_WINDOW * 2000) == [False] * 3
    # One that is not much rarer than a neuron holds no collisions with it.
    counts[2] = 1000 // MIN_RATE_RATIO + 1
    assert asked(1) == [False] * 3


def test_clusters_that_share_no_channel_collide_with_none():
    far = np.zeros_like(C)
    far[:, -1] = C[:, 0]
    near = np.stack([A, B])
    near[:, :, -1] = 0
    assert partial_doubt(np.stack([*near, far]), np.array([1000, 1000, 10]))(1) == [False] * 3


def partial_doubt(templates, counts):
    return lambda n_samples: may_be_collisions(sparse(templates), counts, n_samples).tolist()


@dataclass
class Front:
    """White traces in one tile, as the passes give them."""

    white: np.ndarray
    extra: int = 2 * N_WINDOW
    run: None = None
    window: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(n_before=N_BEFORE))

    @property
    def recording(self):
        return SimpleNamespace(n_samples=len(self.white))

    def tiles(self):
        half = len(self.white) // 2
        edges = [0, half, len(self.white)]
        return [Tile(index=i, start=edges[i], stop=edges[i + 1]) for i in range(2)]

    def white_tile(self, tile):
        padded = np.pad(self.white, ((self.extra, self.extra), (0, 0)))
        return padded[tile.start : tile.stop + 2 * self.extra]

    def mapper(self, look, tiles, run):
        return map(look, tiles)


N_EACH = 60


def clusters(n_third, third, *, all_late=False):
    """Spikes of two neurons in turn, and a third cluster of other events between them."""
    events = [[(A, 0, 1)]] * N_EACH + [[(B, 0, 1)]] * N_EACH + [third] * n_third
    order = np.arange(2 * N_EACH).reshape(2, N_EACH).T.ravel()
    places = np.linspace(0, 2 * N_EACH, n_third + 2).astype(int)[1:-1]
    order = np.insert(
        order, places if not all_late else 2 * N_EACH, 2 * N_EACH + np.arange(n_third)
    )
    events, unit = (
        [events[i] for i in order],
        np.repeat([0, 1, 2], [N_EACH, N_EACH, n_third])[order],
    )
    spikes = UnitSpikes(
        sample_index=at(np.arange(len(events))),
        unit_index=unit,
        channel_index=np.zeros(len(events), int),
        pca_features=np.zeros((len(events), 1), "f4"),
    )
    return Front(traces_of(events)), spikes


@pytest.mark.parametrize(
    ("n_third", "third", "answer"),
    [
        pytest.param(5, [(A, 0, 1), (B, 4, 1)], True, id="collisions"),
        pytest.param(5, [(C, 0, 1)], False, id="a neuron"),
        pytest.param(MIN_EVENTS - 1, [(A, 0, 1), (B, 4, 1)], False, id="too few to tell"),
        pytest.param(20, [(A, 0, 1), (B, 4, 1)], False, id="too many for chance"),
    ],
)
def test_a_cluster_of_collisions_is_known_by_its_events(n_third, third, answer):
    front, spikes = clusters(n_third, third)
    final = sum(np.roll(template, lag, axis=0) for template, lag, _ in third)
    templates = np.stack([A, B, final]).astype("f4")
    found = collisions(sparse(templates), spikes, setup_of(front))
    assert found.tolist() == [False, False, answer]


@pytest.mark.parametrize("all_late", [True, False], ids=["of one time", "of all times"])
def test_what_one_spike_explains_is_no_cluster_unless_the_neuron_may_have_moved(all_late):
    front, spikes = clusters(5, [(A, 1, 0.9)], all_late=all_late)
    templates = np.stack([A, B, 0.9 * A]).astype("f4")
    assert may_be_collisions(sparse(templates), np.bincount(spikes.unit_index), len(front.white))[2]
    found = collisions(sparse(templates), spikes, setup_of(front))
    assert found.tolist() == [False, False, not all_late]


def test_without_clusters_there_are_no_collisions():
    front, spikes = clusters(0, [])
    none = collisions(
        sparse(np.zeros((0, *A.shape), "f4")),
        spikes.without_units(np.ones(3, bool)),
        setup_of(front),
    )
    assert none.tolist() == []


def test_spikes_of_units_left_out_belong_to_none_and_the_others_are_counted_anew():
    _, spikes = clusters(5, [(C, 0, 1)])
    left = spikes.without_units(np.array([False, True, False]))
    expected = np.array([0, UNASSIGNED, 1])[spikes.unit_index]
    assert left.unit_index.tolist() == expected.tolist()
    again = left.without_units(np.array([True, False]))
    assert again.unit_index.tolist() == np.array([-1, -1, 0])[spikes.unit_index].tolist()


def test_rows_are_taken_evenly():
    assert evenly(np.arange(10, 21), 3).tolist() == [10, 15, 20]
    assert evenly(np.arange(2), 3).tolist() == [0, 1]
    assert evenly(np.arange(0), 3).tolist() == []
