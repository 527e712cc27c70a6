import numpy as np
import pytest

from embedding_samples import CONTEXT, ENCODER, column_probe, random_weights
from embersort.embedding.architecture import ContextConfig
from embersort.embedding.context import apply_context
from embersort.embedding.neighbours import BLOCK_EVENTS
from embersort.errors import BadConfig


def _events(n_events, seed=0):
    rng = np.random.default_rng(seed)
    embedding = rng.standard_normal((n_events, ENCODER.n_dims)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    neighbours = rng.integers(0, n_events, (n_events, CONTEXT.n_neighbours))
    neighbours[: n_events // 3, 2:] = -1
    facts = {
        "time_s": np.sort(rng.uniform(0, 60, n_events)),
        "position_um": rng.uniform(0, 100, (n_events, 2)).astype(np.float32),
        "log_amplitude": rng.uniform(2, 4, n_events).astype(np.float32),
    }
    return embedding, neighbours, facts


def test_without_neighbours_the_embedding_stands():
    embedding, neighbours, facts = _events(10)
    neighbours[4] = -1
    changed = apply_context(random_weights().context, embedding, neighbours, **facts)
    assert (changed[4] == embedding[4]).all()
    assert (np.abs(changed - embedding).max(axis=1)[[3, 5]] > 1e-3).all()
    assert np.allclose(np.linalg.norm(changed, axis=1), 1.0, atol=1e-6)


def test_gaps_among_the_neighbours_are_passed_over():
    embedding, neighbours, facts = _events(10)
    gaps, packed = neighbours.copy(), neighbours.copy()
    gaps[5], packed[5] = [-1, 2, -1, 8], [2, 8, -1, -1]
    one = apply_context(random_weights().context, embedding, gaps, **facts)
    other = apply_context(random_weights().context, embedding, packed, **facts)
    assert (one == other).all()


def test_what_is_given_is_not_changed():
    embedding, neighbours, facts = _events(10)
    before = embedding.copy()
    apply_context(random_weights().context, embedding, neighbours, **facts)
    assert (embedding == before).all()


def test_moving_everything_in_time_or_space_changes_nothing():
    embedding, neighbours, facts = _events(20)
    here = apply_context(random_weights().context, embedding, neighbours, **facts)
    moved = {
        **facts,
        "time_s": facts["time_s"] + 1024.0,
        "position_um": facts["position_um"] + np.float32(64),
    }
    there = apply_context(random_weights().context, embedding, neighbours, **moved)
    assert np.allclose(here, there, atol=1e-4)


def test_threads_do_not_change_a_bit():
    embedding, neighbours, facts = _events(BLOCK_EVENTS + 100)
    weights = random_weights().context
    one = apply_context(weights, embedding, neighbours, **facts, n_threads=1)
    two = apply_context(weights, embedding, neighbours, **facts, n_threads=2)
    assert (one == two).all()


@pytest.mark.torch
def test_equals_the_network_that_is_trained():
    torch = pytest.importorskip("torch")
    from embersort.embedding.torch_context import ContextNetwork, EventTable

    network = ContextNetwork(CONTEXT, ENCODER.n_dims)
    weights = random_weights().context
    network.load_state_dict({n: torch.from_numpy(v) for n, v in weights.items()})
    embedding, neighbours, facts = _events(60)
    neighbours[7] = -1
    ours = apply_context(weights, embedding, neighbours, **facts)
    events = EventTable(
        embedding=torch.from_numpy(embedding)[None],
        **{name: torch.from_numpy(value)[None] for name, value in facts.items()},
    )
    with torch.no_grad():
        theirs = network(events, torch.from_numpy(neighbours)[None], torch.ones(1).bool())[0]
    assert np.abs(ours - theirs.numpy()).max() < 1e-4


@pytest.mark.torch
def test_neighbours_of_a_set_obey_the_window():
    torch = pytest.importorskip("torch")
    from embersort.embedding.torch_context import EventTable, nearest_in_set

    events = EventTable(
        embedding=torch.tensor([[[1.0, 0.0], [0.8, 0.6], [0.96, 0.28]]]),
        time_s=torch.tensor([[0.0, 1.0, 40.0]], dtype=torch.float64),
        position_um=torch.zeros(1, 3, 2),
        log_amplitude=torch.zeros(1, 3),
    )
    config = CONTEXT.model_copy(update={"window_s": 30.0, "n_neighbours": 2})
    assert nearest_in_set(events, config).tolist() == [[[1, -1], [0, -1], [-1, -1]]]
    config = CONTEXT.model_copy(update={"window_s": 60.0, "n_neighbours": 2})
    assert nearest_in_set(events, config).tolist() == [[[2, 1], [2, 0], [0, 1]]]


@pytest.mark.torch
def test_neighbours_of_a_set_are_those_of_sorting():
    torch = pytest.importorskip("torch")
    from embersort.embedding.neighbours import Search, nearest_events
    from embersort.embedding.torch_context import EventTable, nearest_in_set

    embedding, _, facts = _events(80)
    # A power of two, so that times in seconds and in samples fall into the same bins.
    rate_hz, window_s = 1024, 16.0
    sample = np.sort(np.random.default_rng(3).integers(0, 60 * rate_hz, 80))
    config = CONTEXT.model_copy(update={"window_s": window_s, "n_neighbours": 6, "n_bins": 4})
    expected = nearest_events(
        embedding,
        sample,
        np.zeros(80, np.int64),
        column_probe(1),
        Search(n_neighbours=6, window_samples=int(window_s * rate_hz), radius_um=0.0, n_bins=4),
    )
    events = EventTable(
        embedding=torch.from_numpy(embedding)[None],
        time_s=torch.from_numpy(sample / rate_hz)[None],
        position_um=torch.from_numpy(facts["position_um"])[None],
        log_amplitude=torch.from_numpy(facts["log_amplitude"])[None],
    )
    assert (nearest_in_set(events, config)[0].numpy() == expected).all()


def test_more_bins_than_neighbours_are_refused():
    with pytest.raises(BadConfig, match="n_bins 5 is more than n_neighbours 4"):
        ContextConfig.parse({"n_neighbours": 4, "n_bins": 5})
