"""Slow, obvious twins of the kernels of `embersort.clustering`."""

import itertools

import numpy as np


def isotonic(y, weight):
    """The min-max formula (Robertson, Wright and Dykstra 1988, theorem 1.4.4)."""

    def mean(i, j):
        return np.average(y[i : j + 1], weights=weight[i : j + 1])

    n = len(y)
    return np.array(
        [max(min(mean(i, j) for j in range(k, n)) for i in range(k + 1)) for k in range(n)]
    )


def count_pairs(first, second, low, high):
    return sum(low < abs(b - a) <= high for a, b in itertools.product(first, second))


def same_partition(one, other):
    """Whether two labellings group the same points together."""
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))
