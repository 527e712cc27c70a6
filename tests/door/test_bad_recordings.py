"""Recordings that are not as they should be, through the command line and the real sort.

Where it can go on there is a warning and a result, which `read_result` and SpikeInterface open.
"""

import numpy as np
import pytest
import spikeinterface

from embersort.output import read_result

RATE_HZ = 30_000


def noise(n_samples=30_000, n_channels=4):
    return np.random.default_rng(0).normal(scale=10, size=(n_samples, n_channels)).astype("f4")


def with_channel(index, values):
    traces = noise()
    traces[:, index] = values
    return traces


def with_nan():
    traces = noise()
    traces[1000:1500] = np.nan
    traces[20_000, 1] = np.inf
    return traces


CASES = {
    "noise alone": (noise(), "no units were found"),
    "0.2 s": (noise(6000), "no units were found in 0.2 s"),
    "one millisecond": (noise(30), "no units were found"),
    "all zero": (np.zeros((30_000, 4), "f4"), "4 of 4 channels are left out"),
    "all NaN": (np.full((30_000, 4), np.nan, "f4"), "are read as 0"),
    "some NaN": (with_nan(), "2001 of the values"),
    "a dead channel": (with_channel(1, 0), "1 of 4 channels are left out"),
    "a channel at the rail": (with_channel(2, 32_767), "1 of 4 channels are left out"),
    "a channel of NaN": (with_channel(0, np.nan), "1 of 4 channels are left out"),
    "a channel in saturation": (
        with_channel(2, np.sign(noise()[:, 2]) * 6000),
        "1 of 4 channels are left out",
    ),
    "full-scale noise": (
        np.random.default_rng(0).integers(-32768, 32767, (30_000, 4)).astype("i2"),
        "no units were found",
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_a_warning_and_a_result(command, tmp_path, case):
    traces, warning = CASES[case]
    np.save(tmp_path / "r.npy", traces)
    done = command(
        *("sort", tmp_path / "r.npy", "-o", tmp_path / "out", "--no-report"),
        *("--sampling-rate", RATE_HZ, "--probe", "tetrode"),
    )
    assert done.code == 0, done.err
    assert warning in done.err
    assert "Traceback" not in done.err
    result = read_result(tmp_path / "out")
    assert result.sorting.n_units == 0
    assert len(spikeinterface.load(tmp_path / "out" / "sorting").unit_ids) == 0


def test_one_channel_without_a_probe(command, tmp_path):
    np.save(tmp_path / "r.npy", noise(n_channels=1)[:, 0])
    done = command("sort", tmp_path / "r.npy", "-o", tmp_path / "out", "--sampling-rate", RATE_HZ)
    assert done.code == 0, done.err
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((30_000, 0), "no channels"),
        ((0, 4), "holds no samples"),
        ((30_000, 3), "needs 4 channels (or a multiple); there are 3"),
    ],
)
def test_refused_with_one_sentence(command, tmp_path, shape, sentence):
    np.save(tmp_path / "r.npy", np.zeros(shape, "f4"))
    done = command(
        *("sort", tmp_path / "r.npy", "-o", tmp_path / "out", "--channels-last"),
        *("--sampling-rate", RATE_HZ, "--probe", "tetrode"),
    )
    assert done.code == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
