"""Sort the real recordings of the data pack by the command line, and print what was found.

    .venv/bin/python benchmarks/real_input.py ../shared/data/ephys -o real_input

Writes each result (with its report) below the folder given by ``-o``, and a Markdown table of
figures to the terminal. Two of the recordings come with true times: of one cell recorded inside as
well (hc-1), and of all spikes of a simulated channel (Quiroga).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from embersort.evaluation.comparison import compare
from embersort.output import read_result
from embersort.types import Sorting, SortResult

RECORDINGS = (
    ("locust_tetrode_trial01", "tetrode"),
    ("locust_tetrode_trial02", "tetrode"),
    ("hc1_d533101_tetrode_5s", "tetrode"),
    ("quiroga_C_Easy1_noise015", None),
)
"""File and probe."""

REFRACTORY_MS = 2.0


def sort_by_command_line(file: Path, probe: str | None, out: Path) -> SortResult:
    """Sort a recording as a user would; return what was written."""
    with np.load(file) as arrays:
        traces, rate_hz = arrays["data"], float(arrays["fs"])
    npy = out / f"{file.stem}.npy"
    np.save(npy, traces)
    folder = out / file.stem
    command = [sys.executable, "-m", "embersort.cli", "sort", npy, "-o", folder, "--overwrite"]
    command += ["--sampling-rate", rate_hz, "--quiet"]
    command += ["--probe", probe] if probe else []
    subprocess.run([str(part) for part in command], check=True)
    return read_result(folder)


def true_sorting(file: Path, n_samples: int) -> Sorting | None:
    """Return the true spikes of a recording that has some."""
    with np.load(file) as arrays:
        if "gt_extracellular_peak" in arrays:
            sample = arrays["gt_extracellular_peak"].astype(np.int64)
            unit = np.zeros(len(sample), np.int64)
        elif "gt_peak" in arrays:
            sample, unit = arrays["gt_peak"].astype(np.int64), arrays["gt_class"] - 1
        else:
            return None
        rate_hz = float(arrays["fs"])
    order = np.argsort(sample, kind="stable")
    return Sorting(
        sample_index=sample[order],
        unit_index=unit[order],
        unit_ids=np.arange(unit.max() + 1),
        sampling_rate_hz=rate_hz,
        n_samples=n_samples,
    )


def short_intervals(result: SortResult) -> list[float]:
    """Return the share of each unit's intervals that are shorter than a neuron's."""
    shortest = REFRACTORY_MS * 1e-3 * result.sorting.sampling_rate_hz
    return [
        float((np.diff(train) < shortest).mean()) if len(train) > 1 else 0.0
        for train in result.sorting.trains()
    ]


def main() -> None:
    """Sort all, print all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the .npz recordings")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"| recording | unit | spikes | rate (Hz) | SNR | intervals < {REFRACTORY_MS:g} ms |")
    print("|---|---|---|---|---|---|")
    scores = []
    for name, probe in RECORDINGS:
        file = options.folder / f"{name}.npz"
        result = sort_by_command_line(file, probe, options.out)
        sorting, share = result.sorting, short_intervals(result)
        for i, count in enumerate(sorting.spike_counts()):
            print(
                f"| {name} | {sorting.unit_ids[i]} | {count} | {count / sorting.duration_s:.1f} "
                f"| {result.unit_table['snr'][i]:.1f} | {share[i]:.1%} |"
            )
        truth = true_sorting(file, sorting.n_samples)
        if truth is not None:
            scores.append((name, compare(truth, sorting), truth))
    print("\n| recording | true unit | spikes | accuracy | precision | recall |")
    print("|---|---|---|---|---|---|")
    for name, comparison, truth in scores:
        for i, count in enumerate(truth.spike_counts()):
            print(
                f"| {name} | {i} | {count} | {comparison.accuracy[i]:.2f} "
                f"| {comparison.precision[i]:.2f} | {comparison.recall[i]:.2f} |"
            )


if __name__ == "__main__":
    main()
