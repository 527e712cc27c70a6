import pytest

torch = pytest.importorskip("torch")

from test_spike_training import SMALL_BATCH, toy_scene  # noqa: E402

from embersort.cli import main  # noqa: E402
from embersort.errors import BadConfig, MissingDependency  # noqa: E402
from embersort.training.device import choose_device, on_device  # noqa: E402
from embersort.training.spike_batches import draw_batch  # noqa: E402


@pytest.mark.parametrize(("has_gpu", "expected"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_the_gpu_where_there_is_one(monkeypatch, has_gpu, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert choose_device("auto").type == expected
    assert choose_device("cpu").type == "cpu"


def test_a_gpu_that_is_not_there_and_a_name_that_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MissingDependency, match="use --device cpu"):
        choose_device("cuda")
    with pytest.raises(BadConfig, match="did you mean 'cuda'"):
        choose_device("cud")


def test_a_batch_moves_whole():
    batch = draw_batch([toy_scene()], SMALL_BATCH, 0, 0)
    moved = on_device(batch, torch.device("meta"))
    assert {getattr(moved, name).device.type for name in type(batch).__slots__} == {"meta"}
    assert moved.snippets.shape == batch.snippets.shape
    assert batch.snippets.device.type == "cpu"


def test_the_command_without_a_gpu_is_one_line_and_exit_code_2(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    command = ["train", "-o", str(tmp_path / "run"), "--recipe", "quick", "--device", "cuda"]
    monkeypatch.setattr("sys.argv", ["embersort", *command])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    message = capsys.readouterr().err.strip()
    assert message.count("\n") == 0
    assert "no CUDA device" in message
    assert not (tmp_path / "run").exists()
