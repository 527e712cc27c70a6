"""Runs a script in a container and leaves what it cost, which the engine's client cannot know."""

import json
import resource
import subprocess
import sys
from pathlib import Path

PEAK_OF_CONTAINER = Path("/sys/fs/cgroup/memory.peak")
"""Largest memory of all processes of the container together, where the kernel tells it."""


def main() -> None:
    """Run this interpreter on the arguments after the first, which is the file of the cost."""
    code = subprocess.run([sys.executable, *sys.argv[2:]], check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_mib = used.ru_maxrss / 1024
    if PEAK_OF_CONTAINER.exists():
        peak_mib = int(PEAK_OF_CONTAINER.read_text("utf-8")) / 2**20
    cost = {"cpu_s": used.ru_utime + used.ru_stime, "peak_memory_mib": peak_mib}
    Path(sys.argv[1]).write_text(json.dumps(cost), "utf-8")
    # As a shell does, so that a killed script can be told from one that failed.
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
