"""Slow, obvious twins of the kernels of `embersort.matching`, and hand-made templates."""

import numpy as np


def shapes(n_window=40, n_before=15):
    """White templates of three units on four channels, each with its own width and place."""
    t = np.arange(n_window) - n_before
    templates = np.zeros((3, n_window, 4))
    for unit, (width, main) in enumerate([(2, 0), (3, 3), (4, 1.5)]):
        wave = -np.exp(-0.5 * (t / width) ** 2)
        wave = wave + 0.4 * np.exp(-0.5 * ((t - 3 * width) / (1.5 * width)) ** 2)
        templates[unit] = 15 * wave[:, None] * np.exp(-0.8 * np.abs(np.arange(4) - main))
    return templates.astype("f4")


def place(templates, n_before, n_samples, spikes):
    """Traces without noise: the sum of templates at (sample, unit, scale)."""
    traces = np.zeros((n_samples, templates.shape[2]), "f4")
    for sample, unit, scaling in spikes:
        start = sample - n_before
        traces[start : start + templates.shape[1]] += np.float32(scaling) * templates[unit]
    return traces


def score(traces, templates, n_before):
    n_units, n_window, _ = templates.shape
    scores = np.zeros((n_units, len(traces)))
    for unit in range(n_units):
        for start in range(len(traces) - n_window + 1):
            window = traces[start : start + n_window].astype("f8")
            scores[unit, start + n_before] = (window * templates[unit]).sum()
    return scores


def best_amplitudes(traces, templates, n_before, spikes, precision):
    """Amplitudes of spikes at (sample, unit) that fit best together, with a prior round 1."""
    columns = [
        place(templates, n_before, len(traces), [(t, u, 1)]).ravel().astype("f8") for t, u in spikes
    ]
    design = np.stack(columns, axis=1)
    normal = design.T @ design + precision * np.eye(len(spikes))
    return np.linalg.solve(normal, design.T @ traces.ravel().astype("f8") + precision)
