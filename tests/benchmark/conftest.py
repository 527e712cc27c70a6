"""A home of its own for each test, with two tiny recordings and stand-in sorters."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from embersort.benchmark.exchange import write_sorting
from embersort.benchmark.home import HOME_VARIABLE, find_home
from embersort.types import Sorting

RATE_HZ = 10_000.0
BEHAVIOURS = (
    *("good", "phy", "slow", "nothing", "garbage", "pickle"),
    *("crash", "hang", "memory", "disk", "beyond"),
)

ENTRY = """
name = "TINY"
title = "two tiny recordings"
kind = "real"
description = "for tests"
[[studies]]
name = "pair"
[studies.source]
kind = "local"
recording_format = "auto"
recording_options = { sampling_rate_hz = 10000.0, probe = "linear:50" }
recording = "traces.npy"
truth = "truth.npz"
[[studies.recordings]]
name = "a"
source = { folder = "a" }
[[studies.recordings]]
name = "b"
source = { folder = "b" }
"""


def tiny_truth(n_samples=20_000, seed=0):
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(n_samples - 200, 60, replace=False) + 100)
    return Sorting(
        sample_index=sample,
        unit_index=rng.integers(0, 3, 60),
        unit_ids=np.array([4, 5, 9]),
        sampling_rate_hz=RATE_HZ,
        n_samples=n_samples,
    )


def write_tiny(folder, seed):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    truth = tiny_truth(seed=seed)
    traces = rng.normal(0, 10, (truth.n_samples, 4)).astype(np.float32)
    for sample, unit in zip(truth.sample_index, truth.unit_index, strict=True):
        traces[sample, unit] -= 150
    np.save(folder / "traces.npy", traces)
    write_sorting(truth, folder / "truth.npz")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    made = find_home()
    made.registry.mkdir(parents=True)
    for seed, name in enumerate("ab"):
        write_tiny(made.registry / name, seed)
    (made.registry / "tiny.toml").write_text(ENTRY)
    made.sorters.mkdir()
    script = made.folder / "stand_in.py"
    shutil.copyfile(Path(__file__).parent / "stand_in.py", script)
    for behaviour in BEHAVIOURS:
        command = [sys.executable, str(script), behaviour, "{job_file}"]
        (made.sorters / f"{behaviour}.toml").write_text(
            f'title = "{behaviour}"\nversion = "1"\ncommand = {command}\n'
        )
    return made


@pytest.fixture
def calls(home):
    """How often a stand-in was started."""
    path = home.folder / "calls.txt"
    return lambda: path.read_text().split() if path.exists() else []
