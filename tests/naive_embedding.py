"""Slow, obvious twins of the kernels of `embersort.embedding`."""

import numpy as np


def nearest_events(embedding, sample, channel, distances_um, *, n, window, radius_um):
    found = np.full((len(embedding), n), -1)
    for i in range(len(embedding)):
        candidates = [
            j
            for j in range(len(embedding))
            if j != i
            and abs(sample[j] - sample[i]) <= window
            and distances_um[channel[i], channel[j]] <= radius_um
        ]
        similarity = {j: float(embedding[i] @ embedding[j]) for j in candidates}
        best = sorted(candidates, key=lambda j: (-similarity[j], channel[j], j))[:n]
        found[i, : len(best)] = best
    return found


def attention_pool(tokens, weight):
    n_heads = weight.shape[1]
    pooled = []
    for head, part in enumerate(np.split(tokens, n_heads, axis=1)):
        share = np.exp(tokens @ weight[:, head])
        pooled.append((share[:, None] * part).sum(axis=0) / share.sum())
    return np.concatenate(pooled)
