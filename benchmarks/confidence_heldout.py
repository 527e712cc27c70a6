"""Check the confidence of spikes and units on simulators that it was not learned from.

    python benchmarks/confidence_heldout.py --cache held_out FOLDER [FOLDER …]

prints the tables of ``benchmarks/studies/confidence.md``. Own scenes are of held-out cells,
probes and noise;
SpikeInterface's generator makes its recordings on the spot; FOLDER is a recording as the benchmark
stores it (traces.raw, recording.json, truth.npz), MEArec's for example. Sorted recordings are
cached: use another folder after a change of the sorter.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embersort.benchmark.exchange import open_stored
from embersort.benchmark.generators import generate
from embersort.benchmark.sources import GeneratorSource
from embersort.confidence.model import load_model, load_shipped
from embersort.confidence.predict import Confidence, predict
from embersort.evaluation.calibration import determination, reliability
from embersort.recording import ArrayRecording
from embersort.sorting import sort_evidence
from embersort.training.confidence_cases import (
    Case,
    CaseDraw,
    draw_scenes,
    load_case,
    make_case,
    save_case,
    scene_cases,
)
from embersort.types import Recording, Sorting

OWN, GENERATOR, STORED = "own, held-out cells", "SpikeInterface's generator", "stored recordings"
COLUMNS_32 = {"num_columns": 2, "num_contact_per_column": 16, "xpitch": 25, "ypitch": 25}
ZIGZAG = {
    "displacement_sampling_frequency": 5.0,
    "drift_start_um": [0, 20],
    "drift_stop_um": [0, -20],
    "drift_step_um": 1,
    "motion_list": [{"drift_mode": "zigzag", "t_start_drift": 10.0, "period_s": 40}],
}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One recording with its truth and what was said of it."""

    kind: str
    case: Case
    said: Confidence


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--per-family", type=int, default=2)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    model = load_model(arguments.model) if arguments.model else load_shipped()
    checked = [
        Checked(kind=kind, case=case, said=predict(case.evidence, model))
        for kind, case in cases(arguments)
    ]
    print(f"model {model.sha256[:12]}, {len(checked)} recordings\n")
    print_kinds(checked)
    print_reliability(checked)


def cases(arguments: argparse.Namespace) -> Iterator[tuple[str, Case]]:
    """Sort the recordings, or read what was sorted before."""
    draw = CaseDraw(n_drawn=arguments.scenes, n_per_family=arguments.per_family)
    for scene in draw_scenes(draw, "heldout"):
        for case in scene_cases([scene], arguments.cache, sort_evidence):
            yield OWN, case
    for name, source in generator_sources().items():
        yield GENERATOR, cached(arguments.cache / f"{name}.npz", lambda s=source: generate(s)[:2])
    for folder in arguments.folders:
        path = arguments.cache / f"{folder.name[:12]}.npz"
        yield STORED, cached(path, lambda f=folder: stored(f))


def generator_sources() -> dict[str, GeneratorSource]:
    """Return recordings of SpikeInterface's generator: still, noisy, drifting, and of tetrodes."""
    common = {"kind": "spikeinterface", "duration_s": 40.0}
    made = {}
    for seed in (11, 12, 13):
        made[f"still-{seed}"] = {"probe": COLUMNS_32, "n_units": 25, "seed": seed}
        made[f"noisy-{seed}"] = {
            "probe": COLUMNS_32,
            "n_units": 20,
            "noise_uv": 20.0,
            "seed": 10 + seed,
        }
    for seed in (31, 32):
        made[f"drift-{seed}"] = {
            "probe": COLUMNS_32,
            "n_units": 20,
            "noise_uv": 7.0,
            "drift": ZIGZAG,
            "seed": seed,
        }
        made[f"tetrode-{seed}"] = {"probe": {"tetrode": True}, "n_units": 6, "seed": 10 + seed}
    return {name: GeneratorSource.parse({**common, **values}) for name, values in made.items()}


def stored(folder: Path) -> tuple[Recording, Sorting]:
    """Return a stored recording and its truth."""
    found = open_stored(folder)
    recording = ArrayRecording(
        traces=found.traces().astype(np.float32) * np.float32(found.uv_per_count),
        sampling_rate_hz=found.sampling_rate_hz,
        geometry=found.geometry,
    )
    return recording, found.truth()


def cached(path: Path, make) -> Case:
    """Read a sorted recording, or make and sort it."""
    if not path.exists():
        recording, truth = make()
        held = ArrayRecording(
            traces=recording.read(0, recording.n_samples),
            sampling_rate_hz=recording.sampling_rate_hz,
            geometry=recording.geometry,
        )
        save_case(make_case(held, truth, path.stem, sort_evidence), path)
    return load_case(path)


def print_kinds(checked: list[Checked]) -> None:
    """Print one row per kind of recording, and one for all."""
    print(
        "| recordings | n | units | spikes | right | ECE | r² accuracy | r² one-to-one "
        "| r² precision | r² recall | in 90 % interval | width |\n" + "|---" * 12 + "|"
    )
    kinds = list(dict.fromkeys(item.kind for item in checked))
    for kind in [*kinds, "all"]:
        chosen = [item for item in checked if kind in (item.kind, "all")]
        print(f"| {kind} | {len(chosen)} | " + " | ".join(row(chosen)) + " |", flush=True)


def row(checked: list[Checked]) -> list[str]:
    """Return the figures of some recordings."""
    correct = joined(item.case.spike_correct for item in checked)
    found = reliability(joined(item.said.spike_probability for item in checked), correct)
    said = {
        name: joined(item.said.unit_columns[f"predicted_{name}"] for item in checked)
        for name in ("accuracy", "accuracy_low", "accuracy_high", "precision", "recall")
    }
    true = {
        name: joined(getattr(item.case.scores, name) for item in checked)
        for name in ("accuracy", "precision", "recall")
    }
    matched = joined(item.case.matched_accuracy for item in checked)
    low, high = said["accuracy_low"], said["accuracy_high"]
    inside = (true["accuracy"] >= low) & (true["accuracy"] <= high)
    return [
        str(len(matched)),
        str(len(correct)),
        f"{correct.mean():.3f}",
        f"{found.expected_calibration_error:.3f}",
        f"{determination(said['accuracy'], true['accuracy']):.2f}",
        f"{determination(said['accuracy'], matched):.2f}",
        f"{determination(said['precision'], true['precision']):.2f}",
        f"{determination(said['recall'], true['recall']):.2f}",
        f"{inside.mean():.2f}",
        f"{(high - low).mean():.2f}",
    ]


def print_reliability(checked: list[Checked]) -> None:
    """Print what was said of spikes and what came true, by bins."""
    found = reliability(
        joined(item.said.spike_probability for item in checked),
        joined(item.case.spike_correct for item in checked),
        n_bins=10,
    )
    print("\n| probability | spikes | mean said | came true |\n|---|---|---|---|")
    for index, count in enumerate(found.n_spikes):
        if count:
            print(
                f"| {index / 10:.1f}–{(index + 1) / 10:.1f} | {count} "
                f"| {found.said[index]:.3f} | {found.came_true[index]:.3f} |"
            )


def joined(parts) -> np.ndarray:
    """Return the arrays one after the other."""
    return np.concatenate(list(parts))


if __name__ == "__main__":
    main()
