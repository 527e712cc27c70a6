import logging

import numpy as np
import pytest

from embedding_samples import (
    CONTEXT,
    ENCODER,
    N_BEFORE,
    N_WINDOW,
    RATE_HZ,
    column_probe,
    random_events,
    random_weights,
)
from embersort.embedding.stage import joined_frame, make_encoder_stage
from embersort.errors import BadConfig
from embersort.types import Events, Geometry

PROBE = column_probe()
NEIGHBOURS = PROBE.neighbours(50.0, 6)


def _stage(rate_hz=RATE_HZ, geometry=PROBE, n_window=N_WINDOW, n_before=N_BEFORE):
    return make_encoder_stage(
        random_weights(),
        geometry,
        NEIGHBOURS,
        n_window=n_window,
        n_before=n_before,
        sampling_rate_hz=rate_hz,
    )


def _events(channel, step):
    return Events(
        sample_index=np.arange(len(channel)) * step,
        channel_index=channel,
        amplitude=np.full(len(channel), -8.0),
    )


def test_codes_hold_the_embedding_and_what_context_needs():
    stage = _stage()
    snippets, channel = random_events(12, NEIGHBOURS)
    codes = stage.encode(snippets, channel)
    assert codes.shape == (12, ENCODER.n_dims + 6)
    assert codes.dtype == np.float32
    frame = stage.on_shared_channels(codes, channel)
    assert np.allclose(np.linalg.norm(frame, axis=1), 1, atol=1e-6)
    direct = stage.encoder.encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    read = stage.read(codes)
    for name in ("embedding", "position_um", "log_amplitude", "spike_logit", "shift_samples"):
        assert (getattr(read, name) == getattr(direct, name)).all()


def test_context_changes_the_embedding_alone():
    stage = _stage()
    snippets, channel = random_events(40, NEIGHBOURS)
    codes = stage.encode(snippets, channel)
    changed = stage.in_context(codes, _events(channel, 300))
    assert (changed[:, ENCODER.n_dims :] == codes[:, ENCODER.n_dims :]).all()
    assert np.abs(changed - codes).max() > 1e-3
    again = stage.in_context(codes, _events(channel, 300), n_threads=2)
    assert (changed == again).all()


def test_events_out_of_each_others_reach_stay_as_they_are():
    stage = _stage()
    snippets, channel = random_events(10, NEIGHBOURS)
    codes = stage.encode(snippets, channel)
    lonely = stage.in_context(codes, _events(channel, int(31 * RATE_HZ)))
    assert (lonely == codes).all()
    narrow = CONTEXT.model_copy(update={"window_s": 0.001})
    assert (stage.in_context(codes, _events(channel, 300), context=narrow) == codes).all()


def test_a_window_that_is_too_short_is_refused():
    with pytest.raises(BadConfig, match="does not cover"):
        _stage(n_window=40, n_before=15)


def test_a_recording_outside_the_trained_range_is_warned_of(caplog):
    wide = Geometry(positions_um=np.column_stack([np.zeros(8), 400.0 * np.arange(8)]))
    with caplog.at_level(logging.WARNING):
        _stage()
        assert caplog.text == ""
        _stage(rate_hz=60000.0, n_window=160, n_before=65)
        assert "made for 10000 to 50000 Hz" in caplog.text
        _stage(geometry=wide)
        assert "400 um apart" in caplog.text


def test_both_parts_of_a_joined_frame_are_of_one_size():
    rng = np.random.default_rng(0)
    embedding = rng.normal(size=(15, 4)).astype("f4")
    frame = joined_frame(rng.normal(size=(15, 2)).astype("f4"), embedding)
    assert np.allclose(np.linalg.norm(frame[:, :2], axis=1), 1, atol=1e-6)
    assert (frame[:, 2:] == embedding).all()


def test_components_of_silence_stay_zero():
    frame = joined_frame(np.zeros((1, 2), np.float32), np.ones((1, 1), np.float32))
    assert frame.tolist() == [[0.0, 0.0, 1.0]]
