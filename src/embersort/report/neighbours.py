"""Which units look alike, and how the embedding separates a unit from the two closest."""

from __future__ import annotations

import numpy as np

from embersort.types import FloatArray, IntArray, Templates

N_NEIGHBOURS = 3
"""Similar units shown beside a unit."""
SHRINKAGE = 0.1
"""Share of the mean variance added to the within-unit covariance before it is inverted."""


def template_similarity(templates: Templates) -> FloatArray:
    """Return the cosine similarity of each pair of templates, all channels together.

    Returns
    -------
    ndarray, shape (n_units, n_units), float64
        Between -1 and 1; 0 for an empty template. Cost O(n_units² · n_samples · n_channels).
    """
    n_units, n_samples, n_channels = templates.waveforms_uv.shape
    flat = templates.waveforms_uv.reshape(n_units, n_samples * n_channels).astype(np.float32)
    norm = np.linalg.norm(flat, axis=1)
    unit = flat / np.where(norm > 0, norm, 1)[:, None]
    return np.clip(unit @ unit.T, -1, 1).astype(np.float64)


def nearest_units(similarity: FloatArray, n_neighbours: int = N_NEIGHBOURS) -> IntArray:
    """Return the units most similar to each, best first.

    Returns
    -------
    ndarray, shape (n_units, min(n_neighbours, n_units - 1)), int64
    """
    n_units = len(similarity)
    n_kept = max(0, min(n_neighbours, n_units - 1))
    others = similarity - 3.0 * np.eye(n_units)
    return np.argsort(-others, axis=1, kind="stable")[:, :n_kept]


def discriminant_plane(points: FloatArray, label: IntArray) -> FloatArray:
    """Project points on the two directions that separate their groups best (Fisher 1936).

    Parameters
    ----------
    points : ndarray, shape (n_points, n_dims)
    label : ndarray, shape (n_points,), int64
        Group of each point. With two groups the second direction is the widest one of what
        the first leaves; with one group both are principal components.

    Returns
    -------
    ndarray, shape (n_points, 2), float64
    """
    n_dims = points.shape[1]
    if n_dims == 0 or len(points) == 0:
        return np.zeros((len(points), 2))
    centred = points - points.mean(axis=0)
    groups = np.unique(label)
    means = np.stack([centred[label == group].mean(axis=0) for group in groups])
    residual = centred - means[np.searchsorted(groups, label)]
    within = residual.T @ residual / len(points)
    within += SHRINKAGE * max(np.trace(within) / n_dims, np.finfo(float).tiny) * np.eye(n_dims)
    whitener = np.linalg.inv(np.linalg.cholesky(within)).T
    _, _, directions = np.linalg.svd(means @ whitener, full_matrices=False)
    axes = (whitener @ directions.T)[:, : min(2, len(groups) - 1)]
    rest = centred @ whitener - centred @ axes @ np.linalg.pinv(axes) @ whitener
    _, _, widest = np.linalg.svd(rest, full_matrices=False)
    axes = np.hstack([axes, whitener @ widest.T])[:, :2]
    plane = centred @ axes
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
