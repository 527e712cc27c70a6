"""Slow, obvious twins of the kernels of embersort.evaluation."""

import numpy as np


def match_trains(first, second, tolerance):
    """Earliest-first pairing by looking at every pair."""
    partner = [-1] * len(first)
    used = set()
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if j not in used and abs(int(a) - int(b)) <= tolerance:
                partner[i] = j
                used.add(j)
                break
    return np.array(partner, np.int64)


def count_matches(truth, found, tolerance):
    """One pairing per pair of units."""
    counts = np.zeros((truth.n_units, found.n_units), np.int64)
    for t, true_train in enumerate(truth.trains()):
        for f, found_train in enumerate(found.trains()):
            counts[t, f] = (match_trains(true_train, found_train, tolerance) >= 0).sum()
    return counts


def claim_spikes(events, score, truth, tolerance, near):
    """Let the surest event choose first among all spikes."""
    taken = {}
    for event in sorted(range(len(score)), key=lambda e: (-score[e], e)):
        options = [
            (abs(int(truth.sample_index[s]) - int(events.sample_index[event])), s)
            for s in range(truth.n_spikes)
            if s not in taken.values()
            and near[events.channel_index[event], truth.unit_index[s]]
            and abs(int(truth.sample_index[s]) - int(events.sample_index[event])) <= tolerance
        ]
        taken[event] = min(options)[1] if options else -2 - event
    return np.array([max(taken[e], -1) for e in range(len(score))], np.int64)


def overlapping(truth, reach):
    """Look at every pair of spikes."""
    marked = np.zeros(truth.n_spikes, bool)
    for a in range(truth.n_spikes):
        for b in range(truth.n_spikes):
            gap = abs(int(truth.sample_index[a]) - int(truth.sample_index[b]))
            if truth.unit_index[a] != truth.unit_index[b] and gap <= reach:
                marked[a] = True
    return marked
