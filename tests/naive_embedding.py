"""Slow, obvious twins of the kernels of `embersort.embedding`."""

import numpy as np


def nearest_events(embedding, sample, channel, distances_um, *, n, window, radius_um, n_bins=0):
    found = np.full((len(embedding), n), -1)
    n_nearest = n - n_bins
    for i in range(len(embedding)):
        candidates = [
            j
            for j in range(len(embedding))
            if j != i
            and abs(sample[j] - sample[i]) <= window
            and distances_um[channel[i], channel[j]] <= radius_um
        ]
        similarity = {j: float(embedding[i] @ embedding[j]) for j in candidates}
        best = sorted(candidates, key=lambda j: (-similarity[j], channel[j], j))
        found[i, : len(best[:n_nearest])] = best[:n_nearest]
        for k in range(n_bins):
            low, high = ((2 * k / n_bins - 1) * window, (2 * (k + 1) / n_bins - 1) * window)
            is_last = k == n_bins - 1
            there = [
                j
                for j in best
                if low <= sample[j] - sample[i] < high
                or (is_last and sample[j] - sample[i] == high)
            ]
            found[i, n_nearest + k] = there[0] if there else -1
    return found


def attention_pool(tokens, weight):
    n_heads = weight.shape[1]
    pooled = []
    for head, part in enumerate(np.split(tokens, n_heads, axis=1)):
        share = np.exp(tokens @ weight[:, head])
        pooled.append((share[:, None] * part).sum(axis=0) / share.sum())
    return np.concatenate(pooled)
