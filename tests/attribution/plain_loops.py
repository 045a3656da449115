"""Small networks that begin in every way, and gradients by the plain loop over their modules."""

from __future__ import annotations

import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.network import trace
from tests.attribution.small import SHAPE, samples, seeded

VALID = torch.ones(SHAPE, dtype=torch.bool)
VALID[:, 2:4, 5] = False
VALID[1, 0, 0] = False


class Plain(nn.Module):
    """A network without a linear beginning: its first operator is a tanh."""

    def __init__(self):
        super().__init__()
        self.dense1 = nn.Linear(96, 6)
        self.dense2 = nn.Linear(6, 3)

    def forward(self, x):
        return self.dense2(torch.relu(self.dense1(torch.tanh(x).flatten(1))))


def narrow():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(96, 7), nn.ReLU(), nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3)
    )


def wide():
    return nn.Sequential(
        nn.Conv2d(2, 40, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(40, 4, 3),
        nn.Softplus(),
        nn.Flatten(),
        nn.Linear(8, 3),
    )


BEGINNINGS = {"narrow": narrow, "wide": wide, "none": Plain}


def built(kind):
    """Return a seeded module in float64 and its traced network."""
    module = seeded(BEGINNINGS[kind]())
    return module, trace(module, SHAPE, torch.float64)


def inputs(count=4):
    """Return samples with land, each of its own size and offset."""
    x = samples(count=count) * torch.arange(1, count + 1).double().reshape(-1, 1, 1, 1)
    return (x + 0.3) * VALID


def starts(count=4):
    """Return weights that differ from sample to sample."""
    return torch.linspace(-1, 1, count * 3).double().reshape(count, 3)


def plain_gradient(module, x, start):
    """Return the gradient of the weighted outputs by autograd through the module."""
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((module(leaf) * start).sum(), leaf)
    return gradient


def context(**given):
    return Context(VALID, **given)


def assert_same_in_any_batch(method, network, training=None, count=5):
    """A map depends neither on the batch nor on the memory, only on its sample."""
    x, start, rows = inputs(count), starts(count), torch.arange(40, 40 + count)
    whole = method.attribute(network, x, start, context(rows=rows, training=training))
    little = context(rows=rows, training=training, memory=1)
    in_little = method.attribute(network, x, start, little)
    torch.testing.assert_close(in_little.values, whole.values, rtol=1e-10, atol=1e-12)
    for first, last in ((0, 2), (2, 5)):
        part = slice(first, last)
        some = method.attribute(
            network, x[part], start[part], context(rows=rows[part], training=training)
        )
        torch.testing.assert_close(some.values, whole.values[part], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(some.output, whole.output[part], rtol=1e-10, atol=1e-12)
