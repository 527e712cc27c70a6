"""The losses equal their definitions, and their gradients the finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import naive_training as naive

torch = pytest.importorskip("torch")
from embersort.training.losses import (  # noqa: E402
    affinity_loss,
    contrastive_loss,
    prototype_loss,
)

pytestmark = pytest.mark.torch

LABEL_SETS = {
    "two classes": [0, 0, 1, 1, 1, 0, 1],
    "non-contiguous": [7, 7, 100, -3, 100, 7, -3],
    "one class": [4] * 7,
    "all alone": [0, 1, 2, 3, 4, 5, 6],
    "one alone": [0, 0, 0, 9, 0, 0, 0],
}
ALL_LOSSES = [
    (affinity_loss, naive.affinity_loss),
    (contrastive_loss, naive.contrastive_loss),
    (prototype_loss, naive.prototype_loss),
]


def unit_rows(seed, *shape):
    v = np.random.default_rng(seed).normal(size=shape)
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
@pytest.mark.parametrize("class_balance", [0.0, 0.5, 1.0])
def test_affinity_loss_equals_the_definition(labels, class_balance):
    v = unit_rows(0, 7, 3)
    weights = np.random.default_rng(1).uniform(0.1, 3, 7)
    mask = np.array([1, 1, 1, 1, 0, 1, 1], bool)
    for w, m in [(None, None), (weights, None), (None, mask), (weights, mask)]:
        found = affinity_loss(
            torch.tensor(v),
            torch.tensor(labels),
            weights=None if w is None else torch.tensor(w),
            mask=None if m is None else torch.tensor(m),
            class_balance=class_balance,
        )
        expected = naive.affinity_loss(v, np.array(labels), w, m, class_balance)
        assert float(found) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("pair", ALL_LOSSES[1:], ids=["contrastive", "prototype"])
@pytest.mark.parametrize("name", ["two classes", "non-contiguous", "one class", "one alone"])
def test_other_losses_equal_their_definitions(pair, name):
    fast, slow = pair
    v, labels = unit_rows(0, 7, 3), LABEL_SETS[name]
    mask = np.array([1, 1, 1, 1, 0, 1, 1], bool)
    for m in (None, mask):
        found = fast(
            torch.tensor(v), torch.tensor(labels), mask=None if m is None else torch.tensor(m)
        )
        assert float(found) == pytest.approx(slow(v, np.array(labels), m), abs=1e-12)


def test_affinity_loss_by_hand():
    # Two items of one class at right angles: the two mixed pairs miss by 1, of four pairs.
    v = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert float(affinity_loss(v, torch.tensor([5, 5]))) == pytest.approx(0.5)
    # The same two items as two classes: nothing is missed.
    assert float(affinity_loss(v, torch.tensor([5, 8]))) == 0.0


@pytest.mark.parametrize("pair", ALL_LOSSES, ids=["affinity", "contrastive", "prototype"])
def test_batch_is_the_mean_over_sets_and_labels_are_only_names(pair):
    fast, _ = pair
    v = torch.tensor(unit_rows(3, 2, 6, 4))
    labels = torch.tensor([[0, 0, 1, 1, 2, 2], [5, 5, 5, 9, 9, 9]])
    together = fast(v, labels)
    apart = (fast(v[0], labels[0]) + fast(v[1], labels[1])) / 2
    renamed = fast(v, labels * -17 + 3)
    assert float(together) == pytest.approx(float(apart), abs=1e-12)
    assert float(together) == pytest.approx(float(renamed), abs=1e-12)


@pytest.mark.parametrize("pair", ALL_LOSSES, ids=["affinity", "contrastive", "prototype"])
def test_gradients_equal_finite_differences(pair):
    fast, _ = pair
    v = torch.tensor(unit_rows(4, 2, 5, 3), requires_grad=True)
    labels = torch.tensor([[0, 0, 3, 3, 3], [1, 2, 1, 2, 8]])
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x: fast(x, labels, mask=mask), (v,))


@pytest.mark.parametrize("pair", ALL_LOSSES, ids=["affinity", "contrastive", "prototype"])
def test_nothing_to_learn_from_gives_zero_and_a_finite_gradient(pair):
    fast, _ = pair
    v = torch.tensor(unit_rows(5, 4, 3), dtype=torch.float32, requires_grad=True)
    loss = fast(v, torch.tensor([0, 0, 1, 1]), mask=torch.zeros(4, dtype=torch.bool))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.isfinite(v.grad).all()
