"""What cannot matter gets exactly zero, not rounding: in single precision, as users compute."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.groups.grouping import Boxes
from climxai.attribution.importance import importance
from climxai.attribution.methods.ablation import Ablation
from climxai.attribution.methods.occlusion import Occlusion
from climxai.attribution.methods.permutation import PermutationImportance
from climxai.attribution.methods.shapley import Shapley
from climxai.attribution.network import trace
from climxai.attribution.objectives.objective import Grid
from tests.attribution.perturbing import LAT, LON
from tests.attribution.rows import MemoryRows

SHAPE, COUNT = (3, 6, 8), 37
BOXES = Boxes(lat=60, lon=120)

NETWORKS = {
    "narrow": lambda: nn.Sequential(
        *(nn.Flatten(), nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)),
    ),
    "wide": lambda: nn.Sequential(
        *(nn.Flatten(), nn.Linear(144, 1100), nn.ReLU(), nn.Linear(1100, 9), nn.ReLU()),
        nn.Linear(9, 3),
    ),
    "convolutional": lambda: nn.Sequential(
        *(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(24, 3)),
    ),
}

METHODS = {
    "occlusion": Occlusion(patch=3, stride=2),
    "occlusion climatology": Occlusion(patch=3, stride=2, fill="climatology"),
    "occlusion local mean": Occlusion(patch=3, stride=2, fill="local_mean"),
    "ablation": Ablation(groups=BOXES, fill="climatology"),
    "permutation": PermutationImportance(groups=BOXES, repeats=3),
    "permutation forward": PermutationImportance(groups=BOXES, direction="forward"),
    "permutation multi": PermutationImportance(groups="channels", passes="multi"),
    "permutation multi forward": PermutationImportance(
        groups="channels", passes="multi", direction="forward"
    ),
    "shapley": Shapley(groups="channels"),
    "shapley orders": Shapley(groups=BOXES, fill="climatology", permutations=4),
}


def world():
    """Samples whose last channel is the same everywhere and always."""
    torch.manual_seed(0)
    x, training = torch.randn(COUNT, *SHAPE), torch.randn(20, *SHAPE)
    x[:, 2], training[:, 2] = 0, 0
    valid = torch.ones(SHAPE, dtype=torch.bool)
    context = Context(
        valid, training=MemoryRows(training), grid=Grid(LAT, LON), rows=torch.arange(COUNT)
    )
    return x, torch.tensor([[1.0, -1.0, 0.5]]).repeat(COUNT, 1), context


def network_of(kind, dead=None):
    torch.manual_seed(1)
    module = NETWORKS[kind]().eval()
    layers = [each for each in module.modules() if isinstance(each, nn.Linear | nn.Conv2d)]
    if dead is not None:
        layers[dead].bias.data.fill_(-1e3)
    return trace(module, SHAPE)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", METHODS)
def test_a_channel_that_no_fill_changes_gets_exactly_zero(kind, name):
    x, start, context = world()
    network = network_of(kind)
    for memory in (256_000_000, 40_000):
        within = replace(context, memory=memory)
        values = METHODS[name].attribute(network, x, start, within).values
        assert (values[:, 2] == 0).all()
        assert values[:, 0].any()
        assert values[:, 1].any()


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("dead", [0, 1])
def test_behind_rectifiers_that_are_all_off_nothing_matters(kind, name, dead):
    x, start, context = world()
    values = METHODS[name].attribute(network_of(kind, dead), x, start, context).values
    assert (values == 0).all()


@pytest.mark.parametrize("fill", ["zero", "climatology", "local_mean"])
def test_groups_that_a_fill_leaves_as_they_are_alone_are_zero(fill):
    # Sample after sample: what one sample's fill changes says nothing of another's.
    x, start, context = world()
    method = Ablation(groups=BOXES, fill=fill)
    number = method.groups.cover(context.valid.numpy(), LAT, LON).number.reshape(SHAPE)
    box = torch.from_numpy(number == number[0, 2, 1])
    assert box.sum() > 4
    level = {"zero": 0.0, "climatology": context.training.mean()[box], "local_mean": 0.7}[fill]
    x[::2, box] = level
    values = method.attribute(network_of("narrow"), x, start, context).values
    assert (values[::2, box] == 0).all()
    assert (values[1::2, box] != 0).any()


@pytest.mark.parametrize("passes", ["single", "multi"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_skill_does_not_change_with_what_permutation_leaves_as_it_is(kind, passes, direction):
    x, _, context = world()
    method = PermutationImportance(groups="channels", passes=passes, direction=direction, repeats=3)
    found = importance(method, network_of(kind), x, torch.arange(COUNT) % 3, context)
    assert (found.changes[:, :, 2] == 0).all()
    assert (found.changes[0, :, :2] != 0).all()
