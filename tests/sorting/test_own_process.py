"""What a process that is ours alone spares itself: busy threads, searches for garbage."""

import os
import subprocess
import sys


def printed_by(script):
    # As a user's shell has it: whoever runs the tests may have limited threads.
    surroundings = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=surroundings
    ).stdout


def test_openblas_starts_no_threads():
    said = printed_by(
        "from embersort.machine import one_thread_of_linear_algebra\n"
        "one_thread_of_linear_algebra()\n"
        "import numpy\n"
        "from threadpoolctl import threadpool_info\n"
        "print({p['num_threads'] for p in threadpool_info() if p['internal_api'] == 'openblas'})"
    )
    assert said in ("{1}\n", "set()\n")


GARBAGE = """
from embersort.machine import collect_rarely
class Cycle:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("collected", flush=True)
{first}
Cycle()
kept = [[] for _ in range({n_objects})]
"""


def test_garbage_waits_for_many_new_objects():
    def said(n_objects):
        return printed_by(GARBAGE.format(first="collect_rarely()", n_objects=n_objects))

    assert said(5_000) == ""
    assert said(20_000) == "collected\n"


def test_without_it_garbage_is_looked_for_at_the_end():
    assert printed_by(GARBAGE.format(first="", n_objects=0)) == "collected\n"
