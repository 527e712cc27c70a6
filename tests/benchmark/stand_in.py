"""A stand-in sorter: speaks the benchmark's protocol, behaves as it is told."""

import json
import sys
import time
from pathlib import Path

import numpy as np


def main(behaviour, job_file):  # noqa: C901 - one branch per behaviour
    job = json.loads(Path(job_file).read_text())
    folder, output = Path(job["recording_folder"]), Path(job["output_folder"])
    counter = Path(__file__).parent / "calls.txt"
    with counter.open("a") as file:
        file.write(behaviour + "\n")
    if behaviour == "nothing":
        return
    if behaviour == "garbage":
        (output / "sorting.npz").write_bytes(b"PK\x03\x04 no archive at all")
        return
    if behaviour == "pickle":
        np.savez(output / "sorting.npz", sample_index=np.array([object()], dtype=object))
        return
    if behaviour == "crash":
        sys.stderr.write("step one\n")
        sys.exit("this is why")
    if behaviour == "hang":
        time.sleep(1000)
    if behaviour == "memory":
        job["hold"] = np.ones(int(400e6) // 8)
        time.sleep(1000)
    if behaviour == "disk":
        (Path(job["work_folder"]) / "big").write_bytes(b"\1" * int(50e6))
        time.sleep(1000)
    if behaviour == "slow":
        time.sleep(0.5)
    with np.load(folder / "truth.npz") as truth:
        arrays = dict(truth)
    if behaviour == "beyond":
        arrays["sample_index"] = arrays["sample_index"] + 10_000_000
    if behaviour == "phy":
        np.save(output / "spike_times.npy", arrays["sample_index"])
        np.save(output / "spike_clusters.npy", arrays["unit_ids"][arrays["unit_index"]])
        return
    np.savez(output / "sorting.npz", **arrays)


main(sys.argv[1], sys.argv[2])
