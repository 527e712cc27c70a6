import dataclasses

import numpy as np
import pytest

from embersort.evaluation.separation import bin_purity, si_sdr_from_products
from embersort.signal import Tile, filter_tile
from embersort.simulate.sources import dominant_unit
from embersort.unmixing.result import owned_bins
from embersort.unmixing.scores import score_unmixing, spike_scores, summary
from embersort.unmixing.truth import LEAST_HEIGHT, filtered_sources
from unmixing_scenes import SCENE, prepared, simulation, unmixed


def truth_as_unmixing():
    """What unmixing would give if its masks were ideal."""
    front = prepared().front
    sources = filtered_sources(simulation(), front.preprocessor)
    whole = Tile(index=0, start=0, stop=SCENE.n_samples)
    traces = filter_tile(front.recording, whole, front.preprocessor, 0)
    label, _ = dominant_unit(sources, front.preprocessor.scale, 0, SCENE.n_samples, LEAST_HEIGHT)
    truth = simulation().truth
    ideal = dataclasses.replace(
        unmixed(),
        sorting=truth.sorting,
        bins=owned_bins(label, traces, 0),
        unit_peak_channel=np.asarray(truth.unit_peak_channel),
    )
    return ideal, sources, traces


def test_si_sdr_of_known_signals():
    # The estimate is twice the reference plus an error of a tenth of that energy, orthogonal.
    assert si_sdr_from_products(1.0, 4.0 + 0.4, 2.0) == pytest.approx(10.0)
    assert si_sdr_from_products(1.0, 4.0, 0.0) == -np.inf
    assert si_sdr_from_products(1.0, 0.0, 0.0) == -np.inf


def test_si_sdr_of_sums_is_that_of_signals():
    from embersort.speech.scores import si_sdr_db

    rng = np.random.default_rng(0)
    r, e = rng.standard_normal((2, 500))
    r, e = r - r.mean(), 0.3 * e + r
    e = e - e.mean()
    assert si_sdr_from_products(r @ r, e @ e, r @ e) == pytest.approx(si_sdr_db(r, e))


def test_purity_of_a_hand_written_table():
    # Unit 1 takes from both true units; unit 2 is pure; two bins of background are given away.
    counts = np.array([[6, 0, 4], [3, 5, 2], [1, 1, 90]])
    score = bin_purity(counts)
    assert score.purity == (6 + 5) / 16
    assert score.completeness == (6 + 5) / 20
    assert (score.n_given, score.n_true) == (16, 20)


def test_no_units_have_no_purity():
    assert np.isnan(bin_purity(np.array([[3], [5]])).purity)
    assert bin_purity(np.array([[3], [5]])).completeness == 0


def test_ideal_masks_score_as_ideal_masks():
    ideal, sources, _ = truth_as_unmixing()
    front = prepared().front
    scores = score_unmixing(ideal, front.recording, front.preprocessor, sources)
    assert scores.matched_index.tolist() == [0, 1, 2]
    np.testing.assert_allclose(scores.si_sdr_db, scores.ideal_si_sdr_db)
    assert (scores.ideal_si_sdr_db > scores.mixture_si_sdr_db + 3).all()
    assert (scores.purity.purity, scores.purity.completeness) == (1, 1)
    assert scores.purity.n_given == len(ideal.bins.value_uv)


def test_scores_are_those_of_the_whole_signals():
    ideal, sources, traces = truth_as_unmixing()
    front = prepared().front
    scores = score_unmixing(ideal, front.recording, front.preprocessor, sources)
    own = sources[1].read(0, SCENE.n_samples).astype(np.float64)
    estimate = ideal.traces(1, 0, SCENE.n_samples)[:, sources[1].channels].astype(np.float64)
    wanted = si_sdr_from_products((own**2).sum(), (estimate**2).sum(), (own * estimate).sum())
    assert scores.si_sdr_db[1] == pytest.approx(float(wanted), abs=1e-4)
    mixture = traces[:, sources[1].channels].astype(np.float64)
    wanted = si_sdr_from_products((own**2).sum(), (mixture**2).sum(), (own * mixture).sum())
    assert scores.mixture_si_sdr_db[1] == pytest.approx(float(wanted), abs=1e-4)


def test_a_unit_that_was_not_found_has_no_score():
    ideal, sources, _ = truth_as_unmixing()
    front, bins = prepared().front, ideal.bins
    kept = bins.unit_index != 2
    fewer = dataclasses.replace(
        bins,
        **{f.name: getattr(bins, f.name)[kept] for f in dataclasses.fields(bins)},
    )
    scores = score_unmixing(
        dataclasses.replace(ideal, bins=fewer), front.recording, front.preprocessor, sources
    )
    assert scores.matched_index.tolist() == [0, 1, -1]
    assert scores.si_sdr_db[2] == -np.inf
    spikes = spike_scores(
        ideal.sorting, np.asarray(simulation().truth.spike_overlaps), ideal.sorting
    )
    assert spikes["accuracy"] == spikes["recall_lone"] == 1
    row = summary(scores, spikes)
    assert (row["n_true_units"], row["n_matched"]) == (3, 2)
