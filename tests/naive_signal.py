"""Slow, obvious twins of the kernels of `embersort.signal`."""

import numpy as np
from scipy.signal import sosfilt


def bandpass(traces, sos):
    forward = sosfilt(sos, traces.astype(np.float64), axis=0)
    return sosfilt(sos, forward[::-1], axis=0)[::-1]


def troughs(scaled, margin, threshold, reach, distances_um, exclude_um):
    found = []
    for t in range(margin, len(scaled) - margin):
        for c in range(scaled.shape[1]):
            near = np.flatnonzero(distances_um[c] <= exclude_um)
            rivals = [
                (scaled[s, d], s, d)
                for s in range(max(0, t - reach), min(len(scaled), t + reach + 1))
                for d in near
            ]
            if scaled[t, c] <= -threshold and min(rivals) == (scaled[t, c], t, c):
                found.append((t, c))
    return found


def cut(traces, sample, channel, n_before, n_window, neighbours):
    snippets = np.zeros((len(sample), n_window, neighbours.shape[1]), np.float32)
    for i, (t, c) in enumerate(zip(sample, channel, strict=True)):
        for k in range(n_window):
            for j, other in enumerate(neighbours[c]):
                at = t - n_before + k
                if other >= 0 and 0 <= at < len(traces):
                    snippets[i, k, j] = traces[at, other]
    return snippets
