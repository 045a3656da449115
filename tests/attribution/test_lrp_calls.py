"""Ways to write a network that the graph shows in its own manner, against maps by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.context import Context
from climxai.attribution.methods.gradients import InputTimesGradient
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.small import SHAPE, explain, samples, seeded


class Written(nn.Module):
    """A function of the input, with a convolution, a map and a dense layer at hand."""

    def __init__(self, run, cells=96):
        super().__init__()
        self.run = run
        self.conv = nn.Conv2d(2, 2, 3, padding=1)
        self.map = nn.Parameter(torch.zeros(1, 2, 6, 8))
        self.head = nn.Linear(cells, 2)

    def forward(self, x):
        return self.run(self, x)


def flat(module, x):
    return module.head(x.flatten(1))


def _assigned(m, x):
    y = m.conv(x).clone()
    y[:, :, 0] = 0
    y[:, :, 1:3] = x[:, :, 1:3]
    return flat(m, y)


def _masked(m, x):
    return flat(m, x.masked_fill(torch.eye(6, 8).bool(), 0.0))


CALLS = {
    "one less it": Written(lambda m, x: flat(m, 1 - x)),
    "twice a map less it": Written(lambda m, x: flat(m, torch.rsub(x, m.map, alpha=2))),
    "plus a map for every sample": Written(
        lambda m, x: flat(m, x + m.map.expand(x.shape[0], -1, -1, -1))
    ),
    "times a map for every sample": Written(
        lambda m, x: flat(m, x * (m.map + 1).expand(x.shape[0], -1, -1, -1))
    ),
    "sums over maps": Written(lambda m, x: m.head(x.sum((2, 3))), cells=2),
    "a kept sum": Written(lambda m, x: m.head(x.flatten(1).sum(1, keepdim=True)), cells=1),
    "zeros beside it": Written(
        lambda m, x: flat(m, torch.cat([x, torch.zeros_like(x)], 1)), cells=192
    ),
    "new zeros beside it": Written(
        lambda m, x: flat(m, torch.cat([x, x.new_zeros(x.shape[0], 1, 6, 8)], 1)), cells=144
    ),
    "made zeros beside it": Written(
        lambda m, x: flat(m, torch.cat([x, torch.zeros(x.shape[0], 1, 6, 8, dtype=x.dtype)], 1)),
        cells=144,
    ),
    "a map beside it": Written(
        lambda m, x: flat(m, torch.cat([x, m.map.expand(x.shape[0], -1, -1, -1)], 1)), cells=192
    ),
    "tiles": Written(lambda m, x: flat(m, x.tile(1, 2, 1, 1)), cells=192),
    "the same type": Written(lambda m, x: flat(m, x.to(torch.float64))),
    "another type and back": Written(lambda m, x: flat(m, x.float().double())),
    "assigned slices": Written(_assigned),
    "a mask": Written(_masked),
    "bicubic": Written(
        lambda m, x: flat(m, functional.interpolate(x, size=(9, 5), mode="bicubic")), cells=90
    ),
    "bicubic corners": Written(
        lambda m, x: flat(
            m, functional.interpolate(x, scale_factor=2, mode="bicubic", align_corners=True)
        ),
        cells=384,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_lrp_zero_of_a_linear_network_is_input_times_gradient(name):
    """The identity of LRP-0 on affine maps, biases and constants absorbed; autograd's gradient."""
    module = seeded(CALLS[name])
    network = trace(module, SHAPE, torch.float64)
    x = samples().float().double()  # what float32 holds exactly
    start = torch.zeros(4, 2).double()
    start[:, 1] = 1
    context = Context(torch.ones(SHAPE).bool())
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((module(leaf) * start).sum(), leaf)
    expected = x * gradient
    for rule in ("zero", {"name": "map", "default": "zero", "kinds": {"sum": "zero"}}):
        found = LayerwiseRelevance(rule=rule).attribute(network, x, start, context).values
        torch.testing.assert_close(found, expected, atol=1e-7, rtol=1e-7)


def test_input_times_gradient_of_a_sum():
    module = seeded(CALLS["sums over maps"])
    network, x = trace(module, SHAPE, torch.float64), samples()
    context, start = Context(torch.ones(SHAPE).bool()), torch.ones(4, 2).double()
    found = InputTimesGradient().attribute(network, x, start, context).values
    torch.testing.assert_close(found, x * module.head.weight.detach().sum(0)[:, None, None])


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("rule", ["alpha2beta1", "flat"])
def test_every_rule_crosses_them(name, rule):
    found = explain(seeded(CALLS[name]), rule).values
    assert torch.isfinite(found).all()
    assert found.abs().amax() > 0


def test_bicubic_interpolation_under_alpha_beta():
    """Against the interpolation's matrix, written out by unit vectors."""
    module = seeded(Written(lambda m, x: functional.interpolate(x, size=(9, 5), mode="bicubic")))
    x = samples()
    start = torch.ones(4, 2, 9, 5).double()
    chosen = {"name": "map", "default": "zero", "kinds": {"interpolation": "alpha2beta1"}}
    found = explain(module, chosen, x, start=start).values
    unit = torch.eye(96).double().reshape(96, *SHAPE)
    matrix = functional.interpolate(unit, size=(9, 5), mode="bicubic").flatten(1)  # [in, out]
    assert matrix.min() < -0.05
    parts = x.flatten(1)[:, :, None] * matrix
    z = parts.sum(1, keepdim=True)
    up, down = parts.clamp(min=0), parts.clamp(max=0)
    above, below = up.sum(1, keepdim=True), down.sum(1, keepdim=True)
    shares = 2 * (up / above).nan_to_num(0.0) - (down / below).nan_to_num(0.0)
    torch.testing.assert_close(found.flatten(1), (shares * z).sum(2), atol=1e-9, rtol=1e-9)


OVER_SAMPLES = {
    "flip": lambda m, x: flat(m, x.flip(0)),
    "roll": lambda m, x: flat(m, x.roll(1, 0)),
    "roll of everything": lambda m, x: flat(m, x.roll(3)),
    "first only": lambda m, x: flat(m, x + x[:1]),
    "index": lambda m, x: flat(m, x + torch.index_select(x, 0, torch.tensor([0]))),
}


@pytest.mark.parametrize("name", OVER_SAMPLES)
def test_networks_that_mix_samples_are_refused(name):
    network = trace(seeded(Written(OVER_SAMPLES[name])), SHAPE, torch.float64)
    with pytest.raises(ModelError, match="sample"):
        LayerwiseRelevance(rule="zero").check(network, Context(torch.ones(SHAPE).bool()))


def test_what_depends_on_a_samples_place_is_refused():
    run = lambda m, x: flat(m, x + torch.arange(x.shape[0]).double()[:, None, None, None])  # noqa: E731
    network = trace(seeded(Written(run)), SHAPE, torch.float64)
    with pytest.raises(ModelError, match="place among the others"):
        LayerwiseRelevance(rule="zero").check(network, Context(torch.ones(SHAPE).bool()))


def test_an_unknown_operator_is_located_in_the_source():
    def run(m, x):
        return flat(m, torch.cumsum(x, 1))

    line = Written.forward.__code__.co_firstlineno + 1
    network = trace(seeded(Written(run)), SHAPE, torch.float64)
    where = rf"aten.cumsum.*test_lrp_calls\.py:{line}.*or use a method that needs gradients only"
    with pytest.raises(ModelError, match=where):
        LayerwiseRelevance(rule="zero").check(network, Context(torch.ones(SHAPE).bool()))
