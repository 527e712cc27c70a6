import logging
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embersort.config import ClusterConfig  # noqa: E402
from embersort.embedding.architecture import ContextConfig, EncoderConfig  # noqa: E402
from embersort.embedding.weights import load_weights, save_weights  # noqa: E402
from embersort.errors import BadConfig, BadWeights  # noqa: E402
from embersort.training.event_sets import EventSet  # noqa: E402
from embersort.training.labels import NOISE  # noqa: E402
from embersort.training.recipe import Recipe, load_recipe  # noqa: E402
from embersort.training.scene_pool import GrowthConfig, ScenePool  # noqa: E402
from embersort.training.scenes import (  # noqa: E402
    HELD_OUT_EXPONENT,
    HELD_OUT_PITCH_UM,
    SceneDraw,
    draw_scene,
)
from embersort.training.spike_batches import BatchConfig, draw_batch, local_events  # noqa: E402
from embersort.training.spike_task import (  # noqa: E402
    HandicapConfig,
    LossConfig,
    SpikeNetwork,
    adjusted_rand,
    roc_area,
    spike_loss,
)
from embersort.training.train_spikes import new_network, train_spikes  # noqa: E402

SMALL_ENCODER = EncoderConfig(n_coefficients=6, n_hidden=16, n_head_hidden=16, n_shape=4)
SMALL_CONTEXT = ContextConfig(n_neighbours=4, n_hidden=8, n_update=8)
SMALL_BATCH = BatchConfig(n_sets=2, n_events=32)


def toy_scene(n_events=200, seed=0):
    """Two units of plainly different width on four channels, and some noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(48) - 19
    shapes = np.stack([-12 * np.exp(-0.5 * (time / width) ** 2) for width in (3.0, 9.0)])
    label = rng.integers(-1, 2, n_events)
    snippets = rng.standard_normal((n_events, 4, 48))
    snippets += (label >= 0)[:, None, None] * shapes[label][:, None, :] * [[[1.0]], [[0.5]]][0]
    return EventSet(
        snippets=snippets.astype(np.float16),
        time_s=np.sort(rng.uniform(0, 60, n_events)),
        channel_index=rng.integers(0, 4, n_events),
        neighbours=np.array([[0, 1, 2, 3], [1, 0, 2, 3], [2, 0, 1, 3], [3, 0, 1, 2]]),
        positions_um=np.array([[0.0, 0], [20, 0], [0, 20], [20, 20]]),
        label=label,
        collision=rng.random(n_events) < 0.1,
        shift_ms=np.zeros(n_events, np.float32),
        unit_position_um=np.array([[5.0, 5], [15, 15]]),
    )


def test_held_out_scenes_share_no_cell_probe_noise_or_seed():
    train = [draw_scene(SceneDraw(), "train", i) for i in range(60)]
    held_out = [draw_scene(SceneDraw(), "heldout", i) for i in range(60)]
    assert {s.cells.split for s in train} == {"train"}
    assert {s.cells.split for s in held_out} == {"heldout"}
    low, high = HELD_OUT_PITCH_UM
    assert all(not low <= s.probe.pitch_um <= high for s in train)
    assert all(low <= s.probe.pitch_um <= high for s in held_out)
    assert "polytrode" not in {s.probe.kind for s in train}
    low, high = HELD_OUT_EXPONENT
    assert all(not low <= s.noise.exponent <= high for s in train)
    assert all(low <= s.noise.exponent <= high for s in held_out)
    assert not {s.seed for s in train} & {s.seed for s in held_out}


def test_a_scene_depends_on_its_index_alone():
    assert draw_scene(SceneDraw(), "train", 7) == draw_scene(SceneDraw(), "train", 7)
    assert draw_scene(SceneDraw(), "train", 7) != draw_scene(SceneDraw(), "train", 8)


def test_a_batch_depends_on_its_step_alone():
    scenes = [toy_scene(), toy_scene(seed=1)]
    first, again = (draw_batch(scenes, SMALL_BATCH, 3, 5) for _ in range(2))
    other = draw_batch(scenes, SMALL_BATCH, 3, 6)
    assert (first.snippets == again.snippets).all()
    assert (first.positions_um == again.positions_um).all()
    assert not (first.snippets == other.snippets).all()


def test_turning_a_probe_keeps_its_distances():
    batch = draw_batch([toy_scene()], SMALL_BATCH.model_copy(update={"sparse_share": 0.0}), 0, 0)
    offset = batch.positions_um[..., 1:, :] - batch.positions_um[..., :1, :]
    distance = offset.square().sum(-1).sqrt()
    expected = torch.tensor([20.0, 20.0, 20 * 2**0.5])
    assert torch.allclose(distance.sort(-1).values, expected, atol=1e-3)


def test_fewer_events_than_a_set_holds_are_masked():
    batch = draw_batch([toy_scene(20)], SMALL_BATCH.model_copy(update={"sparse_share": 0.0}), 0, 0)
    assert batch.event_mask.sum(-1).tolist() == [20, 20]


def test_left_out_channels_are_masked_and_never_peaks():
    config = SMALL_BATCH.model_copy(
        update={"sparse_share": 1.0, "sparse_kept": 0.3, "noisy_share": 0.0}
    )
    batch = draw_batch([toy_scene()], config, 0, 1)
    assert batch.channel_mask[batch.event_mask][:, 0].all()
    assert not batch.channel_mask[batch.event_mask].all()
    assert (batch.snippets[~batch.channel_mask] == 0).all()


def test_local_events_are_near_one_channel():
    scene = toy_scene()
    events = local_events(scene, 0, 20.0)
    assert set(scene.channel_index[events]) == {0, 1, 2}


def test_the_loss_falls_and_ignores_absent_events():
    model = SpikeNetwork(SMALL_ENCODER, SMALL_CONTEXT, seed=0)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    torch.manual_seed(0)
    losses = []
    for step in range(20):
        batch = draw_batch([toy_scene()], SMALL_BATCH, 0, step)
        loss = spike_loss(model, batch, LossConfig(), HandicapConfig())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_masked_events_have_no_say():
    batch = draw_batch([toy_scene(20)], SMALL_BATCH, 0, 0)
    model = SpikeNetwork(SMALL_ENCODER, SMALL_CONTEXT, seed=0)
    handicap = HandicapConfig(untimed_share=0, dropped_share=0, wrong_share=0)
    before = spike_loss(model, batch, LossConfig(), handicap)
    batch.snippets[~batch.event_mask] = 50.0
    batch.label[~batch.event_mask] = 1
    assert torch.allclose(before, spike_loss(model, batch, LossConfig(), handicap), atol=1e-5)


def test_scores_of_known_cases():
    assert roc_area(np.array([0.1, 0.9, 0.8]), np.array([False, True, True])) == 1.0
    assert roc_area(np.array([0.9, 0.1, 0.5]), np.array([False, True, True])) == 0.0
    assert np.isnan(roc_area(np.array([0.9]), np.array([True])))
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1, NOISE], 100)
    apart = rng.standard_normal((300, 3)) + np.array([0, 30, 60])[:, None][label]
    assert adjusted_rand(apart, label, ClusterConfig()) == 1.0


@pytest.fixture
def tiny_recipe():
    return Recipe.parse(
        {
            "n_train_scenes": 2,
            "n_heldout_scenes": 1,
            "scene": {"duration_s": 5.0, "max_channels": 8},
            "encoder": SMALL_ENCODER.model_dump(),
            "context": SMALL_CONTEXT.model_dump(),
            "batch": {"n_sets": 2, "n_events": 32},
            "loop": {"n_steps": 6, "evaluate_every": 2},
        }
    )


def test_a_recipe_gives_weights_and_a_stopped_run_goes_on(tiny_recipe, tmp_path, monkeypatch):
    expected = load_weights(train_spikes(tiny_recipe, tmp_path / "whole"))
    shutil.copytree(tmp_path / "whole" / "scenes", tmp_path / "parts" / "scenes")

    from embersort.training import train_spikes as module

    taken = []

    def stop_after_three(*arguments):
        taken.append(arguments)
        if len(taken) == 4:
            raise KeyboardInterrupt
        return draw_batch(*arguments)

    monkeypatch.setattr(module, "draw_batch", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        train_spikes(tiny_recipe, tmp_path / "parts")
    monkeypatch.undo()
    resumed = load_weights(train_spikes(tiny_recipe, tmp_path / "parts"))
    for name, value in expected.encoder.items():
        assert (value == resumed.encoder[name]).all()
    for name, value in expected.context.items():
        assert (value == resumed.context[name]).all()


def test_a_folder_of_another_recipe_is_refused(tiny_recipe, tmp_path):
    (tmp_path / "recipe.json").write_text("{}")
    with pytest.raises(BadConfig, match="another recipe"):
        train_spikes(tiny_recipe, tmp_path)


def test_shipped_recipes_are_valid_and_unknown_ones_refused(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert load_recipe("quick").loop.n_steps < load_recipe("default").loop.n_steps
    with pytest.raises(BadConfig, match="did you mean 'default'"):
        load_recipe("defalt")
    with pytest.raises(BadConfig, match="does not exist"):
        load_recipe(str(tmp_path / "none.toml"))
    path = tmp_path / "own.toml"
    path.write_text("[loop]\nn_stepps = 3\n")
    with pytest.raises(BadConfig, match=r"n_stepps.*did you mean 'n_steps'"):
        load_recipe(str(path))


def test_hardships_change_a_scene_in_what_they_are_about_alone():
    hard = SceneDraw(weak_share=1.0, dense_share=1.0)
    for index in range(5):
        plain, changed = (draw_scene(draw, "train", index) for draw in (SceneDraw(), hard))
        assert changed.cells.min_snr == plain.cells.min_snr
        assert 1.3 <= changed.cells.max_snr / plain.cells.min_snr <= 2.4
        assert changed.trains.rate_min_hz == pytest.approx(3 * plain.trains.rate_min_hz)
        assert changed.trains.synchrony == 0.3
        assert changed.seed == plain.seed
        assert (changed.probe, changed.noise) == (plain.probe, plain.noise)


def test_more_tetrodes_leave_other_scenes_as_they_are():
    plain = [draw_scene(SceneDraw(), "train", index) for index in range(60)]
    mixed = [draw_scene(SceneDraw(tetrode_share=0.5), "train", index) for index in range(60)]
    changed = [(a, b) for a, b in zip(plain, mixed, strict=True) if a != b]
    assert 10 < len(changed) < 35
    assert {b.probe.kind for _, b in changed} == {"tetrode"}
    assert all(4 <= b.cells.n_units <= 12 and a.probe.kind != "tetrode" for a, b in changed)


def test_without_weight_the_context_network_learns_nothing():
    model = SpikeNetwork(SMALL_ENCODER, SMALL_CONTEXT, seed=0)
    batch = draw_batch([toy_scene()], SMALL_BATCH, 0, 0)
    spike_loss(model, batch, LossConfig(context=0.0), HandicapConfig()).backward()
    assert all(parameter.grad is None for parameter in model.context.parameters())
    assert any(parameter.grad is not None for parameter in model.encoder.parameters())


def test_scenes_grow_with_the_steps_and_are_made_once(tmp_path):
    draw = SceneDraw(duration_s=2.0, max_channels=8)
    made = []
    pool = ScenePool(draw, 3, GrowthConfig(n_first=1, steps_per_scene=5), tmp_path)
    assert [len(pool.at(step)) for step in (0, 4, 5, 99)] == [1, 1, 2, 3]
    assert pool.at(0)[0] is pool.at(99)[0]
    again = ScenePool(draw, 3, GrowthConfig(), tmp_path)
    read = again.at(0, lambda *arguments: made.append(arguments))
    assert len(read) == 3
    assert made == []


def test_a_recipe_starts_from_weights_of_its_own_sizes(tiny_recipe, tmp_path):
    weights = SpikeNetwork(SMALL_ENCODER, SMALL_CONTEXT, seed=9).weights()
    path = tmp_path / "start.safetensors"
    save_weights(weights, path)
    started = new_network(tiny_recipe.model_copy(update={"start": str(path)})).weights()
    for name, value in weights.encoder.items():
        assert (value == started.encoder[name]).all()
    for name, value in weights.context.items():
        assert (value == started.context[name]).all()
    with pytest.raises(BadConfig, match="other sizes"):
        new_network(tiny_recipe.model_copy(update={"start": "default"}))
    with pytest.raises(BadWeights, match="did you mean 'default'"):
        new_network(tiny_recipe.model_copy(update={"start": "defalt"}))
