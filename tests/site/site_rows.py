"""Rows of results made from formulas: any size, with failures, gaps and odd names."""

import numpy as np

from embersort.benchmark.run import Row

RULES = ("one_to_one", "spikeforest")
STORED = "STORED/here/small"


def make_truth(rng, n_units, n_channels=32):
    return {
        "unit_id": list(range(n_units)),
        "n_spikes": rng.integers(50, 5000, n_units).tolist(),
        "rate_hz": rng.uniform(0.1, 40, n_units).round(4).tolist(),
        "snr": rng.uniform(2, 22, n_units).round(4).tolist(),
        "peak_channel": rng.integers(0, n_channels, n_units).tolist(),
        "overlap_share": rng.uniform(0, 0.4, n_units).round(4).tolist(),
        "drift_um": 0.0,
        "n_channels": n_channels,
        "duration_s": 120.0,
        "sampling_rate_hz": 30000.0,
    }


def make_scores(rng, truth, skill):
    n = len(truth["unit_id"])
    snr = np.array(truth["snr"])
    scores = {}
    for rule in RULES:
        recall = np.clip(1 / (1 + np.exp(-(snr - 7 + 4 * skill) / 2)) + rng.normal(0, 0.1, n), 0, 1)
        precision = np.clip(0.7 + 0.3 * recall + rng.normal(0, 0.05, n), 0, 1)
        found = rng.random(n) > 0.1
        recall, precision = np.where(found, recall, 0), np.where(found, precision, 0)
        total = precision + recall
        either = np.where(total > 0, precision + recall - precision * recall, 1)
        accuracy = precision * recall / np.where(either > 0, either, 1)
        f1 = np.where(total > 0, 2 * precision * recall / np.where(total > 0, total, 1), 0)
        columns = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
        scores[rule] = {
            "summary": {
                "rule": rule,
                "n_true_units": n,
                "n_found_units": n + 3,
                **{k: float(v.mean()) if n else None for k, v in columns.items()},
                "n_well_detected": int((accuracy >= 0.8).sum()),
                "n_false_positive": 2,
                "n_redundant": 1,
                "n_overmerged": 0,
            },
            "recall_overlapping": 0.5,
            "recall_solitary": 0.7,
            "units": {
                "unit_id": list(range(n)),
                "matched_id": [int(i) if f else None for i, f in enumerate(found)],
                **{k: np.round(v, 6).tolist() for k, v in columns.items()},
            },
            "found_units": {"unit_id": [], "n_spikes": []},
        }
    return scores


def make_rows(names, sorters, *, n_units=12, seed=0, outcome=lambda r, s: "ok"):
    """Return one row for each recording and sorter; the later a sorter stands, the worse it is."""
    rows = []
    for r, name in enumerate(names):
        rng = np.random.default_rng([seed, r])
        truth = make_truth(rng, n_units[r] if isinstance(n_units, list) else n_units)
        for s, (sorter, version) in enumerate(sorters):
            how = outcome(r, s)
            rows.append(
                Row(
                    recording=name,
                    sorter=sorter,
                    outcome=how,
                    error="" if how == "ok" else f"{sorter} stopped: <b>no memory</b>",
                    result={
                        "sorter": sorter,
                        "sorter_version": version,
                        "recording": f"{r:064d}",
                        "parameters": {"threshold": 5.0},
                        "seed": 0,
                        "limits": {},
                        "n_units": 10,
                        "n_spikes": 1000,
                        "wall_s": round(float(rng.uniform(5, 200) * (s + 1)), 2),
                        "cpu_s": 50.0,
                        "peak_memory_mib": 400.0 + 100 * s,
                        "machine": "test",
                        "load_average": 0.1,
                    },
                    scores=make_scores(rng, truth, 1 - s / max(1, len(sorters)))
                    if how == "ok"
                    else {},
                    truth=truth,
                )
            )
    return rows
