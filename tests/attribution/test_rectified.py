"""Deconvolution and guided back-propagation: captum, a walk by hand, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.gradients import Saliency
from climxai.attribution.methods.rectified import Deconvolution, GuidedBackprop
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.relu_networks import (
    VALID,
    Convolutional,
    Dense,
    Functional,
    Residual,
    attribute,
    linear,
)
from tests.attribution.small import SHAPE, samples, seeded

METHODS = [Deconvolution(), GuidedBackprop()]
same = torch.testing.assert_close


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
@pytest.mark.parametrize("kind", [Dense, Convolutional, Residual])
@pytest.mark.filterwarnings("ignore")
def test_same_as_captum(method, kind):
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    module = seeded(kind())
    theirs = attr.Deconvolution if method.name == "deconvolution" else attr.GuidedBackprop
    expected = theirs(module).attribute(samples(), target=1)
    same(attribute(method, seeded(kind())).values, expected)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_the_way_a_network_is_written_does_not_matter(method):
    """The same function, once with modules and once with functions and clamps."""
    modules = attribute(method, seeded(Convolutional()))
    functions = attribute(method, seeded(Functional()))
    same(modules.values, functions.values)
    same(modules.output, functions.output)


def test_a_dense_network_by_hand():
    """The two rules written out as products of matrices."""
    module, x = seeded(Dense()), samples()
    first, second, third = (layer.weight for layer in (module.dense1, module.dense2, module.dense3))
    z1 = module.dense1(x.flatten(1))
    z2 = module.dense2(z1.clamp(min=0))
    into2 = third[1].expand(len(x), -1).clamp(min=0)
    into1 = (into2 @ second).clamp(min=0)
    same(attribute(Deconvolution(), module).values, (into1 @ first).reshape(x.shape))
    into2 = into2 * (z2 > 0)
    into1 = (into2 @ second).clamp(min=0) * (z1 > 0)
    found = attribute(GuidedBackprop(), module)
    same(found.values, (into1 @ first).reshape(x.shape))
    same(found.output, module(x)[:, 1])


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_nothing_to_rectify_leaves_the_gradient(method):
    """With weights and biases that are never negative both rules are the gradient itself."""
    module = seeded(Dense())
    for parameter in module.parameters():
        parameter.data.abs_()
    x = samples().abs()
    expected = attribute(Saliency(absolute=False), module, x)
    same(attribute(method, module, x).values, expected.values)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_a_sample_does_not_depend_on_its_batch(method):
    module, x = seeded(Convolutional()), samples()
    alone = torch.cat([attribute(method, module, each[None]).values for each in x])
    same(attribute(method, module, x).values, alone)
    assert attribute(method, module, x[:0]).values.shape == (0, *SHAPE)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_inputs_weights_and_gradients_stay(method):
    module, x = seeded(Convolutional()), samples()
    before, kept = [p.clone() for p in module.parameters()], x.clone()
    attribute(method, module, x)
    assert torch.equal(x, kept)
    assert x.grad is None
    assert all(torch.equal(p, q) for p, q in zip(module.parameters(), before, strict=True))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_land_that_no_weight_sees_gets_nothing(method):
    module = seeded(Dense())
    land = torch.zeros(SHAPE, dtype=torch.bool)
    land[:, 2:4, 3:5] = True
    module.dense1.weight.data[:, land.flatten()] = 0
    values = attribute(method, module, samples() * ~land, Context(~land)).values
    assert values[:, land].abs().max() == 0
    assert values[:, ~land].abs().max() > 0


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(96, 3)

    def forward(self, x):
        h = self.dense(x.flatten(1))
        return torch.relu(h) * torch.sigmoid(h)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (linear(), "the network has none"),
        (Dense(nn.Tanh), "aten.tanh.default at 'relu1' (Tanh"),
        (Dense(nn.LeakyReLU), "aten.leaky_relu.default at 'relu1' (LeakyReLU"),
        (nn.Sequential(Dense(), nn.Hardshrink()), "aten.abs.default at '1' (Hardshrink"),
        (Gated(), "aten.sigmoid.default"),
    ],
)
@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_other_networks_are_refused(method, module, words):
    network = trace(module.double(), SHAPE, torch.float64)
    with pytest.raises(ModelError, match=r"deconvolution|guided back-propagation") as error:
        method.check(network, Context(VALID))
    assert words in str(error.value)
    assert "saliency" in str(error.value)


def test_a_product_of_values_is_refused():
    class Square(nn.Module):
        def forward(self, x):
            h = torch.relu(x)
            return (h * h).flatten(1)

    network = trace(Square(), SHAPE, torch.float64)
    with pytest.raises(ModelError, match=r"aten.mul.Tensor .*products of values"):
        GuidedBackprop().check(network, Context(VALID))
