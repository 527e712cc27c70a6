"""Slow, obvious twins of the kernels of confidence."""

from __future__ import annotations

import numpy as np


def misfit(code, template, local, low, high):
    used = local >= 0
    x = code.reshape(len(local), -1)[used].astype(np.float64)
    t = template[local[used]].astype(np.float64)
    scale = np.clip((x * t).sum() / (t * t).sum(), low, high) if (t * t).sum() > 0 else low
    return ((x - scale * t) ** 2).sum()


def local_misfit(codes, channel_index, unit_index, n_around):
    result = np.full(len(codes), np.nan)
    for i in range(len(codes)):
        train = np.flatnonzero(unit_index == unit_index[i])
        place = int(np.flatnonzero(train == i)[0])
        around = train[max(0, place - n_around) : place + n_around + 1]
        around = [j for j in around if j != i and channel_index[j] == channel_index[i]]
        if around:
            mean = codes[around].astype(np.float64).mean(axis=0)
            result[i] = ((codes[i] - mean) ** 2).sum() * len(around) / (len(around) + 1)
    return result


def tree_sum(trees, row):
    total = float(trees.start[0])
    for node in trees.roots:
        while trees.feature[node] >= 0:
            x = row[trees.feature[node]]
            left = bool(trees.missing_left[node]) if np.isnan(x) else x <= trees.threshold[node]
            node = trees.left[node] if left else trees.right[node]
        total += float(trees.value[node])
    return total


def leftovers(events, sorting, main, snr, distance_um, window):
    counts = np.zeros(len(main))
    for sample, channel, amplitude in zip(
        events.sample_index, events.channel_index, events.amplitude, strict=True
    ):
        near = np.abs(sorting.sample_index - sample) <= window
        if (distance_um[main[sorting.unit_index[near]], channel] <= 150).any():
            continue
        for unit in range(len(main)):
            share = abs(amplitude) / snr[unit]
            counts[unit] += distance_um[main[unit], channel] <= 40 and 0.6 <= share <= 1.6
    return counts
