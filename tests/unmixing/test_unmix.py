import numpy as np

import naive_unmixing
from embersort.config import RunConfig
from embersort.recording import ArrayRecording
from embersort.signal import Tile, filter_tile
from embersort.simulate.sources import dominant_unit
from embersort.types import Geometry
from embersort.unmixing.bins import UnitCentres, embed_stretch, label_bins, nearest_centres
from embersort.unmixing.truth import LEAST_HEIGHT, filtered_sources
from embersort.unmixing.unmix import unmix
from unmixing_scenes import CONFIG, NETWORKS, prepared, simulation, unmixed


def test_a_bin_goes_to_the_nearest_centre_that_reaches_its_channel():
    centres = UnitCentres(
        vectors=np.array([[1, 0, 0], [0, 1, 0]], np.float32),
        peak_channel=np.array([0, 1]),
        reaches=np.array([[True, True], [True, False]]),
    )
    votes = np.array(
        [
            [[2, 1, 0], [1, 2, 0]],  # The second unit does not reach the second channel.
            [[1, 2, 0], [1, 0, 3]],  # Background is nearer.
            [[0, 0, 0], [0, 5, 0.1]],  # No segment there; nothing near but the background.
        ],
        np.float32,
    )
    assert nearest_centres(votes, centres).tolist() == [[0, 0], [1, -1], [-1, -1]]


def test_segments_are_added_up_where_they_overlap():
    embedder = prepared().embedder
    samples = embedder.segments.events.sample_index
    start = int(samples[np.diff(samples).argmin()]) - 40
    fast = embed_stretch(embedder, start, start + 120)
    assert fast.any()
    np.testing.assert_allclose(
        fast, naive_unmixing.embed_stretch(embedder, start, start + 120), atol=1e-4
    )


def test_a_bin_has_the_same_unit_in_any_stretch():
    embedder, centres = prepared().embedder, prepared().centres
    whole = label_bins(embedder, centres, 10_000, 14_000)
    assert len(np.unique(whole)) > 1
    parts = [label_bins(embedder, centres, s, s + 500) for s in range(10_000, 14_000, 500)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_own_traces_and_background_add_up_to_the_recording():
    front, result = prepared().front, unmixed()
    stop = 60_000
    tile = Tile(index=1, start=30_000, stop=stop)
    traces = filter_tile(front.recording, tile, front.preprocessor, 0)
    own = [result.traces(unit, 30_000, stop) for unit in range(result.sorting.n_units)]
    background = np.where(result.labels(30_000, stop) < 0, traces, np.float32(0))
    assert len(own) > 1
    assert all(part.any() for part in own)
    np.testing.assert_array_equal(np.sum(own, axis=0) + background, traces)
    # Each bin is in one of the parts alone.
    assert max(sum(part != 0 for part in own).max(), 0) == 1


def test_a_unit_stays_on_the_channels_near_its_peak():
    result, segments = unmixed(), prepared().embedder.segments
    for unit, peak in enumerate(result.unit_peak_channel):
        used = np.unique(result.bins.channel_index[result.bins.unit_index == unit])
        assert np.isin(used, segments.channels[peak]).all()


def test_the_number_of_workers_changes_no_bit():
    config = CONFIG.model_copy(update={"run": RunConfig(n_workers=3, chunk_s=1.0)})
    other = unmix(simulation().recording, NETWORKS, config)
    for name in ("sample_index", "channel_index", "unit_index", "value_uv"):
        np.testing.assert_array_equal(getattr(other.bins, name), getattr(unmixed().bins, name))
    np.testing.assert_array_equal(other.sorting.sample_index, unmixed().sorting.sample_index)


def test_progress_is_told_to_the_end():
    told = {}
    unmix(
        simulation().recording,
        NETWORKS,
        CONFIG,
        lambda stage, done, n: told.update({stage: (done, n)}),
    )
    assert list(told) == ["segments", "bins", "masks"]
    assert all(done == n for done, n in told.values())


def test_silence_has_no_units():
    silent = ArrayRecording(
        traces=np.zeros((30_000, 4), np.float32),
        sampling_rate_hz=30_000.0,
        geometry=Geometry(positions_um=np.array([[0.0, 0], [0, 20], [0, 40], [0, 60]])),
    )
    result = unmix(silent, NETWORKS, CONFIG)
    assert (result.sorting.n_units, result.sorting.n_spikes, len(result.bins.value_uv)) == (0, 0, 0)
    assert result.peak_traces(0, 100).shape == (100, 0)


def test_the_ideal_mask_is_the_largest_source():
    preprocessor = prepared().front.preprocessor
    sources = filtered_sources(simulation(), preprocessor)
    sample = int(simulation().truth.sorting.sample_index[5])
    fast = dominant_unit(sources, preprocessor.scale, sample - 60, sample + 60, LEAST_HEIGHT)
    slow = naive_unmixing.dominant_unit(
        sources, preprocessor.scale, sample - 60, sample + 60, LEAST_HEIGHT
    )
    assert (fast[0] >= 0).any()
    np.testing.assert_array_equal(fast[0], slow[0])
    np.testing.assert_allclose(fast[1], slow[1])


def test_ideal_masks_part_the_true_units_of_a_scene_without_noise():
    """Masks of the truth, applied to the filtered sum of the sources, give back each source."""
    preprocessor = prepared().front.preprocessor
    sources = filtered_sources(simulation(), preprocessor)
    total = np.zeros((6000, 6), np.float32)
    for source in sources:
        total[:, source.channels] += source.read(3000, 9000)
    label, _ = dominant_unit(sources, preprocessor.scale, 3000, 9000, LEAST_HEIGHT)
    for unit, source in enumerate(sources):
        own = np.zeros_like(total)
        own[:, source.channels] = source.read(3000, 9000)
        error = np.where(label == unit, total, 0) - own
        assert (error**2).sum() < 0.1 * (own**2).sum()


def test_spikes_follow_the_traces_they_are_read_from():
    result = unmixed()
    trains = result.sorting.trains()
    assert sum(len(train) for train in trains) == result.sorting.n_spikes
    for train in trains:
        assert (np.diff(train) > 15).all()
