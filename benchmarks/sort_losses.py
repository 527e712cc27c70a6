"""What a sort loses, and where: in detection, in clustering, in assignment, per SNR of the unit.

    OPENBLAS_NUM_THREADS=1 python benchmarks/sort_losses.py [dev NAME PATTERN ...]

Sorts stored recordings of the benchmark (`embersort bench run` makes them) and prints what became
of the true spikes, in percent of a unit's and averaged over units.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.unit_measures import measure_units
from embersort.config import RunConfig, SortConfig
from embersort.evaluation.comparison import compare
from embersort.evaluation.losses import Fate, losses
from embersort.evaluation.overlap import overlapping_spikes
from embersort.sorting import sort
from stored_input import as_recording, stored_recordings

BANDS = ((0.0, 5.0), (5.0, 7.0), (7.0, 10.0), (10.0, np.inf))
"""SNR of the true units, SpikeForest's measure."""
HEAD = (
    "units | accuracy | found | split | merged | misassigned | noise unit | missed | wrong "
    "| overlapping, solitary"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitLosses:
    """The true units of some recordings; shares are of a unit's own true spikes.

    Attributes
    ----------
    snr, accuracy : ndarray, shape (n_units,)
    shares : ndarray, shape (n_units, 6)
        One column per `Fate`.
    wrong : ndarray, shape (n_units,)
        Wrong spikes in the answering unit.
    overlapping, solitary : ndarray, shape (n_units, 2)
        Number of such spikes, and how many of them are found.
    """

    snr: np.ndarray
    accuracy: np.ndarray
    shares: np.ndarray
    wrong: np.ndarray
    overlapping: np.ndarray
    solitary: np.ndarray

    def of(self, rows: np.ndarray) -> UnitLosses:
        """Return some of the units."""
        return UnitLosses(**{name: getattr(self, name)[rows] for name in self.__slots__})


def joined(parts: list[UnitLosses]) -> UnitLosses:
    """Return the units of several recordings."""
    names = UnitLosses.__slots__
    return UnitLosses(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


def lost_in(stored: StoredRecording) -> UnitLosses:
    """Sort a recording and say what became of its true spikes."""
    truth = stored.truth()
    found = sort(as_recording(stored), SortConfig(run=RunConfig(n_workers=1))).sorting
    comparison = compare(truth, found)
    lost = losses(truth, found, comparison)
    measured = measure_units(stored, truth)
    place = stored.geometry.positions_um[np.array(measured["peak_channel"])]
    overlaps = overlapping_spikes(truth, unit_position_um=place)
    counts = np.zeros((truth.n_units, len(Fate)))
    np.add.at(counts, (truth.unit_index, lost.fate), 1)
    n_spikes = np.maximum(1, truth.spike_counts())
    return UnitLosses(
        snr=np.array(measured["snr"]),
        accuracy=comparison.accuracy,
        shares=counts / n_spikes[:, None],
        wrong=lost.n_wrong / n_spikes,
        overlapping=_found_of(truth.unit_index, lost.fate, overlaps, truth.n_units),
        solitary=_found_of(truth.unit_index, lost.fate, ~overlaps, truth.n_units),
    )


def _found_of(unit: np.ndarray, fate: np.ndarray, rows: np.ndarray, n_units: int) -> np.ndarray:
    """Return how many chosen spikes each unit has, and how many of them are found."""
    is_found = rows & (fate == Fate.FOUND)
    return np.stack([np.bincount(unit[kept], minlength=n_units) for kept in (rows, is_found)], 1)


def line(name: str, units: UnitLosses) -> str:
    """Return a row of the table: means over units, in percent; recalls over spikes."""
    shares = " | ".join(f"{100 * share:.1f}" for share in units.shares.mean(axis=0))
    recalls = [
        pooled[1] / max(1, pooled[0])
        for pooled in (units.overlapping.sum(0), units.solitary.sum(0))
    ]
    return (
        f"| {name} | {len(units.snr)} | {units.accuracy.mean():.3f} | {shares} "
        f"| {100 * units.wrong.mean():.1f} | {recalls[0]:.3f}, {recalls[1]:.3f} |"
    )


def main() -> None:
    """Print a row per recording, then one per band of SNR over all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=["dev"], help="suites, names or patterns")
    parts = []
    print(f"| recording | {HEAD} |\n|{'---|' * 11}")
    for name, stored in stored_recordings(parser.parse_args().names):
        parts.append(lost_in(stored))
        print(line(name, parts[-1]), flush=True)
    if not parts:
        return
    units = joined(parts)
    print(f"\n| SNR | {HEAD} |\n|{'---|' * 11}")
    for low, high in BANDS:
        rows = np.flatnonzero((units.snr >= low) & (units.snr < high))
        if len(rows):
            print(
                line(f"{low:g}–{high:g}" if np.isfinite(high) else f"from {low:g}", units.of(rows))
            )
    print(line("all", units))


if __name__ == "__main__":
    main()
