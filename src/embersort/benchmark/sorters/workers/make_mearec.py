"""Makes a recording with MEArec, in MEArec's environment; templates are kept for the next one."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import MEArec as mr
import numpy as np

TEMPLATE_SEED = 7
# MEArec calls NEURON's compiler by name; it lies beside this interpreter.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def templates_for(job: dict[str, Any]) -> Path:
    """Return the templates of a probe, simulated from MEArec's own cell models if need be."""
    recipe = {"probe": job["probe"], "n": job["templates_per_cell"], "drift": job["drifting"]}
    name = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
    path = Path(job["templates"]) / f"{name}.h5"
    if not path.exists():
        parameters = mr.get_default_templates_params()
        parameters |= {
            "probe": job["probe"],
            "n": job["templates_per_cell"],
            "drifting": job["drifting"],
            "seed": TEMPLATE_SEED,
            "rot": "physrot",
        }
        generator = mr.gen_templates(
            cell_models_folder=mr.get_default_cell_models_folder(),
            params=parameters,
            n_jobs=1,
            verbose=False,
        )
        part = path.with_suffix(".part.h5")
        mr.save_template_generator(generator, str(part), verbose=False)
        part.rename(path)
    return path


def recording_parameters(job: dict[str, Any]) -> dict[str, Any]:
    """Return MEArec's default recording parameters with the job's on top."""
    parameters = mr.get_default_recordings_params()
    seed = job["seed"]
    parameters["spiketrains"] |= {
        "n_exc": job["n_excitatory"],
        "n_inh": job["n_inhibitory"],
        "duration": job["duration_s"],
        "seed": seed,
    }
    parameters["templates"] |= {"min_dist": 15, "seed": seed + 1}
    parameters["recordings"] |= {
        "noise_level": job["noise_uv"],
        "filter": False,
        "drifting": job["drifting"],
    }
    parameters["seeds"] = {
        "spiketrains": seed,
        "templates": seed + 1,
        "convolution": seed + 2,
        "noise": seed + 3,
    }
    for section, values in job["recording_parameters"].items():
        parameters[section] |= values
    return parameters


def flat_positions(positions: Any) -> Any:
    """Return x and y of contacts that lie in one plane of space: its two axes of largest extent.

    MEArec's tetrode lies in its x-y plane, its other probes in the y-z plane.
    """
    extent = np.ptp(positions, axis=0)
    return positions[:, np.sort(np.argsort(-extent, kind="stable")[:2])]


def main() -> None:
    """Write traces.npy and truth.npz into the job's output folder."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    generator = mr.gen_recordings(
        params=recording_parameters(job),
        templates=str(templates_for(job)),
        verbose=False,
        n_jobs=1,
    )
    output = Path(job["output"])
    rate_hz = float(generator.info["recordings"]["fs"])
    traces = np.asarray(generator.recordings, np.float32)
    if traces.shape[0] < traces.shape[1]:
        traces = traces.T
    np.save(output / "traces.npy", traces)
    trains = [np.round(np.asarray(t.times.rescale("s")) * rate_hz) for t in generator.spiketrains]
    sample = np.concatenate(trains).astype(np.int64)
    unit = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(sample, kind="stable")
    inside = order[(sample[order] >= 0) & (sample[order] < len(traces))]
    drift_um = 0.0
    if job["drifting"]:
        drift_um = float(job["recording_parameters"].get("recordings", {}).get("drift_um", 30.0))
    np.savez(
        output / "truth.npz",
        sample_index=sample[inside],
        unit_index=unit[inside],
        unit_ids=np.arange(len(trains)),
        sampling_rate_hz=rate_hz,
        positions_um=flat_positions(np.asarray(generator.channel_positions)),
        drift_um=drift_um,
    )


if __name__ == "__main__":
    main()
