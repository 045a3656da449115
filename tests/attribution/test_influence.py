"""Windows of influence: what is recomputed there agrees with whole maps, for many networks."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.groups.grouping import Boxes
from climxai.attribution.influence import influence_of
from climxai.attribution.methods.ablation import Ablation
from climxai.attribution.methods.occlusion import Occlusion
from climxai.attribution.methods.permutation import PermutationImportance
from climxai.attribution.network import trace
from climxai.attribution.objectives.objective import Grid
from climxai.models.architectures import Cnn
from tests.attribution.perturbing import plain
from tests.attribution.rows import MemoryRows
from tests.attribution.small import seeded

SHAPE = (2, 19, 32)


def grid(around=True):
    import numpy as np

    step = 11.25 if around else 3.0
    return Grid(np.linspace(-81, 81, 19), np.arange(32) * step)


def world(around=True, shape=SHAPE):
    draws = torch.Generator().manual_seed(4)
    valid = torch.rand(shape, generator=draws) > 0.2
    x = torch.randn((3, *shape), generator=draws, dtype=torch.float64) * valid
    training = torch.randn((6, *shape), generator=draws, dtype=torch.float64) * valid
    return x, Context(valid, training=MemoryRows(training), grid=grid(around))


def built(**settings):
    network = Cnn(**{"channels": (4, 3), **settings}).build(SHAPE, 2)
    return trace(randomised(network), SHAPE, torch.float64)


def randomised(module):
    """Random weights, and running statistics other than those of an untrained batch norm."""
    module = seeded(module)
    draws = torch.Generator().manual_seed(8)
    for each in module.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.running_mean.copy_(torch.randn(each.num_features, generator=draws))
            each.running_var.copy_(torch.rand(each.num_features, generator=draws) + 0.5)
    return module


def agree(network, method, x, context):
    start = torch.zeros(len(x), 2, dtype=x.dtype)
    start[:, 0], start[:, 1] = 1.0, -0.5
    # On this small grid some first layers are narrow: then z would move, and no window be seen.
    network.cache["front"] = None
    quick = method.attribute(network, x, start, context).values
    slow = method.attribute(plain(again(network)), x, start, context).values
    torch.testing.assert_close(quick, slow, rtol=1e-9, atol=1e-12)
    assert slow.abs().max() > 1e-4


def again(network):
    from dataclasses import replace

    return replace(network, cache={})


SETTINGS = [
    {"longitude": longitude, "pooling": pooling, "latitude": ("zero", "replicate")[number % 2]}
    for number, (pooling, longitude) in enumerate(
        itertools.product(("average", "max", "stride", "none"), ("circular", "zero", "replicate"))
    )
] + [
    {"residual": True, "batch_norm": True, "convolutions": 2},
    {"residual": True, "pooling": "stride", "longitude": "replicate"},
    {"head": "average", "hidden": (3,), "activation": "elu", "dropout": 0.2},
    {"kernel": 5, "factor": 4, "channels": (3,)},
    {"kernel": 1, "pooling": "none"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_our_convolutional_networks(settings):
    network = built(**settings)
    assert influence_of(network) is not None
    x, context = world()
    # Strides that meet the pooling in every phase, and patches across the seam.
    agree(network, Occlusion(patch=(5, 6), stride=3, fill="climatology"), x, context)
    # Some were computed in windows; a window larger than half a map is left to whole maps.
    assert network.cache["plan"][1].alike


FOREIGN = {
    "ceil": [nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)],
    "padded maximum": [nn.Conv2d(2, 4, 3), nn.Tanh(), nn.MaxPool2d(3, 2, padding=1)],
    "overlapping means": [nn.Conv2d(2, 4, 3, padding=1), nn.AvgPool2d(3, 2)],
    "dilated": [nn.Conv2d(2, 4, 3, dilation=2, padding=2), nn.GELU(), nn.Conv2d(4, 2, 3)],
    "gaps": [nn.Conv2d(2, 4, 2, stride=3), nn.SiLU()],
    "groups": [nn.Conv2d(2, 4, (3, 5), padding=(1, 2), groups=2, bias=False), nn.LeakyReLU()],
    "oblong": [nn.Conv2d(2, 3, (5, 3), stride=(2, 1), padding=(0, 1)), nn.ReLU(),
               nn.AvgPool2d((2, 4))],
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("around", [True, False])
def test_networks_of_other_making(name, around):
    body = nn.Sequential(*copy.deepcopy(FOREIGN[name]))
    size = body(torch.zeros(1, *SHAPE)).numel()
    module = seeded(nn.Sequential(body, nn.Flatten(), nn.Linear(size, 4), nn.Tanh(),
                                  nn.Linear(4, 2)))  # fmt: skip
    network = trace(module, SHAPE, torch.float64)
    assert influence_of(network) is not None
    x, context = world(around)
    agree(network, Occlusion(patch=(5, 6), stride=(3, 4)), x, context)
    agree(network, Occlusion(patch=1, stride=1, channels="together"), x, context)


@pytest.mark.parametrize(
    "method",
    [
        Occlusion(patch=(5, 6), stride=3, fill="local_mean"),
        Occlusion(patch=(5, 6), stride=3, channels="together", fill={"name": "sample", "count": 2}),
        Ablation(groups=Boxes(lat=40, lon=50)),
        Ablation(groups="cells", fill="climatology"),
        Ablation(groups="channels"),
        PermutationImportance(groups=Boxes(lat=40, lon=50), repeats=2),
        PermutationImportance(groups=Boxes(lat=40, lon=50), repeats=2, direction="forward"),
    ],
    ids=lambda method: method.canonical()[:60],
)
@pytest.mark.parametrize("longitude", ["circular", "zero"])
def test_every_method_that_replaces_groups_one_by_one(method, longitude):
    x, context = world()
    agree(built(longitude=longitude, batch_norm=True), method, x, context)


def test_networks_that_do_not_begin_locally_are_left_to_whole_maps():
    class Doubled(nn.Module):
        """A map that is used again behind the pooling: nothing is a bottleneck."""

        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(2, 2, 3, padding=1), nn.Linear(2 * 19 * 32, 2)

        def forward(self, x):
            return self.head((torch.relu(self.conv(x)).sort(dim=3).values + x).flatten(1))

    network = trace(seeded(Doubled()), SHAPE, torch.float64)
    assert influence_of(network) is None
    x, context = world()
    agree(network, Occlusion(patch=(5, 6), stride=3), x, context)


def test_memory_and_batch_change_nothing():
    from dataclasses import replace

    network = built(pooling="max")
    x, context = world()
    start = torch.ones(len(x), 2, dtype=x.dtype)
    method = Occlusion(patch=5, stride=3)
    whole = method.attribute(network, x, start, context).values
    tight = method.attribute(network, x, start, replace(context, memory=100_000)).values
    torch.testing.assert_close(tight, whole, rtol=1e-9, atol=1e-12)
    one = method.attribute(network, x[1:2], start[1:2], context).values
    torch.testing.assert_close(one, whole[1:2], rtol=1e-9, atol=1e-12)
