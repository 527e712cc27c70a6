import numpy as np
import pytest

from embedding_samples import (
    ENCODER,
    N_BEFORE,
    N_WINDOW,
    RATE_HZ,
    column_probe,
    random_events,
    random_weights,
)
from embersort.embedding.architecture import EncoderConfig
from embersort.embedding.encoder import Encoder
from embersort.embedding.resampling import resampling_matrices, shift_index
from embersort.errors import BadInput

PROBE = column_probe()
NEIGHBOURS = PROBE.neighbours(50.0, 6)


def _encoder():
    return Encoder(
        random_weights().encoder, n_window=N_WINDOW, n_before=N_BEFORE, sampling_rate_hz=RATE_HZ
    )


def test_the_default_network_costs_less_than_it_may():
    assert EncoderConfig().flop_per_event < 700_000


def test_embeddings_have_unit_norm():
    snippets, channel = random_events(20, NEIGHBOURS)
    encoded = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    assert encoded.embedding.shape == (20, ENCODER.n_dims)
    assert np.allclose(np.linalg.norm(encoded.embedding, axis=1), 1.0, atol=1e-6)


def test_an_event_has_the_same_bits_in_any_batch():
    snippets, channel = random_events(50, NEIGHBOURS)
    together = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    for events in (slice(17, 18), slice(3, 40)):
        alone = _encoder().encode(snippets[events], channel[events], NEIGHBOURS, PROBE.positions_um)
        assert (alone.embedding == together.embedding[events]).all()
        assert (alone.spike_logit == together.spike_logit[events]).all()
        assert (alone.position_um == together.position_um[events]).all()


def test_no_events():
    snippets, channel = random_events(0, NEIGHBOURS)
    encoded = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    assert encoded.embedding.shape == (0, ENCODER.n_dims)


def test_silence_gives_finite_answers():
    silent = np.zeros((1, N_WINDOW, NEIGHBOURS.shape[1]), np.float32)
    encoded = _encoder().encode(silent, np.array([0]), NEIGHBOURS, PROBE.positions_um)
    assert np.isfinite(encoded.embedding).all()
    assert encoded.log_amplitude.tolist() == [0.0]
    assert np.isfinite(encoded.position_um).all()


def test_the_order_of_the_other_channels_does_not_matter():
    snippets, channel = random_events(30, NEIGHBOURS)
    channel[:] = 3
    shuffled = NEIGHBOURS.copy()
    order = np.array([0, 4, 2, 5, 1, 3])
    shuffled[3] = NEIGHBOURS[3][order]
    first = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    second = _encoder().encode(snippets[:, :, order], channel, shuffled, PROBE.positions_um)
    assert np.allclose(first.embedding, second.embedding, atol=1e-5)


def test_a_probe_elsewhere_moves_the_position_and_leaves_the_shape():
    snippets, channel = random_events(30, NEIGHBOURS)
    here = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    there = _encoder().encode(
        snippets, channel, NEIGHBOURS, PROBE.positions_um + np.array([100.0, -40.0])
    )
    assert np.allclose(there.position_um - here.position_um, [100.0, -40.0], atol=1e-3)
    assert np.allclose(here.embedding[:, : ENCODER.n_shape], there.embedding[:, : ENCODER.n_shape])
    # 400 µm further is the same angle.
    round_trip = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um + 400.0)
    assert np.allclose(here.embedding, round_trip.embedding, atol=1e-4)


def test_padding_is_not_looked_at():
    snippets, channel = random_events(30, NEIGHBOURS)
    padded = np.pad(NEIGHBOURS, ((0, 0), (0, 2)), constant_values=-1)
    noise = np.full((30, N_WINDOW, 2), 99, np.float32)
    first = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    second = _encoder().encode(
        np.concatenate([snippets, noise], axis=2), channel, padded, PROBE.positions_um
    )
    assert (first.embedding == second.embedding).all()


def test_one_channel():
    lone = np.zeros((1, 1), np.int64)
    snippets, channel = random_events(5, lone)
    encoded = _encoder().encode(snippets, channel, lone, np.zeros((1, 2)))
    assert np.isfinite(encoded.embedding).all()


def test_snippets_of_another_length_are_refused():
    with pytest.raises(BadInput, match="70 samples, the encoder was made for 75"):
        _encoder().encode(
            np.zeros((1, 70, 6), np.float32), np.array([0]), NEIGHBOURS, PROBE.positions_um
        )


@pytest.mark.torch
def test_equals_the_network_that_is_trained():
    torch = pytest.importorskip("torch")
    from embersort.embedding.torch_encoder import EncoderNetwork

    network = EncoderNetwork(ENCODER)
    weights = random_weights()
    network.load_state_dict({n: torch.from_numpy(v) for n, v in weights.encoder.items()})
    snippets, channel = random_events(40, NEIGHBOURS)
    ours = _encoder().encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    matrices = resampling_matrices(N_WINDOW, N_BEFORE, RATE_HZ)
    canonical = np.stack(
        [s.T @ matrices[shift_index(*s[N_BEFORE - 1 : N_BEFORE + 2, 0])] for s in snippets]
    )
    local = NEIGHBOURS[channel]
    with torch.no_grad():
        theirs = network(
            torch.from_numpy(canonical),
            torch.from_numpy(PROBE.positions_um[local].astype(np.float32)),
            torch.from_numpy(local >= 0),
        )
    assert np.abs(ours.embedding - theirs.embedding.numpy()).max() < 1e-4
    assert np.abs(ours.spike_logit - theirs.spike_logit.numpy()).max() < 1e-4
    assert np.abs(ours.collision_logit - theirs.collision_logit.numpy()).max() < 1e-4
    assert np.abs(ours.shift_samples / 30 - theirs.shift_ms.numpy()).max() < 1e-4
    assert np.abs(ours.position_um - theirs.position_um.numpy()).max() < 1e-3
    assert np.abs(ours.log_amplitude - theirs.log_amplitude.numpy()).max() < 1e-4
