"""How fast MEArec makes a recording of 32 channels and 40 units from templates that it has made.

    MEAREC_PYTHON benchmarks/simulate_mearec.py TEMPLATES.h5 [SECONDS]

Runs in an environment that has MEArec; TEMPLATES.h5 is a template library of a 32-channel probe.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import MEArec

N_EXCITATORY, N_INHIBITORY = 30, 10


def main(templates: str, seconds: float) -> None:
    """Make one recording and print one JSON line."""
    parameters = MEArec.get_default_recordings_params()
    parameters["spiketrains"] |= {
        "n_exc": N_EXCITATORY,
        "n_inh": N_INHIBITORY,
        "duration": seconds,
    }
    parameters["templates"] |= {"min_dist": 5, "min_amp": 10}
    parameters["recordings"] |= {"fs": 30000, "noise_mode": "distance-correlated", "filter": False}
    wall, cpu = time.perf_counter(), time.process_time()
    made = MEArec.gen_recordings(templates=templates, params=parameters, n_jobs=1, verbose=False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    figures = {
        "what": f"MEArec, {made.recordings.shape}, {len(made.spiketrains)} units",
        "all_wall_s": round(wall, 3),
        "all_cpu_s": round(cpu, 3),
        "times_real_time_per_core": round(seconds / cpu, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)
