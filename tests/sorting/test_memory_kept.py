"""Memory that was freed is used again, in place of pages that the system clears first."""

import sys

import numpy as np
import pytest
from numba import njit

from embersort.machine import freed_memory_kept

N_BYTES = 64_000_000


@njit
def ones(n):
    return np.ones(n, np.uint8)


def faults_of_an_array():
    """Page faults; of a kernel's array, since NumPy asks for huge pages, of which there are few."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    ones(N_BYTES)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library keeps memory so")
def test_the_second_array_finds_its_pages_there():
    ones(1)
    with freed_memory_kept():
        faults_of_an_array()
        assert faults_of_an_array() < N_BYTES / 4096 / 100


def test_an_error_inside_comes_out():
    with pytest.raises(ValueError, match="inside"), freed_memory_kept():
        raise ValueError("inside")
