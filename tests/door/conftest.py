"""A small result, and the command line as a function."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from embersort.types import Geometry, Sorting, SortResult, Templates

RATE_HZ = 30_000.0


def make_result(n_samples=30_000, n_channels=4):
    """Three units, the last silent; five spikes."""
    sorting = Sorting(
        sample_index=[10, 20, 30, 40, 50],
        unit_index=[0, 1, 0, 1, 0],
        unit_ids=[1, 2, 7],
        sampling_rate_hz=RATE_HZ,
        n_samples=n_samples,
    )
    waveforms = np.zeros((3, 60, n_channels), np.float32)
    waveforms[:, 20, 0] = [-50, -80, -20]
    return SortResult(
        sorting=sorting,
        templates=Templates(waveforms_uv=waveforms, n_before=20),
        geometry=Geometry(positions_um=[[0, 20 * i] for i in range(n_channels)]),
        spike_amplitude=[-5, -6, -5.5, -6.5, -5.25],
        spike_probability=[0.5, np.nan, 1, 0.25, 0.75],
        spike_position_um=np.zeros((5, 2)),
        embedding=np.arange(10).reshape(5, 2),
        unit_table={
            "rate_hz": np.array([3.0, 2.0, 0.0]),
            "n_spikes": np.array([3, 2, 0]),
            "snr": np.array([0.1 + 0.2, np.nan, 1e-30]),
            "kept": np.array([True, False, True]),
            "label": np.array(["good", "mua, or not", ""]),
        },
        timings_s={"detect": 0.5},
        provenance={"version": "0", "n": np.int64(3)},
    )


@pytest.fixture
def result():
    return make_result()


@pytest.fixture
def command(capsys):
    """Run the command line in this process; gives exit code, stdout and stderr."""
    from embersort.cli import app

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            app([str(argument) for argument in arguments], prog_name="embersort")
        captured = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=captured.out, err=captured.err)

    return run


@pytest.fixture
def fake_sort(monkeypatch):
    """Replace the sort by one that takes no time; set ``.action`` to make it do something."""
    control = SimpleNamespace(calls=[], action=None)

    def sort(recording, config=None, *, progress=None, mapper=None, stages=None):
        control.calls.append((recording, config))
        if control.action:
            control.action()
        return make_result(recording.n_samples, recording.geometry.n_channels)

    module = ModuleType("embersort.sorting")
    module.sort = sort
    monkeypatch.setitem(sys.modules, "embersort.sorting", module)
    # No kernel is compiled before a sort that takes no time.
    monkeypatch.setattr("embersort.cli.compilation.is_compiled", lambda: True)
    return control


@pytest.fixture
def npy(tmp_path):
    """One second of four quiet channels."""
    path = tmp_path / "recording.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.normal(scale=10, size=(30_000, 4)).astype(np.float32))
    return path
