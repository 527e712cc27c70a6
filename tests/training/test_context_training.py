import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embedding_samples import random_weights  # noqa: E402
from embersort.embedding.architecture import CANONICAL_RATE_HZ, ContextConfig  # noqa: E402
from embersort.embedding.weights import load_weights, save_weights  # noqa: E402
from embersort.errors import BadConfig  # noqa: E402
from embersort.training.context_sets import (  # noqa: E402
    ContextBatchConfig,
    EncodedScene,
    draw_context_batch,
    encode_scene,
    neighbourhood,
)
from embersort.training.event_sets import EventSet  # noqa: E402
from embersort.training.recipe import find_recipe  # noqa: E402
from embersort.training.spike_task import HandicapConfig, LossConfig  # noqa: E402
from embersort.training.train_context import (  # noqa: E402
    ContextRecipe,
    context_loss,
    start_network,
    train_context,
)

CONTEXT = ContextConfig(n_neighbours=4, n_bins=2, n_hidden=16, n_heads=4, n_update=16)
BATCH = ContextBatchConfig(n_sets=2, n_events=40)
HARMLESS = HandicapConfig(untimed_share=0, dropped_share=0, wrong_share=0)


def encoded_scene(n_events=120, seed=0):
    """Two units, and noise, on three channels; embeddings and neighbours at random."""
    rng = np.random.default_rng(seed)
    embedding = rng.standard_normal((n_events, 9)).astype(np.float32)
    return EncodedScene(
        embedding=embedding / np.linalg.norm(embedding, axis=1, keepdims=True),
        position_um=rng.uniform(0, 50, (n_events, 2)).astype(np.float32),
        log_amplitude=rng.uniform(2, 4, n_events).astype(np.float32),
        time_s=np.sort(rng.uniform(0, 60, n_events)),
        neighbours=rng.integers(-1, n_events, (n_events, 4)),
        label=rng.integers(-1, 2, n_events),
        channel_index=rng.integers(0, 3, n_events),
        positions_um=np.array([[0.0, 0], [0, 20], [0, 500]]),
    )


def recipe_from(path, **changes):
    values = {
        "start": str(path),
        "n_train_scenes": 2,
        "n_heldout_scenes": 2,
        "scene": {"duration_s": 5.0, "max_channels": 8},
        "context": CONTEXT.model_dump(),
        "batch": {"n_sets": 2, "n_events": 32},
        "loop": {"n_steps": 4, "evaluate_every": 2},
    }
    return ContextRecipe.parse(values | changes)


def test_a_set_holds_spikes_near_one_channel_and_their_own_neighbours():
    scene = encoded_scene()
    batch = draw_context_batch([scene], BATCH, 3, 5)
    n_rows = BATCH.n_events
    for index in range(BATCH.n_sets):
        is_spike = batch.is_spike[index].numpy()
        times = batch.time_s[index].numpy()
        events = np.searchsorted(scene.time_s, times)
        assert is_spike.any()
        assert (batch.label[index].numpy() == scene.label[events[:n_rows]]).all()
        channels = set(scene.channel_index[events[:n_rows][is_spike]])
        assert channels <= {0, 1} or channels == {2}
        near = batch.neighbours[index].numpy()
        expected = scene.neighbours[events[:n_rows]]
        assert ((near < 0) == (expected < 0))[is_spike].all()
        there = (near >= 0) & is_spike[:, None]
        assert (events[near[there]] == expected[there]).all()


def test_a_batch_depends_on_its_step_alone():
    scenes = [encoded_scene(), encoded_scene(seed=1)]
    first, again, other = (draw_context_batch(scenes, BATCH, 3, step) for step in (5, 5, 6))
    assert (first.embedding == again.embedding).all()
    assert not (first.embedding == other.embedding).all()


def test_what_is_missing_of_a_set_has_no_say():
    scene = encoded_scene(30)
    batch = draw_context_batch([scene], BATCH, 0, 0)
    assert not batch.is_spike.all()
    assert (batch.neighbours[~batch.is_spike] == -1).all()
    model = start_network(recipe_from("unused"), random_weights())
    before = context_loss(model, batch, LossConfig(), HARMLESS)
    batch.label[~batch.is_spike] = 1
    assert torch.equal(before, context_loss(model, batch, LossConfig(), HARMLESS))


def test_the_busiest_neighbourhood_is_thinned_evenly():
    scene = encoded_scene(300)
    whole = neighbourhood(scene, 50.0, 1000)
    thinned = neighbourhood(scene, 50.0, 21)
    times = whole.time_s[0, : whole.label.shape[1]]
    chosen = np.linspace(0, len(times) - 1, 21).round().astype(int)
    assert (thinned.time_s[0, :21] == times[chosen]).all()


def test_neighbours_are_found_among_all_events_of_the_scene():
    rng = np.random.default_rng(0)
    scene = EventSet(
        snippets=rng.standard_normal((50, 2, 48)).astype(np.float16),
        time_s=np.sort(rng.integers(0, 40 * 20000, 50)) / CANONICAL_RATE_HZ,
        channel_index=rng.integers(0, 2, 50),
        neighbours=np.array([[0, 1], [1, 0]]),
        positions_um=np.array([[0.0, 0], [0, 20]]),
        label=rng.integers(-1, 2, 50),
        collision=np.zeros(50, bool),
        shift_ms=np.zeros(50, np.float32),
        unit_position_um=np.zeros((2, 2)),
    )
    encoded = encode_scene(scene, random_weights(), CONTEXT)
    similarity = encoded.embedding @ encoded.embedding.T
    np.fill_diagonal(similarity, -2)
    far = np.abs(scene.time_s[:, None] - scene.time_s[None, :]) > CONTEXT.window_s
    similarity[far] = -2
    assert (encoded.neighbours[:, 0] == similarity.argmax(axis=1)).all()


def test_a_context_network_of_other_sizes_starts_at_random():
    weights = random_weights()
    same = start_network(recipe_from("unused"), weights)
    assert (same.weights().context["out_weight"] == weights.context["out_weight"]).all()
    wider = CONTEXT.model_copy(update={"n_hidden": 32})
    other = start_network(recipe_from("unused", context=wider.model_dump()), weights)
    assert other.weights().context["pair_bias"].shape == (32,)
    assert (other.weights().encoder["out_weight"] == weights.encoder["out_weight"]).all()


def test_a_recipe_changes_the_context_alone_and_notes_its_neighbours(tmp_path):
    start = random_weights()
    save_weights(start, tmp_path / "start.safetensors")
    recipe = recipe_from(tmp_path / "start.safetensors")
    found = load_weights(train_context(recipe, tmp_path / "run"))
    for name, value in start.encoder.items():
        assert (value == found.encoder[name]).all()
    assert not all((value == found.context[name]).all() for name, value in start.context.items())
    assert found.context_config == CONTEXT
    again = load_weights(train_context(recipe, tmp_path / "run"))
    assert again.sha256 == found.sha256


def test_the_shipped_recipe_is_valid_and_unknown_names_are_refused():
    assert ContextRecipe.from_toml(find_recipe("context")).network == "context"
    with pytest.raises(BadConfig, match=r"n_eventts.*did you mean 'n_events'"):
        ContextRecipe.parse({"batch": {"n_eventts": 3}})
