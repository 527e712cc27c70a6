"""The training loop learns, resumes on the same curve, and keeps no broken file."""

from __future__ import annotations

import json
import pickle

import pytest

torch = pytest.importorskip("torch")
from embersort.errors import BadConfig, BadWeights  # noqa: E402
from embersort.training.checkpoint import load_checkpoint  # noqa: E402
from embersort.training.curve import curve_svg  # noqa: E402
from embersort.training.loop import LoopConfig, learning_rate_at, train  # noqa: E402

pytestmark = pytest.mark.torch

CONFIG = LoopConfig(n_steps=40, learning_rate=0.02, warmup_steps=4, evaluate_every=10)


def new_model(n_hidden=8):
    torch.manual_seed(3)
    # Dropout, so that a generator that is not restored shows in the curve.
    return torch.nn.Sequential(
        torch.nn.Linear(3, n_hidden), torch.nn.Dropout(0.2), torch.nn.Linear(n_hidden, 1)
    )


def batch_at(step):
    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))
    return x, x.sum(1, keepdim=True)


def loss_of(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def evaluate(model):
    torch.rand(3)  # an evaluation that draws must not change the training
    return {"score": -float(loss_of(model, batch_at(10**6)))}


def run(folder, config=CONFIG, model=None):
    model = model or new_model()
    rows = train(model, batch_at, loss_of, evaluate, config, folder, keep_best="score")
    return model, [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def test_learns_and_leaves_history_curve_and_best(tmp_path):
    _, rows = run(tmp_path)
    assert [row["step"] for row in rows] == [10, 20, 30, 40]
    assert rows[-1]["score"] > 10 * rows[0]["score"]  # scores are negative: a tenth of the error
    written = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in written] == [row["loss"] for row in rows]
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")
    best = load_checkpoint(tmp_path / "best.pt")
    assert best.step == max(rows, key=lambda row: row["score"])["step"]
    assert not list(tmp_path.glob("*.part"))


def test_stopped_and_resumed_gives_the_same_curve_and_weights(tmp_path):
    whole_model, whole = run(tmp_path / "whole")

    class Killed(Exception):
        pass

    def dies_at_27(step):
        if step == 27:
            raise Killed
        return batch_at(step)

    with pytest.raises(Killed):
        train(new_model(), dies_at_27, loss_of, evaluate, CONFIG, tmp_path / "cut")
    resumed_model, resumed = run(tmp_path / "cut", model=torch.nn.Sequential(*new_model()))

    assert resumed == whole
    for name, value in whole_model.state_dict().items():
        assert torch.equal(value, resumed_model.state_dict()[name])


def test_two_runs_give_the_same_bits(tmp_path):
    first, _ = run(tmp_path / "a")
    second, _ = run(tmp_path / "b")
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


def test_learning_rate_rises_stays_and_falls_to_zero():
    config = LoopConfig(n_steps=100, warmup_steps=2, learning_rate=0.5, decay_share=0.2)
    assert [learning_rate_at(s, config) for s in (0, 1, 50, 80)] == [0.25, 0.5, 0.5, 0.5]
    assert learning_rate_at(90, config) == pytest.approx(0.25)
    assert 0 < learning_rate_at(99, config) < 0.005
    stopped = config.model_copy(update={"n_steps": 90, "n_planned": 100})
    assert learning_rate_at(89, stopped) == learning_rate_at(89, config)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", pickle.dumps({"step": print}, 2)])
def test_a_broken_or_unsafe_checkpoint_is_one_clear_error(tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(BadWeights, match=r"checkpoint\.pt cannot be read"):
        run(tmp_path)


def test_a_missing_checkpoint_and_one_of_another_network_are_clear_errors(tmp_path):
    with pytest.raises(BadWeights, match="does not exist"):
        load_checkpoint(tmp_path / "none.pt")
    run(tmp_path)
    with pytest.raises(BadWeights, match="another network"):
        run(tmp_path, model=new_model(n_hidden=9))
    with pytest.raises(BadConfig, match="is at step 40, n_steps is 20"):
        run(tmp_path, CONFIG.model_copy(update={"n_steps": 20}))


def test_curve_scales_each_column_to_its_panel():
    rows = [{"step": 10, "loss": 4.0}, {"step": 20, "loss": 2.0}, {"step": 30, "loss": 3.0}]
    assert 'points="40.0,20.0 160.0,160.0 280.0,90.0"' in curve_svg(rows)
    assert "<polyline" not in curve_svg([])
