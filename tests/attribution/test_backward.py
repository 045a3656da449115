"""What the methods of modified back-propagation share: the walk, its kinds, its surroundings."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from climxai.attribution.backward.operations import anatomy, require, run
from climxai.attribution.baselines.maps import Climatology
from climxai.attribution.context import Context
from climxai.attribution.methods.deeplift import DeepLift
from climxai.attribution.methods.grad_cam import GradCam, GradCamPlusPlus, GuidedGradCam
from climxai.attribution.methods.patterns import PatternAttribution, PatternNet
from climxai.attribution.methods.rectified import Deconvolution, GuidedBackprop
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.relu_networks import (
    VALID,
    Convolutional,
    Functional,
    Residual,
    attribute,
    traced,
)
from tests.attribution.rows import MemoryRows
from tests.attribution.small import SHAPE, samples, seeded

METHODS = [
    Deconvolution(),
    GuidedBackprop(),
    DeepLift(baseline=Climatology()),
    DeepLift(variant="reveal_cancel", baseline=Climatology()),
    GradCam(),
    GradCamPlusPlus(),
    GuidedGradCam(),
    PatternNet(),
    PatternAttribution(),
]
TRAINED = Context(VALID, training=MemoryRows(samples(count=30)))
same = torch.testing.assert_close


@pytest.mark.parametrize("kind", [Convolutional, Functional, Residual])
def test_the_walk_without_replacements_is_the_network(kind):
    module = seeded(kind())
    network = traced(module)
    same(run(network, samples(), {}), module(samples()).detach())


def test_relu_is_known_however_it_is_written():
    class Rectifiers(nn.Module):
        def forward(self, x):
            h = torch.relu(x).clamp(min=0).clamp_min(0)
            h = torch.maximum(h, torch.zeros(()).to(x)).clamp(0, None)
            return h.clamp(0, 1).clamp(min=0.1).flatten(1)

    kinds = [each.kind for each in anatomy(trace(Rectifiers(), SHAPE)).operations.values()]
    assert [kind for kind in kinds if kind != "linear"] == ["relu"] * 5 + ["activation"] * 2


@pytest.mark.parametrize(
    "function",
    [
        lambda h: h * h,
        lambda h: 1 / (h + 3),
        lambda h: h @ h.transpose(1, 2),
        lambda h: h - h.mean(0, keepdim=True),
        lambda h: torch.sort(h)[0],
    ],
    ids=["product", "reciprocal", "attention", "mean over samples", "sort"],
)
def test_what_is_not_linear_is_not_taken_for_it(function):
    class Odd(nn.Module):
        def forward(self, x):
            return function(x.flatten(2)).flatten(1)

    network = trace(Odd(), SHAPE)
    with pytest.raises(ModelError, match="the method does not know operator aten"):
        require(network, "the method", ("relu", "activation", "max"), "choose another")


def test_a_position_of_a_maximum_is_not_a_value():
    class Where(nn.Module):
        def forward(self, x):
            value, place = x.flatten(2).max(2)
            return value + place

    network = trace(Where(), SHAPE)
    with pytest.raises(ModelError, match="position of a maximum"):
        require(network, "the method", ("max",), "choose another")


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.canonical())
def test_inference_mode_changes_nothing(method):
    module = seeded(Convolutional())
    expected = attribute(method, module, context=TRAINED)
    again = seeded(Convolutional())
    traced(again)
    with torch.inference_mode():
        found = attribute(method, again, context=TRAINED)
    same(found.values, expected.values)
    assert not found.values.requires_grad
    assert not found.output.requires_grad


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.canonical())
def test_float32_gives_the_same_maps(method):
    module, x = seeded(Residual()), samples()
    expected = attribute(method, module, x, TRAINED).values
    network = trace(seeded(Residual()).float(), SHAPE)
    start = torch.tensor([0.0, 1.0, 0.0]).expand(len(x), 3)
    rows = MemoryRows(TRAINED.training.inputs.float())
    found = method.attribute(network, x.float(), start, Context(VALID, training=rows)).values
    same(found.double(), expected, atol=1e-5 * float(expected.abs().max()), rtol=1e-3)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.canonical())
def test_weights_of_another_network_are_refused(method):
    network = traced(seeded(Convolutional()))
    with pytest.raises(ModelError, match="the objective's weights have shape"):
        method.attribute(network, samples(), torch.ones(4, 2).double(), TRAINED)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.canonical())
def test_weights_inputs_and_gradients_stay(method):
    module, x = seeded(Convolutional()), samples()
    network = traced(module)
    held = [value.clone() for value in network.constants.values()]
    attribute(method, module, x, TRAINED)
    assert torch.equal(x, samples())
    assert x.grad is None
    assert all(torch.equal(a, b) for a, b in zip(network.constants.values(), held, strict=True))
