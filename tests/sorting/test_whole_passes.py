"""The passes on recordings without noise, through a preprocessor that changes nothing but scale."""

from dataclasses import replace

import numpy as np
import pytest

import naive_matching
from embersort.config import MatchConfig
from embersort.curation.duplicates import without_duplicates
from embersort.matching import match_recording
from embersort.matching.bank import make_bank
from embersort.matching.banks_over_time import banks_over_time
from embersort.matching.orthogonal_pursuit import match_templates
from embersort.matching.single_fit import fit_criteria
from embersort.signal import TemporalPca, fit_pca
from embersort.signal.event_features import encode_events
from embersort.signal.features import FeatureExtractor
from embersort.signal.preprocess import filter_tile
from embersort.signal.tiles import Tile
from embersort.sorting import sort
from embersort.templates.sparse import sparse
from plain_front import N_CHANNELS, front_of


def pca_of(front) -> TemporalPca:
    return fit_pca(np.zeros((0, front.window.n_window)), front.window.neighbours, 3)


def test_impulses_come_back_exactly_also_at_the_borders_of_tiles():
    rng = np.random.default_rng(0)
    borders = [50, 29_999, 60_000, 74_950]
    # Nothing else near a border: two filtered impulses change each other's height.
    free = [t for t in range(150, 74_900, 100) if min(abs(t - b) for b in borders) > 150]
    sample = np.sort(np.concatenate([borders, rng.choice(free, 200, replace=False)]))
    channel = rng.integers(0, N_CHANNELS, len(sample))
    traces = np.zeros((75_000, N_CHANNELS), "f4")
    traces[sample, channel] = -200
    front = front_of(traces)
    events = encode_events(front, FeatureExtractor(pca=pca_of(front))).events
    assert (events.sample_index == sample).all()
    assert (events.channel_index == channel).all()
    assert np.ptp(events.amplitude) < 0.1 * np.abs(events.amplitude).max()


def test_what_all_channels_share_is_no_event_where_they_have_a_reference():
    traces = np.zeros((45_000, N_CHANNELS), "f4")
    traces[1000] = traces[2000, 2] = -200
    plain = front_of(traces)
    shared = replace(plain.preprocessor, groups=(np.arange(N_CHANNELS),))
    referenced = replace(front_of(traces), preprocessor=shared)

    def found(front):
        events = encode_events(front, FeatureExtractor(pca=pca_of(front))).events
        return sorted(set(events.sample_index.tolist()))

    assert found(plain) == [1000, 2000]
    assert found(referenced) == [2000]


@pytest.mark.parametrize(("rate_hz", "stride"), [(30_000, 2), (20_000, 1)])
def test_the_sort_matches_every_second_sample_where_that_is_enough(monkeypatch, rate_hz, stride):
    strides = []

    def watched(*arguments):
        strides.append(arguments[-1])
        return banks_over_time(*arguments)

    monkeypatch.setattr(match_recording, "banks_over_time", watched)
    traces = np.random.default_rng(0).normal(0, 10, (1, 2 * rate_hz)).astype("f4")
    traces[:, 500::1000] -= 200
    sort(traces, sampling_rate_hz=rate_hz)
    assert set(strides) == {stride}


def test_no_events_have_no_codes():
    front = front_of(np.zeros((45_000, N_CHANNELS), "f4"))
    encoded = encode_events(front, FeatureExtractor(pca=pca_of(front)))
    assert encoded.events.n_events == 0
    assert len(encoded.pca_features) == 0


def test_filtered_overlapping_spikes_leave_nothing():
    wide = naive_matching.shapes(n_window=75, n_before=30)
    config = MatchConfig()
    spikes = [(1000, 0, 1), (1014, 1, 1), (1030, 2, 1), (2000, 1, 1), (2020, 0, 1)]
    bank = make_bank(sparse(wide), 30)
    traces = naive_matching.place(wide, 30, 3000, spikes)
    matches, residual = match_templates(traces, bank, fit_criteria(config, 30_000.0))
    assert list(zip(matches.sample_index, matches.unit_index, strict=True)) == [
        (t, u) for t, u, _ in spikes
    ]
    assert np.abs(residual).max() < 0.005 * np.abs(wide).max()


@pytest.mark.parametrize("extra", [0, 150])
def test_a_tile_has_the_samples_that_were_asked_for(extra):
    front = front_of(np.ones((45_000, N_CHANNELS), "f4"))
    tile = Tile(index=1, start=30_000, stop=45_000)
    assert filter_tile(front.recording, tile, front.preprocessor, extra).shape == (
        15_000 + 2 * extra,
        N_CHANNELS,
    )


def test_of_two_spikes_of_a_unit_too_near_the_better_stays():
    sample = np.array([100, 105, 106, 200, 205, 300])
    unit = np.array([0, 0, 1, 0, 0, 0])
    gain = np.array([5, 9, 1, 7, 7, 2], "f4")
    keep = without_duplicates(sample, unit, gain, 9)
    assert keep.tolist() == [False, True, True, True, False, True]
