import json
from dataclasses import replace

import numpy as np
import pytest

from embedding_samples import random_weights
from embersort.embedding import weights as module
from embersort.embedding.weights import load_shipped, load_weights, save_weights
from embersort.errors import BadWeights


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "small.safetensors"
    return path, save_weights(random_weights(), path)


def test_what_is_written_is_read(saved):
    path, sha256 = saved
    found, expected = load_weights(path, sha256=sha256), random_weights()
    assert found.encoder_config == expected.encoder_config
    assert found.context_config == expected.context_config
    assert found.sha256 == sha256
    for part in ("encoder", "context"):
        assert getattr(found, part).keys() == getattr(expected, part).keys()
        for name, value in getattr(found, part).items():
            assert (value == getattr(expected, part)[name]).all()


def test_a_missing_file(tmp_path):
    with pytest.raises(BadWeights, match="cannot be read"):
        load_weights(tmp_path / "none.safetensors")


@pytest.mark.parametrize("kept", [0, 4, 100, -10])
def test_a_truncated_file(saved, kept):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadWeights, match="not a whole weight file"):
        load_weights(path)


def test_an_altered_file(saved):
    path, sha256 = saved
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BadWeights, match="not the file that was shipped"):
        load_weights(path, sha256=sha256)


@pytest.mark.parametrize("damage", ["missing", "shape", "nan"])
def test_parameters_that_do_not_fit_the_sizes(tmp_path, damage):
    weights = random_weights()
    encoder = dict(weights.encoder)
    if damage == "missing":
        del encoder["mix_bias"]
    elif damage == "shape":
        encoder["mix_bias"] = np.zeros(3, np.float32)
    else:
        encoder["mix_bias"] = np.full_like(encoder["mix_bias"], np.nan)
    path = tmp_path / "bad.safetensors"
    save_weights(
        module.Weights(
            encoder_config=weights.encoder_config,
            context_config=weights.context_config,
            encoder=encoder,
            context=weights.context,
        ),
        path,
    )
    with pytest.raises(BadWeights, match=r"encoder\.mix_bias"):
        load_weights(path)


def test_another_safetensors_file(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "other.safetensors"
    save_file({"x": np.zeros(3, np.float32)}, path)
    with pytest.raises(BadWeights, match="not a whole weight file"):
        load_weights(path)


def test_shipped_weights_are_found_by_name_and_hash(saved, monkeypatch):
    path, sha256 = saved
    monkeypatch.setattr(module, "KIND", replace(module.KIND, folder=path.parent))
    with pytest.raises(BadWeights, match="missing or broken"):
        load_shipped("small")
    (path.parent / "manifest.json").write_text(json.dumps({"small": sha256}))
    assert load_shipped("small").sha256 == sha256
    with pytest.raises(BadWeights, match="did you mean 'small'"):
        load_shipped("smal")
    (path.parent / "manifest.json").write_text(json.dumps({"small": "0" * 64}))
    with pytest.raises(BadWeights, match="not the file that was shipped"):
        load_shipped("small")
