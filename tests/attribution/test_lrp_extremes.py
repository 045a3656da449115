"""Numbers at the ends of float32, and large biases, against the same walk in float64."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace

SHAPE = (1, 5, 10)
RULES = {
    "zero": "zero",
    "alpha1beta0": "alpha1beta0",
    "alpha2beta1": "alpha2beta1",
    "gamma": "gamma",
    "relative": {"name": "epsilon", "epsilon": 0.25, "relative": True},
    "w_square": "w_square",
    "composite": "composite",
    "z_box": {"name": "map", "default": "zero", "first": {"name": "z_box", "low": -4, "high": 4}},
}


def dense(scale=1.0):
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(50, 8, bias=False), nn.ReLU(), nn.Linear(8, 2, bias=False)
    )
    module[1].weight.data *= scale
    return module


def traced(module):
    """Return the network in float32 and in float64."""
    return [trace(copy.deepcopy(module), SHAPE, dtype) for dtype in (torch.float32, torch.float64)]


def both(networks, x, rule, convention="climxai"):
    """Return the method's maps in float32 and in float64, and its audit in float32."""
    method = LayerwiseRelevance(rule=rule, convention=convention)
    context = Context(torch.ones(SHAPE).bool())
    found = []
    for network in networks:
        start = torch.zeros(len(x), network.outputs, dtype=network.dtype)
        start[:, 0] = 1
        found.append(method.attribute(network, x.to(network.dtype), start, context))
    audit = method.audit(
        networks[0], x, torch.eye(networks[0].outputs)[:1].repeat(len(x), 1), context
    )
    return found[0], found[1], audit


def agree(rule, networks, x):
    found, exact, audit = both(networks, x, RULES[rule])
    assert exact.values.abs().amax() > 0
    scale = exact.values.abs().amax()
    torch.testing.assert_close(
        found.values.double() / scale, exact.values / scale, atol=1e-4, rtol=0
    )
    total = (exact.values / scale).flatten(1).sum(1)
    np.testing.assert_allclose(audit.total / float(scale), total.numpy(), atol=1e-3)


@pytest.mark.parametrize("scale", [1e18, 1e25, 1e-15, 1e-22])
def test_weights_of_any_size(scale):
    networks = traced(dense(scale))
    for rule in RULES:
        agree(rule, networks, torch.randn((3, *SHAPE)))


def test_inputs_of_any_size():
    networks = traced(dense())
    for scale in (1e-30, 1e-20, 1e20, 1e30):
        for rule in set(RULES) - {"z_box"}:
            agree(rule, networks, torch.randn((3, *SHAPE)) * scale)


def test_a_ratio_that_overflows_is_no_missing_contribution():
    """Closed form: one input of 1e-38 and relevance of 1e3 at one sum: all of it comes back."""
    module = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Sigmoid(), nn.Linear(1, 1, bias=False))
    module[0].weight.data.fill_(1.0)
    module[2].weight.data.fill_(2000.0)
    network = trace(module, (1,))
    x = torch.full((1, 1), 1e-38)
    found = LayerwiseRelevance(rule="zero").attribute(
        network, x, torch.ones(1, 1), Context(torch.ones(1).bool())
    )
    torch.testing.assert_close(found.values, torch.full((1, 1), 1000.0))


@pytest.mark.parametrize("bias", [1.0, 1e2, 1e4])
@pytest.mark.parametrize("rule", ["zero", "z_box"])
def test_a_large_bias_costs_no_digits(rule, bias):
    """Relevance without the bias is that of float64 to a few units of float32."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.Flatten(), nn.Linear(50, 1))
    module[1].weight.data.abs_()  # nothing cancels but the bias
    module[1].bias.data.fill_(bias)
    x = torch.rand((3, *SHAPE)) * 0.1
    found, exact, _ = both(traced(module), x, RULES[rule], {"bias": "ignored"})
    share = found.values.double() / found.output.double()[:, None, None, None]
    expected = exact.values / exact.output[:, None, None, None]
    assert float((share - expected).abs().amax() / expected.abs().amax()) < 2e-6


def test_a_large_constant_costs_no_digits():
    class Shifted(nn.Module):
        def forward(self, x):
            return x.flatten(1) + 1e4

    x = torch.randn((2, *SHAPE)) * 0.1
    found, exact, _ = both(traced(Shifted()), x, "zero", {"bias": "ignored"})
    share = found.values.double() / found.output.double()[:, None, None, None]
    expected = exact.values / exact.output[:, None, None, None]
    torch.testing.assert_close(share, expected, atol=1e-6, rtol=0)
