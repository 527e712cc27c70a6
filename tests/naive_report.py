"""Slow, obvious twins of what the report counts."""

import numpy as np


def autocorrelogram(train, bin_samples, n_bins, edges):
    """Count all pairs with a positive lag, pair by pair."""
    counts = np.zeros((len(edges) - 1, n_bins), int)
    for i, first in enumerate(train):
        for second in train[i + 1 :]:
            if second - first < n_bins * bin_samples:
                counts[block_of(first, edges), (second - first) // bin_samples] += 1
    return counts


def crosscorrelogram(train, other, bin_samples, n_bins, edges):
    """Count all pairs of two trains within the reach, pair by pair."""
    counts = np.zeros((len(edges) - 1, 2 * n_bins), int)
    reach = n_bins * bin_samples
    for first in train:
        for second in other:
            if -reach <= second - first < reach:
                counts[block_of(first, edges), (second - first + reach) // bin_samples] += 1
    return counts


def block_of(sample, edges):
    """Return the block that holds a sample."""
    return next(b for b in range(len(edges) - 1) if edges[b] <= sample < edges[b + 1])
