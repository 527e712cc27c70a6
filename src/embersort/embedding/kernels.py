"""Small dense layers, written so that the result never depends on what runs beside them.

Sums run over the inputs in a fixed order; only outputs are taken side by side. So an event has the
same bits in any batch and on any thread, which a linear algebra library does not promise.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

FAST = {"contract"}
"""Multiply and add in one rounding; no reordering of sums."""
NORM_FLOOR = 1e-12
"""Added to a squared norm before its root is divided by."""


@njit(nogil=True, cache=True, fastmath=FAST)
def add_product(rows: Float32, weight: Float32, out: Float32) -> None:
    """Add ``rows @ weight`` to ``out``; four inputs at a time, so that ``out`` stays in registers.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_inputs), float32
    weight : ndarray, shape (n_inputs, n_outputs), float32
    out : ndarray, shape (n_rows, n_outputs), float32
        Changed in place: scratch space of the kernels that call this.
    """
    n_inputs = len(weight)
    whole = n_inputs - n_inputs % 4
    for r in range(len(rows)):
        row, target = rows[r], out[r]
        for i in range(0, whole, 4):
            x0, x1, x2, x3 = row[i], row[i + 1], row[i + 2], row[i + 3]
            w0, w1, w2, w3 = weight[i], weight[i + 1], weight[i + 2], weight[i + 3]
            for o in range(len(target)):
                target[o] += x0 * w0[o] + x1 * w1[o] + x2 * w2[o] + x3 * w3[o]
        for i in range(whole, n_inputs):
            x, w = row[i], weight[i]
            for o in range(len(target)):
                target[o] += x * w[o]


@njit(nogil=True, cache=True, fastmath=FAST)
def rectify(values: Float32) -> None:
    """Set negative values to zero, in place."""
    for r in range(values.shape[0]):
        row = values[r]
        for i in range(len(row)):
            row[i] = max(row[i], np.float32(0))


@njit(nogil=True, cache=True, fastmath=FAST)
def attention_pool(tokens: Float32, weight: Float32, logits: Float32, out: Float32) -> None:
    """Put the tokens' mean into ``out``, weighted by a softmax over tokens; one weight per head.

    Parameters
    ----------
    tokens : ndarray, shape (n_tokens, n_hidden), float32
        Head ``h`` pools the h-th equal part of the columns. No tokens give zeros.
    weight : ndarray, shape (n_hidden, n_heads), float32
    logits : ndarray, shape (>= n_tokens, n_heads), float32
        Scratch space.
    out : ndarray, shape (n_hidden,), float32
        Overwritten.
    """
    n_tokens, n_hidden = tokens.shape
    n_heads = weight.shape[1]
    out[:] = 0
    if n_tokens == 0:
        return
    logits[:n_tokens] = 0
    add_product(tokens, weight, logits[:n_tokens])
    width = n_hidden // n_heads
    for h in range(n_heads):
        highest = logits[0, h]
        for t in range(1, n_tokens):
            highest = max(highest, logits[t, h])
        total = np.float32(0)
        for t in range(n_tokens):
            logits[t, h] = np.exp(logits[t, h] - highest)
            total += logits[t, h]
        part = out[h * width : (h + 1) * width]
        for t in range(n_tokens):
            share = logits[t, h] / total
            column = tokens[t, h * width : (h + 1) * width]
            for i in range(width):
                part[i] += share * column[i]


@njit(nogil=True, cache=True)
def normalise(values: Float32) -> None:
    """Scale a vector to unit norm, in place."""
    total = np.float32(NORM_FLOOR)
    for value in values:
        total += value * value
    scale = np.float32(1) / np.sqrt(total)
    for i in range(len(values)):
        values[i] *= scale
