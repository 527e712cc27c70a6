"""The networks on a PyTorch device, here the CPU, beside those that sort."""

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
from embersort.cli import main
from embersort.embedding.context import apply_context
from embersort.embedding.stage import make_encoder_stage
from embersort.errors import MissingDependency
from embersort.types import Events

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from embersort.embedding import torch_runtime  # noqa: E402
from embersort.embedding.torch_runtime import TorchEncoder, apply_context_on  # noqa: E402

PROBE = column_probe()
NEIGHBOURS = PROBE.neighbours(50.0, 6)
CPU = torch.device("cpu")
WINDOW = {"n_window": N_WINDOW, "n_before": N_BEFORE, "sampling_rate_hz": RATE_HZ}


def _stage():
    return make_encoder_stage(random_weights(), PROBE, NEIGHBOURS, **WINDOW)


def _events(channel):
    n_events = len(channel)
    return Events(
        sample_index=np.arange(n_events) * 400,
        channel_index=channel,
        amplitude=np.full(n_events, -8.0, np.float32),
    )


@pytest.mark.parametrize("block", [7, 1000])
def test_the_encoder_says_what_the_sorting_one_says(monkeypatch, block):
    monkeypatch.setattr(torch_runtime, "BLOCK_EVENTS", block)
    snippets, channel = random_events(40, NEIGHBOURS)
    theirs = _stage().encoder.encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    ours = TorchEncoder(random_weights(), CPU, **WINDOW).encode(
        snippets, channel, NEIGHBOURS, PROBE.positions_um
    )
    for name in ("embedding", "spike_logit", "collision_logit", "shift_samples", "log_amplitude"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-4)
    np.testing.assert_allclose(ours.position_um, theirs.position_um, atol=1e-2)
    assert ours.embedding.shape == (40, ENCODER.n_dims)


@pytest.mark.parametrize("block", [7, 1000])
def test_context_says_what_the_sorting_one_says(monkeypatch, block):
    monkeypatch.setattr(torch_runtime, "BLOCK_EVENTS", block)
    stage = _stage()
    snippets, channel = random_events(60, NEIGHBOURS)
    events, codes = _events(channel), stage.encode(snippets, channel)
    encoded = stage.read(codes)
    neighbours = np.random.default_rng(0).integers(-1, 60, (60, CONTEXT.n_neighbours))
    # Fewer neighbours come last.
    neighbours = -np.sort(-neighbours, axis=1)
    times = events.sample_index / RATE_HZ
    ours = apply_context_on(
        CPU,
        random_weights(),
        encoded.embedding,
        neighbours,
        time_s=times,
        position_um=encoded.position_um,
        log_amplitude=encoded.log_amplitude,
    )
    theirs = apply_context(
        random_weights().context,
        encoded.embedding,
        neighbours,
        time_s=times,
        position_um=encoded.position_um,
        log_amplitude=encoded.log_amplitude,
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_no_events_on_a_device():
    snippets, channel = random_events(0, NEIGHBOURS)
    encoder = TorchEncoder(random_weights(), CPU, **WINDOW)
    encoded = encoder.encode(snippets, channel, NEIGHBOURS, PROBE.positions_um)
    assert encoded.embedding.shape == (0, ENCODER.n_dims)


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MissingDependency, match="leave out --device"):
        make_encoder_stage(random_weights(), PROBE, NEIGHBOURS, **WINDOW, device="cuda")


def test_sorting_on_a_gpu_that_is_not_there_is_one_line_and_exit_code_2(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    noise = np.random.default_rng(0).standard_normal((40000, 4)).astype(np.float32)
    np.save(tmp_path / "noise.npy", noise)
    command = ["sort", str(tmp_path / "noise.npy"), "-o", str(tmp_path / "out"), "--quiet"]
    command += ["--sampling-rate", "20000", "--probe", "tetrode"]
    monkeypatch.setattr(
        "sys.argv", ["embersort", *command, "--features", "encoder", "--device", "cuda"]
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    message = capsys.readouterr().err.strip()
    assert "no CUDA device" in message
    assert message.count("\n") == 0
