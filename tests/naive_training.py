"""Slow, obvious twins of the losses, written from their definitions."""

from __future__ import annotations

import numpy as np


def affinity_loss(v, labels, weights=None, mask=None, class_balance=1.0):
    """The N x N definition, one set at a time."""
    keep = np.ones(len(labels), bool) if mask is None else mask
    w = np.ones(len(labels)) if weights is None else weights
    v, labels, w = v[keep], labels[keep], w[keep]
    w = np.array([w[i] / w[labels == labels[i]].sum() ** class_balance for i in range(len(w))])
    total = 0.0
    for i in range(len(w)):
        for j in range(len(w)):
            wanted = float(labels[i] == labels[j])
            total += w[i] * w[j] * (v[i] @ v[j] - wanted) ** 2
    return total / w.sum() ** 2


def contrastive_loss(v, labels, mask=None, temperature=0.1):
    keep = np.ones(len(labels), bool) if mask is None else mask
    v, labels = v[keep], labels[keep]
    losses = []
    for i in range(len(v)):
        others = [j for j in range(len(v)) if j != i]
        positives = [j for j in others if labels[j] == labels[i]]
        if not positives:
            continue
        denominator = sum(np.exp(v[i] @ v[j] / temperature) for j in others)
        losses.append(
            np.mean([-np.log(np.exp(v[i] @ v[j] / temperature) / denominator) for j in positives])
        )
    return np.mean(losses)


def prototype_loss(v, labels, mask=None, temperature=0.1):
    keep = np.ones(len(labels), bool) if mask is None else mask
    v, labels = v[keep], labels[keep]
    losses = []
    for i in range(len(v)):
        mates = (labels == labels[i]) & (np.arange(len(v)) != i)
        if not mates.any():
            continue
        exponents = {
            c: v[i] @ v[mates if c == labels[i] else labels == c].mean(0) / temperature
            for c in set(labels)
        }
        losses.append(
            -np.log(np.exp(exponents[labels[i]]) / sum(np.exp(e) for e in exponents.values()))
        )
    return np.mean(losses)
