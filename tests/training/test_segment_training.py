import dataclasses
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embedding_samples import SEGMENT, random_weights  # noqa: E402
from embersort.config import ClusterConfig, read_toml  # noqa: E402
from embersort.embedding.segment_architecture import SegmentConfig  # noqa: E402
from embersort.embedding.segment_weights import load_segment_weights  # noqa: E402
from embersort.errors import BadConfig, BadInput  # noqa: E402
from embersort.simulate import Scene, simulate  # noqa: E402
from embersort.simulate.sources import dominant_unit  # noqa: E402
from embersort.training import train_segments as module  # noqa: E402
from embersort.training.recipe import find_recipe  # noqa: E402
from embersort.training.segment_batches import (  # noqa: E402
    SegmentBatchConfig,
    draw_segment_batch,
    one_set,
)
from embersort.training.segment_network import SegmentNetwork  # noqa: E402
from embersort.training.segment_sets import (  # noqa: E402
    SegmentSets,
    SetConfig,
    load_segment_sets,
    make_segment_sets,
    save_segment_sets,
    true_bins,
)
from embersort.training.segment_task import (  # noqa: E402
    SegmentLossConfig,
    held_out_segment_scores,
    segment_loss,
)
from embersort.training.train_segments import SegmentRecipe, train_segments  # noqa: E402
from embersort.unmixing.truth import LEAST_HEIGHT, filtered_sources  # noqa: E402
from unmixing_scenes import prepared, simulation  # noqa: E402

SCENE = Scene.parse(
    {
        "seed": 1,
        "duration_s": 3.0,
        "cells": {"n_units": 2, "min_snr": 12.0, "max_snr": 20.0},
        "probe": {"kind": "tetrode"},
        "trains": {"rate_min_hz": 20.0, "rate_max_hz": 30.0},
    }
)
SETS = SetConfig(n_sets=3, n_events=12)


@pytest.fixture(scope="module")
def sets():
    return make_segment_sets(
        simulate(SCENE), random_weights(), SEGMENT, SETS, np.random.default_rng(0)
    )


def test_a_set_holds_segments_their_neighbours_and_the_truth(sets):
    assert sets.own.shape == (3, 12, 4, 40)
    assert sets.bin_label.shape == sets.own.shape
    assert set(np.unique(sets.bin_label)) <= {-1, 0, 1}
    assert (sets.n_neighbours == SEGMENT.n_neighbours).all()
    # The trough of an event that is a spike belongs to a unit, most often to that one.
    spikes = sets.event_label >= 0
    at_trough = sets.bin_label[:, :, 0, 15]
    assert spikes.mean() > 0.5
    assert (at_trough[spikes] == sets.event_label[spikes]).mean() > 0.8
    # Spikes of a unit look alike, so their neighbours' mean is like them.
    own, mean = sets.own[spikes].astype(np.float32), sets.mean[spikes].astype(np.float32)
    likeness = (own * mean).sum((1, 2)) / np.sqrt((own**2).sum((1, 2)) * (mean**2).sum((1, 2)))
    assert np.median(likeness) > 0.8


def test_true_bins_are_the_ideal_mask_at_the_nearest_samples():
    segments, front = prepared().embedder.segments, prepared().front
    sources = filtered_sources(simulation(), front.preprocessor)
    label, height = true_bins(segments, sources, front, 4)
    trough = int(np.rint(segments.events.sample_index[4] + segments.shift[4]))
    wanted = dominant_unit(sources, front.preprocessor.scale, trough, trough + 1, LEAST_HEIGHT)
    np.testing.assert_array_equal(label[:, 15], wanted[0][0, segments.local(4)])
    np.testing.assert_array_equal(height[:, 15], wanted[1][0, segments.local(4)])
    assert label.shape == (len(segments.local(4)), 40)


def test_sets_come_back_as_written(sets, tmp_path):
    save_segment_sets(sets, tmp_path / "a.npz")
    back = load_segment_sets(tmp_path / "a.npz")
    for field in dataclasses.fields(SegmentSets):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(sets, field.name))
    (tmp_path / "a.npz").write_bytes(b"no")
    with pytest.raises(BadInput, match="does not hold segments"):
        load_segment_sets(tmp_path / "a.npz")


def test_a_scene_with_too_few_events_has_no_sets():
    few = SetConfig(n_sets=2, n_events=5000)
    sets = make_segment_sets(
        simulate(SCENE), random_weights(), SEGMENT, few, np.random.default_rng(0)
    )
    assert sets.n_sets == 0


def test_a_batch_depends_on_its_step_alone(sets):
    config = SegmentBatchConfig(n_sets=2)
    first, again, other = (draw_segment_batch([sets], config, 0, s) for s in (3, 3, 4))
    assert torch.equal(first.own, again.own)
    assert torch.equal(first.positions_um, again.positions_um)
    assert not torch.equal(first.positions_um, other.positions_um)


def test_withheld_neighbours_leave_zeros(sets):
    batch = draw_segment_batch([sets], SegmentBatchConfig(alone_share=1.0), 0, 0)
    assert not batch.mean.any()
    assert not batch.spread.any()
    assert not batch.n_neighbours.any()


class Fixed(SegmentNetwork):
    """Gives the bins and segments that it is told to give."""

    def __init__(self, bins, whole):
        super().__init__(SEGMENT)
        self.answer = bins, whole

    def forward(self, *_):
        return self.answer


def perfect(batch):
    """Bins and segments on the axis of their unit, background on the last."""
    axes = torch.eye(SEGMENT.n_dims)
    return Fixed(axes[batch.bin_label], axes[batch.event_label])


def test_the_loss_is_least_where_units_and_background_have_axes_of_their_own(sets):
    batch, config = one_set(sets, 0), SegmentLossConfig(contrastive=0.0)
    assert float(segment_loss(perfect(batch), batch, config)) == pytest.approx(0, abs=1e-6)
    bins, whole = perfect(batch).answer
    # The same clusters, but with the background on a unit's axis and not where it is known.
    assert float(segment_loss(Fixed(bins.roll(1, -1), whole), batch, config)) > 0.01
    mixed = torch.ones_like(bins) / SEGMENT.n_dims**0.5
    assert float(segment_loss(Fixed(mixed, whole), batch, config)) > 0.2


def test_held_out_scores_of_perfect_and_of_useless_bins(sets):
    batches = [one_set(sets, 0)]
    cluster = ClusterConfig()
    assert held_out_segment_scores(perfect(batches[0]), batches, cluster)["bin_accuracy"] == 1
    network = SegmentNetwork(SEGMENT)
    with torch.no_grad():
        scores = held_out_segment_scores(network, batches, cluster)
    assert set(scores) == {"bin_accuracy", "ari_whole", "score"}
    assert scores["bin_accuracy"] < 0.95
    assert scores["score"] == pytest.approx((scores["bin_accuracy"] + scores["ari_whole"]) / 2)


def test_training_lowers_the_loss(sets):
    torch.manual_seed(0)
    network, config = SegmentNetwork(SEGMENT), SegmentLossConfig()
    batch = one_set(sets, 0)
    optimiser = torch.optim.AdamW(network.parameters(), 5e-3)
    losses = []
    for _ in range(30):
        loss = segment_loss(network, batch, config)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.6 * losses[0]


RECIPE = {
    "network": "segment",
    "n_train_scenes": 2,
    "n_heldout_scenes": 1,
    "scene": {"duration_s": 4.0, "max_channels": 8},
    "segment": SEGMENT.model_dump(),
    "sets": {"n_sets": 2, "n_events": 8},
    "heldout_sets": {"n_sets": 1, "n_events": 40},
    "loop": {"n_steps": 4, "evaluate_every": 2},
}


def test_a_stopped_training_goes_on_on_the_same_curve(tmp_path, monkeypatch):
    recipe = SegmentRecipe.parse(RECIPE)
    monkeypatch.setattr(module, "load_neighbour_encoder", random_weights)
    expected = load_segment_weights(train_segments(recipe, tmp_path / "whole"))
    shutil.copytree(tmp_path / "whole" / "scenes", tmp_path / "parts" / "scenes")
    taken = []

    def stop_at_the_fourth(*arguments):
        taken.append(arguments)
        if len(taken) == 4:
            raise KeyboardInterrupt
        return draw_segment_batch(*arguments)

    monkeypatch.setattr(module, "draw_segment_batch", stop_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        train_segments(recipe, tmp_path / "parts")
    monkeypatch.setattr(module, "draw_segment_batch", draw_segment_batch)
    resumed = load_segment_weights(train_segments(recipe, tmp_path / "parts"))
    assert resumed.config == SEGMENT
    for name, value in expected.weights.items():
        np.testing.assert_array_equal(resumed.weights[name], value)
    with pytest.raises(BadConfig, match="another recipe"):
        train_segments(SegmentRecipe.parse({**RECIPE, "n_train_scenes": 3}), tmp_path / "parts")


def test_the_shipped_recipe_is_valid():
    recipe = SegmentRecipe.parse(read_toml(find_recipe("segment")))
    assert recipe.segment == SegmentConfig()


def test_an_unknown_key_of_a_recipe_is_refused():
    with pytest.raises(BadConfig, match=r"segmnt.*did you mean 'segment'"):
        SegmentRecipe.parse({"segmnt": {}})
