"""What tests of perturbing methods share: networks, a context with land, and a slow loop."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.network import trace
from climxai.attribution.objectives.objective import Grid
from tests.attribution.rows import MemoryRows
from tests.attribution.small import seeded

SHAPE = (2, 6, 8)
LAT = np.linspace(-50, 50, 6)
LON = np.arange(0, 360, 45.0)
REGIONAL = np.arange(100, 180, 10.0)


def dense(outputs=3):
    """A network whose linear beginning is narrow: the quick way."""
    return seeded(
        nn.Sequential(nn.Flatten(), nn.Linear(96, 5), nn.Tanh(), nn.Linear(5, outputs)), seed=1
    )


def convolutional(outputs=3):
    """A network whose linear beginning is wide: whole maps are evaluated."""
    return seeded(
        nn.Sequential(
            nn.Conv2d(2, 12, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(12, 4, 3, padding=1),
            nn.Tanh(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(48, outputs),
        ),
        seed=2,
    )


def linear():
    return seeded(nn.Sequential(nn.Flatten(), nn.Linear(96, 2)), seed=3)


def plain(network):
    """The network without what makes it quick, so that whole maps are evaluated."""
    network.cache["front"] = network.cache["influence"] = None
    return network


def traced(module):
    return trace(module, SHAPE, torch.float64)


def land():
    """Valid cells: a block of land in both channels, and one more cell in the second."""
    valid = torch.ones(SHAPE, dtype=torch.bool)
    valid[:, :2, :3] = False
    valid[1, 4, 5] = False
    return valid


def world(count=4, *, valid=None, lon=LON, grid=True, rows=12, memory=256_000_000):
    """Inputs, weights of the outputs for three of them, and a context with training rows."""
    draws = torch.Generator().manual_seed(5)
    valid = land() if valid is None else valid
    x = torch.randn((count, *SHAPE), generator=draws, dtype=torch.float64) * valid
    training = torch.randn((rows, *SHAPE), generator=draws, dtype=torch.float64) * valid + 0.5
    context = Context(
        valid=valid,
        training=MemoryRows(training * valid) if rows else None,
        grid=Grid(LAT, lon) if grid else None,
        rows=torch.arange(100, 100 + count),
        memory=memory,
    )
    return x, context


def first_output(network, x):
    start = torch.zeros_like(network(x))
    start[:, 0] = 1.0
    start[:, 1] = -0.5
    return start


def scalar(module, x, start):
    with torch.no_grad():
        return (module(x) * start).sum(1)


def groups_of(cover):
    """Group -> flat cells."""
    return [cover.cell[cover.group == number] for number in range(len(cover))]


def loop_falls(module, x, start, cover, fill):
    """Falls [sample, group] one evaluation at a time: the slow oracle."""
    falls = torch.zeros((len(x), len(cover)), dtype=x.dtype)
    before = scalar(module, x, start)
    for number, cells in enumerate(groups_of(cover)):
        changed = x.clone()
        changed.view(len(x), -1)[:, cells] = fill.expand_as(x).reshape(len(x), -1)[:, cells]
        falls[:, number] = before - scalar(module, changed, start)
    return falls
