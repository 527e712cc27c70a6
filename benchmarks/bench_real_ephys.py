"""Make the small real recordings of a data pack known to the benchmark.

``python benchmarks/bench_real_ephys.py FOLDER`` reads the ``ephys`` folder of the pack (two locust
tetrode trials without truth, a hippocampal tetrode with the spike times of one cell, a simulated
single channel) and writes a study set REAL_EPHYS into the benchmark's home, where ``embersort
bench run 'REAL_EPHYS/*/*'`` finds it. Nothing of the data goes into the repository.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from embersort.benchmark.catalogue import add_entry
from embersort.benchmark.exchange import write_sorting
from embersort.benchmark.home import find_home
from embersort.types import Sorting

RECORDINGS = {
    "locust-trial01": ("locust_tetrode_trial01.npz", "tetrode", "", ""),
    "locust-trial02": ("locust_tetrode_trial02.npz", "tetrode", "", ""),
    "hc1-d533101": ("hc1_d533101_tetrode_5s.npz", "tetrode", "gt_extracellular_peak", ""),
    "quiroga-easy1": ("quiroga_C_Easy1_noise015.npz", "", "gt_peak", "gt_class"),
}
"""File, probe, and the arrays that hold true samples and classes."""
LARGEST_UV = 3000.0
"""Recordings whose unit is not known are scaled so that their largest deflection is this."""


def convert(source: Path, folder: Path, samples: str, classes: str) -> float:
    """Write traces and truth as plain files; return the sampling rate."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(source, allow_pickle=False) as arrays:
        rate_hz = float(arrays["fs"])
        traces = np.asarray(arrays["data"], np.float32).reshape(len(arrays["data"]), -1)
        traces -= np.median(traces, axis=0)
        np.save(folder / "traces.npy", traces * (LARGEST_UV / np.abs(traces).max()))
        if samples:
            at = np.asarray(arrays[samples], np.int64)
            label = (
                np.asarray(arrays[classes], np.int64) if classes else np.zeros(len(at), np.int64)
            )
            ids, unit = np.unique(label, return_inverse=True)
            order = np.argsort(at, kind="stable")
            truth = Sorting(
                sample_index=at[order],
                unit_index=unit[order],
                unit_ids=ids,
                sampling_rate_hz=rate_hz,
                n_samples=len(traces),
            )
            write_sorting(truth, folder / "truth.npz")
    return rate_hz


def main() -> None:
    """Convert every recording and register the set."""
    pack, home = Path(sys.argv[1]), find_home()
    folder = home.folder / "real-ephys"
    lines = [
        'name = "REAL_EPHYS"',
        'title = "Short real recordings"',
        'kind = "real"',
        'description = "Too short to rank sorters; does a sorter run on real data at all?"',
        "[[studies]]",
        'name = "clips"',
    ]
    for name, (file, probe, samples, classes) in RECORDINGS.items():
        rate_hz = convert(pack / file, folder / name, samples, classes)
        options = f"sampling_rate_hz = {rate_hz}" + (f', probe = "{probe}"' if probe else "")
        truth = 'truth = "truth.npz", ' if samples else ""
        lines += [
            "[[studies.recordings]]",
            f'name = "{name}"',
            f'source = {{ kind = "local", folder = "{name}", recording = "traces.npy", '
            f"{truth}recording_options = {{ {options} }} }}",
        ]
    entry = folder / "real_ephys.toml"
    entry.write_text("\n".join(lines) + "\n", "utf-8")
    (home.registry / entry.name).unlink(missing_ok=True)
    for name in add_entry(entry, home):
        print(name)


if __name__ == "__main__":
    main()
