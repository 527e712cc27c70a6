"""The NumPy network equals the PyTorch one; weights are read whole or refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from embersort.errors import BadWeights
from embersort.speech.network import Network, NetworkConfig, embed_segment
from embersort.speech.spectrogram import SpectrogramConfig
from embersort.speech.weights import (
    SHIPPED_FOLDER,
    SHIPPED_NAME,
    TrainedNetwork,
    load_shipped,
    load_weights,
    save_weights,
)

SMALL = NetworkConfig(n_dims=5, channels=(4, 6, 8), patch=2)


def random_twins(config):
    """A PyTorch network with random weights and statistics, and its NumPy twin."""
    import torch

    from embersort.speech.torch_network import BinEmbedder, export_weights

    torch.manual_seed(0)
    model = BinEmbedder(config).eval()
    model.feature_mean.normal_()
    model.feature_scale.fill_(1.7)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 2)
            module.bias.data.normal_()
    return model, Network(config=config, weights=export_weights(model))


@pytest.mark.torch
@pytest.mark.parametrize("n_frames", [1, 7, 8, 100])
@pytest.mark.parametrize("config", [SMALL, SMALL.model_copy(update={"patch": 1}), NetworkConfig()])
def test_equals_the_pytorch_network(config, n_frames):
    import torch

    model, network = random_twins(config)
    features = np.random.default_rng(0).normal(size=(n_frames, 128)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(features)[None])[0].numpy()
    found = embed_segment(network, features)
    assert found.shape == (n_frames, 128, config.n_dims)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1, atol=1e-5)
    assert network.sharpness == pytest.approx(5.0)


@pytest.mark.torch
def test_weights_come_back_as_written_and_only_those(tmp_path):
    _, network = random_twins(SMALL)
    grid = SpectrogramConfig(floor_db=-30.0)
    path = tmp_path / "a.safetensors"
    sha256 = save_weights(TrainedNetwork(network=network, spectrogram=grid), path)
    loaded = load_weights(path, sha256=sha256)
    assert loaded.spectrogram == grid
    assert loaded.network.config == SMALL
    assert loaded.network.weights.keys() == network.weights.keys()
    for name, value in network.weights.items():
        np.testing.assert_array_equal(loaded.network.weights[name], value)

    content = path.read_bytes()
    for broken in (b"", b"text", content[:-10], content.replace(b"embersort-speech-1", b"x" * 18)):
        path.write_bytes(broken)
        with pytest.raises(BadWeights, match="not a whole weight file"):
            load_weights(path)
        with pytest.raises(BadWeights, match="not the file that was shipped"):
            load_weights(path, sha256=sha256)
    with pytest.raises(BadWeights, match="cannot be read"):
        load_weights(tmp_path / "none")


@pytest.mark.torch
def test_weights_of_another_shape_or_not_finite_are_refused(tmp_path):
    _, network = random_twins(SMALL)
    for name, change in {
        "missing": {k: v for k, v in network.weights.items() if k != "head.bias"},
        "of shape": {**network.weights, "head.bias": np.zeros(3, np.float32)},
        "not finite": {**network.weights, "head.bias": np.full(20, np.nan, np.float32)},
    }.items():
        trained = TrainedNetwork(
            network=replace(network, weights=change), spectrogram=SpectrogramConfig()
        )
        save_weights(trained, tmp_path / "a")
        with pytest.raises(BadWeights, match=f"head.bias.*{name}"):
            load_weights(tmp_path / "a")


def test_the_shipped_weights_are_those_of_the_manifest_and_small():
    trained = load_shipped()
    assert trained.network.config.n_dims >= 20
    assert (SHIPPED_FOLDER / SHIPPED_NAME).stat().st_size < 10e6
    manifest = json.loads((SHIPPED_FOLDER / "manifest.json").read_text())
    assert list(manifest) == [SHIPPED_NAME]
