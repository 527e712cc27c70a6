"""Two tiny recordings and stand-in sorters in a home of their own."""

import shutil
import sys
from pathlib import Path

import numpy as np

from embersort.benchmark.exchange import write_sorting
from embersort.benchmark.home import Home
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


def make_home(folder):
    """Make a home with the recordings TINY/pair/a and b and every stand-in sorter."""
    home = Home(folder=folder)
    home.registry.mkdir(parents=True)
    for seed, name in enumerate("ab"):
        write_tiny(home.registry / name, seed)
    (home.registry / "tiny.toml").write_text(ENTRY)
    home.sorters.mkdir()
    script = folder / "stand_in.py"
    shutil.copyfile(Path(__file__).parent / "stand_in.py", script)
    for behaviour in BEHAVIOURS:
        command = [sys.executable, str(script), behaviour, "{job_file}"]
        (home.sorters / f"{behaviour}.toml").write_text(
            f'title = "{behaviour}"\nversion = "1"\ncommand = {command}\n'
        )
    return home
