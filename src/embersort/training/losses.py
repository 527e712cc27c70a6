"""Losses that pull the members of a class together in an embedding and push classes apart.

Shared by spikes (item = event, class = neuron) and speech (item = time-frequency bin,
class = speaker). All are batched and differentiable, take any integers as labels, and leave
masked items out as if they were not there.
"""

from __future__ import annotations

import torch
from torch import Tensor


def affinity_loss(
    embedding: Tensor,
    labels: Tensor,
    *,
    weights: Tensor | None = None,
    mask: Tensor | None = None,
    class_balance: float = 1.0,
) -> Tensor:
    """Return the deep-clustering loss: how far the affinities VVᵀ are from the wanted YYᵀ.

    Per batch entry ``sum_ij w_i w_j (v_i · v_j - [y_i = y_j])² / (sum_i w_i)²``, computed in
    the low-rank form ``|V'V|² - 2 |V'Y|² + |Y'Y|²``, then the mean over the batch.

    Parameters
    ----------
    embedding : Tensor, shape (..., n_items, n_dims), float
        Unit-norm rows.
    labels : Tensor, shape (..., n_items), int64
        Class of each item: any integers, a batch entry at a time.
    weights : Tensor, shape (..., n_items), float, optional
        Importance of each item, non-negative; 1 by default.
    mask : Tensor, shape (..., n_items), bool, optional
        True where the item counts.
    class_balance : float, in [0, 1]
        Item weights are divided by (total weight of the item's class) ** class_balance: with 1
        all classes weigh the same whatever their size, with 0 all items do.

    Notes
    -----
    O(n · d · (d + n_classes)) time. Hershey et al. 2016, "Deep clustering", equations 1 and 4;
    class balance 1 is their weighting by ``D = diag(YYᵀ1)``. They sum, we take the weighted mean
    over pairs, so that the value does not depend on the number of items.
    """
    weight = _item_weights(embedding, weights, mask)
    one_hot = _one_hot(labels).to(embedding.dtype)
    class_weight = torch.einsum("...nk,...n->...k", one_hot, weight)
    own_class_weight = torch.einsum("...nk,...k->...n", one_hot, class_weight)
    weight = weight / own_class_weight.clamp_min(_tiny(weight)) ** class_balance
    weight = weight / weight.sum(-1, keepdim=True).clamp_min(_tiny(weight))

    root = weight.sqrt().unsqueeze(-1)
    v, y = embedding * root, one_hot * root
    return (_gram(v, v) - 2 * _gram(v, y) + _gram(y, y)).mean()


def contrastive_loss(
    embedding: Tensor, labels: Tensor, *, mask: Tensor | None = None, temperature: float = 0.1
) -> Tensor:
    """Return the supervised contrastive loss: each item should find its class-mates.

    Parameters
    ----------
    embedding : Tensor, shape (..., n_items, n_dims), float
        Unit-norm rows.
    labels, mask
        As in `affinity_loss`. Items without a class-mate are no anchors.
    temperature : float
        Divides the similarities.

    Notes
    -----
    O(n² · d) time and O(n²) memory. Khosla et al. 2020, "Supervised contrastive learning",
    equation 2 (the sum over positives outside the logarithm).
    """
    valid = torch.ones_like(labels, dtype=torch.bool) if mask is None else mask
    n_items = labels.shape[-1]
    other = ~torch.eye(n_items, dtype=torch.bool, device=labels.device)
    candidate = other & valid.unsqueeze(-2)
    positive = candidate & (labels.unsqueeze(-1) == labels.unsqueeze(-2))

    similarity = embedding @ embedding.transpose(-1, -2) / temperature
    # A large negative number, not -inf: an item alone in its set must not give NaN.
    log_sum = similarity.masked_fill(~candidate, _LOWEST_LOGIT).logsumexp(-1, keepdim=True)
    log_probability = (similarity - log_sum).masked_fill(~positive, 0.0)
    n_positive = positive.sum(-1)
    anchor = valid & (n_positive > 0)
    per_anchor = -log_probability.sum(-1) / n_positive.clamp_min(1)
    return _mean_where(per_anchor, anchor)


def prototype_loss(
    embedding: Tensor, labels: Tensor, *, mask: Tensor | None = None, temperature: float = 0.1
) -> Tensor:
    """Return the cross-entropy of telling each item's class from the class means.

    The item itself is left out of the mean of its own class, so that a class cannot be
    recognised by the item that is asked about.

    Parameters
    ----------
    embedding : Tensor, shape (..., n_items, n_dims), float
        Unit-norm rows.
    labels, mask
        As in `affinity_loss`. Items without a class-mate are not asked about.
    temperature : float
        Divides the similarities.

    Notes
    -----
    O(n · d · n_classes) time. After Snell et al. 2017, "Prototypical networks", with dot
    products in place of distances and support and query drawn from one set.
    """
    weight = _item_weights(embedding, None, mask)
    one_hot = _one_hot(labels).to(embedding.dtype) * weight.unsqueeze(-1)
    n_members = one_hot.sum(-2)
    total = one_hot.transpose(-1, -2) @ embedding
    mean = total / n_members.clamp_min(1).unsqueeze(-1)
    similarity = embedding @ mean.transpose(-1, -2)

    own = one_hot > 0
    n_mates = (one_hot * n_members.unsqueeze(-2)).sum(-1) - 1
    own_total = one_hot @ total
    own_similarity = (embedding * (own_total - embedding)).sum(-1) / n_mates.clamp_min(1)
    similarity = torch.where(own, own_similarity.unsqueeze(-1), similarity) / temperature
    similarity = similarity.masked_fill((n_members == 0).unsqueeze(-2), _LOWEST_LOGIT)

    log_probability = similarity.log_softmax(-1)
    per_item = -(log_probability * own).sum(-1)
    return _mean_where(per_item, (weight > 0) & (n_mates > 0))


_LOWEST_LOGIT = -1e9
"""A logit whose probability is zero in float32."""


def _item_weights(embedding: Tensor, weights: Tensor | None, mask: Tensor | None) -> Tensor:
    """Return the weight of each item, zero where masked, in the type of the embedding."""
    if weights is None:
        weights = torch.ones(embedding.shape[:-1], device=embedding.device)
    weights = weights.to(embedding.dtype)
    return weights if mask is None else weights * mask.to(embedding.dtype)


def _one_hot(labels: Tensor) -> Tensor:
    """Return class membership, shape (..., n_items, n_classes), whatever integers the labels are.

    ``n_classes`` is the largest number of distinct labels of a batch entry. O(n log n).
    """
    ordered, order = labels.sort(dim=-1)
    step = (ordered.diff(dim=-1) != 0).long()
    rank_ordered = torch.nn.functional.pad(step.cumsum(-1), (1, 0))
    rank = torch.empty_like(labels).scatter_(-1, order, rank_ordered)
    return torch.nn.functional.one_hot(rank)


def _gram(a: Tensor, b: Tensor) -> Tensor:
    """Return the squared Frobenius norm of aᵀb, one per batch entry."""
    return (a.transpose(-1, -2) @ b).square().sum((-1, -2))


def _mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Return the mean of the chosen values; zero, with a gradient of zero, where none is chosen."""
    return (values * where).sum() / where.sum().clamp_min(1)


def _tiny(tensor: Tensor) -> float:
    """Return the smallest normal number of a type, to divide by in place of zero."""
    return torch.finfo(tensor.dtype).tiny
