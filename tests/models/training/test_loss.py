"""The loss: gradients of the penalties in closed form, class weights against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from climxai.core.errors import ModelError
from climxai.models.architectures import Mlp
from climxai.models.network import build_network, weighted_layers
from climxai.models.training.loss import Penalty, class_weights, cross_entropy


def test_gradient_of_the_penalty_in_closed_form() -> None:
    # d/dw (l1 |w| + l2 w²) = l1 sign(w) + 2 l2 w, per layer; biases have no gradient.
    network = build_network(Mlp(hidden=(5, 4)), (1, 2, 3), 2, seed=0).double()
    factors = ((0.3, 25.0), (0.0, 0.01), (0.2, 0.0))
    penalty = Penalty(network, factors)
    value = penalty()
    value.backward()
    total = 0.0
    for (_, weight), (l1, l2) in zip(weighted_layers(network), factors, strict=True):
        w = weight.detach().numpy()
        np.testing.assert_allclose(weight.grad.numpy(), l1 * np.sign(w) + 2 * l2 * w, atol=1e-13)
        total += l1 * np.abs(w).sum() + l2 * (w**2).sum()
    assert float(value.detach()) == pytest.approx(total)
    assert all(p.grad is None for name, p in network.named_parameters() if "bias" in name)


def test_no_penalty_is_false() -> None:
    network = build_network(Mlp(), (1, 2, 3), 2, seed=0)
    assert not Penalty(network, ((0.0, 0.0),) * 3)
    assert Penalty(network, ((0.0, 0.0), (0.0, 0.0), (0.1, 0.0)))


def test_balanced_weights_equal_scikit_learn() -> None:
    targets = np.array([0, 0, 0, 1, 2, 2, 0])
    found = class_weights("balanced", torch.tensor(targets), 3)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets)
    np.testing.assert_allclose(found.numpy(), expected)


def test_balanced_weights_need_every_class() -> None:
    with pytest.raises(ModelError, match="class number 1 has no training sample"):
        class_weights("balanced", torch.tensor([0, 2]), 3)


def test_weighted_cross_entropy_is_averaged_over_samples() -> None:
    random = np.random.default_rng(3)
    z, y, w = random.normal(size=(9, 3)), random.integers(0, 3, 9), np.array([0.5, 1.0, 4.0])
    losses = np.log(np.exp(z).sum(1)) - z[np.arange(9), y]
    logits, targets = torch.tensor(z), torch.tensor(y)
    weighted = cross_entropy(logits, targets, class_weights((0.5, 1.0, 4.0), targets, 3))
    assert float(weighted) == pytest.approx((w[y] * losses).mean())
    assert float(cross_entropy(logits, targets, None)) == pytest.approx(losses.mean())
