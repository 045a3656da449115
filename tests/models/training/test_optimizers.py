"""Optimizers against the published update rules, written out for single weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climxai.models.training.optimizers import Adam, AdamW, Optimizer, Sgd


def _path(optimizer: Optimizer, gradients: np.ndarray) -> np.ndarray:
    """The weight of a 1-to-1 dense layer that starts at 1 under given gradients; bias alike."""
    network = nn.Linear(1, 1).double()
    with torch.no_grad():
        network.weight.fill_(1.0)
        network.bias.fill_(1.0)
    steps = optimizer.build(network)
    path = []
    for gradient in gradients:
        network.weight.grad = torch.full((1, 1), float(gradient), dtype=torch.float64)
        network.bias.grad = torch.full((1,), float(gradient), dtype=torch.float64)
        steps.step()
        path.append([network.weight.item(), network.bias.item()])
    return np.array(path)


GRADIENTS = np.array([1.0, -0.5, 2.0, 0.3, -4.0])


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_is_keras_sgd(nesterov: bool) -> None:
    # Keras' documented rule: velocity = momentum * velocity - learning_rate * g, then
    # w += velocity, or with Nesterov w += momentum * velocity - learning_rate * g.
    w, velocity, expected = 1.0, 0.0, []
    for g in GRADIENTS:
        velocity = 0.9 * velocity - 0.01 * g
        w += 0.9 * velocity - 0.01 * g if nesterov else velocity
        expected.append(w)
    found = _path(Sgd(learning_rate=0.01, momentum=0.9, nesterov=nesterov), GRADIENTS)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_adam_and_adamw_are_as_published(decay: float) -> None:
    # Kingma & Ba, algorithm 1; Loshchilov & Hutter, algorithm 2: w shrinks by 1 - lr * decay.
    w, b, m, v, expected = 1.0, 1.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g**2
        step = 0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8)
        w, b = w * (1 - 0.01 * decay) - step, b - step
        expected.append([w, b])
    fields = {"learning_rate": 0.01, "beta1": 0.8, "beta2": 0.95}
    optimizer = AdamW(weight_decay=decay, **fields) if decay else Adam(**fields)
    np.testing.assert_allclose(_path(optimizer, GRADIENTS), expected, rtol=1e-9)


def test_frozen_parameters_are_left_out() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[0].requires_grad_(False)
    for optimizer in (Sgd(), Adam(), AdamW()):
        held = [p for group in optimizer.build(network).param_groups for p in group["params"]]
        assert {id(p) for p in held} == {id(p) for p in network[1].parameters()}
