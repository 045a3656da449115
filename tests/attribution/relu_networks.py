"""ReLU networks written with modules and with functions, and one call that explains them."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.context import Context
from climxai.attribution.network import trace
from tests.attribution.small import SHAPE, samples

VALID = torch.ones(SHAPE, dtype=torch.bool)


class Convolutional(nn.Module):
    """Two convolutions, max and average pooling, two dense layers; a module per operator."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(4, 5, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.AvgPool2d(2)
        self.dense1 = nn.Linear(10, 6)
        self.relu3 = nn.ReLU()
        self.dense2 = nn.Linear(6, 3)

    def forward(self, x):
        h = self.pool1(self.relu1(self.conv1(x)))
        h = self.pool2(self.relu2(self.conv2(h)))
        return self.dense2(self.relu3(self.dense1(h.flatten(1))))


class Functional(Convolutional):
    """The same function without modules for what has no weights; ReLU written in three ways."""

    def forward(self, x):
        h = functional.max_pool2d(functional.relu_(self.conv1(x)), 2)
        h = functional.avg_pool2d(self.conv2(h).clamp_min(0), 2)
        return self.dense2(self.dense1(h.reshape(h.shape[0], -1)).clamp(min=0))


class Residual(nn.Module):
    """A residual sum, batch norm and a concatenation."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular")
        self.relu2 = nn.ReLU()
        self.relu3 = nn.ReLU()
        self.head = nn.Linear(6 * 6 * 8, 3)
        self.norm.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
        self.norm.running_var.copy_(torch.tensor([0.5, 1.5, 2.0, 0.7]))

    def forward(self, x):
        h = self.relu1(self.norm(self.conv1(x)))
        h = self.relu2(self.conv2(h)) - 0.5 * h
        return self.head(torch.cat([self.relu3(h), x], 1).flatten(1))


class Dense(nn.Module):
    def __init__(self, activation=nn.ReLU):
        super().__init__()
        self.flat = nn.Flatten()
        self.dense1 = nn.Linear(96, 7)
        self.relu1 = activation()
        self.dense2 = nn.Linear(7, 5)
        self.relu2 = activation()
        self.dense3 = nn.Linear(5, 3)

    def forward(self, x):
        return self.dense3(self.relu2(self.dense2(self.relu1(self.dense1(self.flat(x))))))


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(96, 4), nn.Linear(4, 3))


_TRACED = WeakKeyDictionary()


def traced(module):
    """Return the module's network in float64, traced anew only when its weights have changed."""
    values = tuple(value.sum().item() for value in module.state_dict().values())
    if _TRACED.get(module, (None,))[0] != values:
        _TRACED[module] = values, trace(module, SHAPE, torch.float64)
    return _TRACED[module][1]


def attribute(method, module, x=None, context=None, output=1):
    """Return what a method gives for one output of a module, in float64."""
    x = samples() if x is None else x
    start = torch.zeros(len(x), 3, dtype=torch.float64)
    start[:, output] = 1
    return method.attribute(traced(module), x, start, context or Context(VALID))
