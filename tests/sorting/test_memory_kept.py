"""Memory that was freed is used again, in a process that is ours alone."""

import subprocess
import sys
from pathlib import Path

import pytest

import embersort

SCRIPT = """
import resource, sys
import numpy as np
from embersort.machine import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
faults = []
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    array = bytearray(64_000_000)
    array[::4096] = b"1" * len(array[::4096])
    del array
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(faults[1])
"""


def faults_of_a_second_array(how):
    called = [sys.executable, "-c", SCRIPT, how]
    return int(subprocess.run(called, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library keeps memory so")
def test_the_second_array_finds_its_pages_there():
    n_pages = 64_000_000 / 4096
    assert faults_of_a_second_array("kept") < n_pages / 100
    # Else the system clears them once more, by ones or by huge ones.
    assert faults_of_a_second_array("not") > faults_of_a_second_array("kept")


def test_only_processes_of_our_own_keep_it():
    package = Path(embersort.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "keep_freed_memory()" in path.read_text("utf-8")
    }
    assert callers == {
        "machine.py",
        "cli/__init__.py",
        "benchmark/sorters/workers/run_embersort.py",
    }
