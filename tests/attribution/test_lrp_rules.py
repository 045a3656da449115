"""Each rule on each linear operator against the closed forms in tests/oracles/linear_rules.py.

Signed inputs, with and without bias, float64, to 1e-9.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from tests.attribution.rows import MemoryRows

_PATH = Path(__file__).parents[1] / "oracles" / "linear_rules.py"
_SPEC = importlib.util.spec_from_file_location("linear_rules", _PATH)
oracle = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(oracle)

RULES = {
    "zero": {"name": "zero"},
    "epsilon": {"name": "epsilon", "epsilon": 0.05},
    "epsilon relative": {"name": "epsilon", "epsilon": 0.1, "relative": True},
    "gamma": {"name": "gamma", "gamma": 0.3},
    "alpha1beta0": {"name": "alpha1beta0"},
    "alpha2beta1": {"name": "alpha2beta1"},
    "alpha3beta2": {"name": "alpha3beta2"},
    "alpha1.5": {"name": "alpha_beta", "alpha": 1.5, "beta": 0.5},
    "flat": {"name": "flat"},
    "w_square": {"name": "w_square"},
    "z_box": {"name": "z_box", "low": -4.0, "high": 5.0},
}
ALPHAS = {"alpha1beta0": (1.0, 0.0), "alpha2beta1": (2.0, 1.0), "alpha3beta2": (3.0, 2.0)}

WEIGHTED = {
    "dense": ((2, 3), lambda bias: nn.Sequential(nn.Flatten(), nn.Linear(6, 4, bias=bias))),
    "dense on the last dimension": ((2, 3), lambda bias: nn.Linear(3, 4, bias=bias)),
    "conv1d": ((2, 7), lambda bias: nn.Conv1d(2, 3, 3, padding=1, bias=bias)),
    "conv1d even same": ((2, 7), lambda bias: nn.Conv1d(2, 3, 4, padding="same", bias=bias)),
    "conv2d": ((2, 5, 6), lambda bias: nn.Conv2d(2, 3, 3, padding=1, bias=bias)),
    "conv2d stride": ((2, 5, 6), lambda bias: nn.Conv2d(2, 3, 3, stride=2, bias=bias)),
    "conv2d dilation": ((2, 5, 6), lambda bias: nn.Conv2d(2, 3, 2, dilation=2, bias=bias)),
    "conv2d groups": ((4, 5, 4), lambda bias: nn.Conv2d(4, 6, 3, groups=2, bias=bias)),
    "conv2d valid": ((2, 5, 4), lambda bias: nn.Conv2d(2, 3, 2, padding="valid", bias=bias)),
    "conv3d": ((2, 3, 4, 3), lambda bias: nn.Conv3d(2, 2, 2, padding=1, bias=bias)),
    "transposed 1d": ((2, 4), lambda bias: nn.ConvTranspose1d(2, 3, 3, stride=2, bias=bias)),
    "transposed 2d": (
        (2, 3, 4),
        lambda bias: nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, bias=bias),
    ),
    "transposed 2d groups": (
        (4, 3, 3),
        lambda bias: nn.ConvTranspose2d(4, 2, 2, groups=2, bias=bias),
    ),
    "transposed 3d": ((1, 2, 3, 2), lambda bias: nn.ConvTranspose3d(1, 2, 2, bias=bias)),
}


def seeded(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator).double() * 0.5)
    return module


def signed(shape, count=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, *shape), generator=generator).double()


_TRACED = {}


def traced(module, shape):
    """Trace once per layer and weights: exporting is what takes time here."""
    weights = tuple(v.numpy().tobytes() for v in module.state_dict().values())
    key = (repr(module), shape, weights)
    if key not in _TRACED:
        _TRACED[key] = trace(module, shape, torch.float64)
    return _TRACED[key]


def check(module, shape, rule, *, convention=None, valid=None, x=None, expected_rule=None, **known):
    network = traced(module, shape)
    x = signed(shape) if x is None else x
    valid = torch.ones(shape, dtype=torch.bool) if valid is None else valid
    x = x * valid
    scores = network(x)
    start = signed(scores.shape[1:], count=len(x), seed=2)
    method = LayerwiseRelevance(rule=rule, convention=convention or "climxai")
    found = method.attribute(network, x, start, Context(valid)).values
    matrix, bias = oracle.matrix_of(module, shape)
    restated = dict(expected_rule or rule)
    if restated["name"] in ALPHAS:
        restated["alpha"], restated["beta"] = ALPHAS[restated["name"]]
    if restated["name"] == "z_box":
        known = {"low": restated["low"], "high": restated["high"], **known}
    for i in range(len(x)):
        expected = oracle.share(
            x[i].numpy().ravel(),
            matrix,
            bias,
            (start * scores)[i].numpy().ravel(),
            restated,
            valid=valid.numpy().ravel().astype(float),
            **known,
        )
        np.testing.assert_allclose(found[i].numpy().ravel(), expected, atol=1e-9, rtol=1e-9)
    return found


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("layer", WEIGHTED)
def test_weighted_operators(layer, rule, bias):
    shape, make = WEIGHTED[layer]
    check(seeded(make(bias)), shape, RULES[rule])


@pytest.mark.parametrize("bias_rule", ["absorbed", "ignored", "split_by_sign", "whole_in_both"])
@pytest.mark.parametrize("rule", ["zero", "epsilon", "gamma", "alpha1beta0", "alpha2beta1"])
@pytest.mark.parametrize("layer", ["dense", "conv2d"])
def test_bias_conventions(layer, rule, bias_rule):
    shape, make = WEIGHTED[layer]
    convention = {"bias": bias_rule}
    check(seeded(make(True)), shape, RULES[rule], convention=convention, bias_rule=bias_rule)


@pytest.mark.parametrize("rule", ["zero", "epsilon", "gamma", "alpha2beta1"])
@pytest.mark.parametrize("layer", ["dense", "conv2d", "transposed 2d"])
def test_spread_bias_conserves(layer, rule):
    shape, make = WEIGHTED[layer]
    module = seeded(make(True))
    check(module, shape, RULES[rule], convention={"bias": "spread"}, bias_rule="spread")


@pytest.mark.parametrize("rule", ["alpha1beta0", "alpha2beta1"])
@pytest.mark.parametrize("empty_side", ["drop", "rescale"])
def test_empty_sides(rule, empty_side):
    """Outputs with only positive, only negative, and no contributions."""
    module = nn.Linear(4, 4, bias=False).double()
    with torch.no_grad():
        module.weight.copy_(
            torch.tensor([[1, 2, 3, 1], [-1, -2, -1, -3], [1, -2, 3, -1], [0, 0, 0, 0]])
        )
    x = torch.tensor([[1.0, 2, 0.5, 1], [-1, -1, -2, -0.5], [1, -1, 2, 0]]).double()
    found = check(
        module, (4,), RULES[rule], convention={"empty_side": empty_side}, x=x, empty_side=empty_side
    )
    if empty_side == "rescale":
        scores = module(x).detach()
        start = signed((4,), count=3, seed=2)
        torch.testing.assert_close(found.sum(1), (scores * start).sum(1), atol=1e-12, rtol=0)


@pytest.mark.parametrize("rule", ["gamma", "alpha1beta0", "alpha2beta1"])
@pytest.mark.parametrize("layer", ["dense", "conv2d"])
def test_whole_signed_inputs(layer, rule):
    shape, make = WEIGHTED[layer]
    check(
        seeded(make(True)),
        shape,
        RULES[rule],
        convention={"signed_inputs": "whole"},
        signed_inputs="whole",
    )


@pytest.mark.parametrize("rule", ["zero", "gamma", "alpha2beta1", "z_box"])
def test_the_stabiliser_of_the_convention(rule):
    shape, make = WEIGHTED["conv2d"]
    check(seeded(make(True)), shape, RULES[rule], convention={"epsilon": 0.07}, epsilon=0.07)


@pytest.mark.parametrize("layer", ["dense", "conv2d"])
def test_w_square_with_the_bias_counted(layer):
    shape, make = WEIGHTED[layer]
    module = seeded(make(True))
    check(module, shape, RULES["w_square"], convention={"w_square_bias": True}, w_square_bias=True)


@pytest.mark.parametrize("rule", ["zero", "alpha2beta1", "flat", "w_square", "z_box"])
@pytest.mark.parametrize("layer", ["dense", "conv2d", "transposed 2d"])
def test_land_counts_for_nothing(layer, rule):
    shape, make = WEIGHTED[layer]
    valid = torch.ones(shape, dtype=torch.bool)
    valid[0, 1:] = False
    found = check(seeded(make(True)), shape, RULES[rule], valid=valid)
    assert not found[:, ~valid].any()


def test_bounds_per_cell_from_training():
    module = seeded(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1)))
    shape = (2, 5, 6)
    low, high = -signed(shape, 1, 5).abs()[0] - 3, signed(shape, 1, 6).abs()[0] + 3
    network = traced(module, shape)
    x = signed(shape)
    start = signed((3, 5, 6), seed=2)
    method = LayerwiseRelevance(rule="z_box")
    found = method.attribute(
        network,
        x,
        start,
        Context(torch.ones(shape).bool(), training=MemoryRows(torch.stack((low, high)))),
    ).values
    matrix, bias = oracle.matrix_of(module, shape)
    for i in range(3):
        expected = oracle.share(
            x[i].numpy().ravel(),
            matrix,
            bias,
            (start * network(x))[i].numpy().ravel(),
            {"name": "z_box"},
            low=low.numpy().ravel(),
            high=high.numpy().ravel(),
        )
        np.testing.assert_allclose(found[i].numpy().ravel(), expected, atol=1e-9, rtol=1e-9)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


UNWEIGHTED = {
    "average pooling": ("pooling", (2, 4, 6), lambda: nn.AvgPool2d(2)),
    "overlapping": ("pooling", (2, 5, 7), lambda: nn.AvgPool2d(3, stride=2, padding=1)),
    "average 1d": ("pooling", (2, 6), lambda: nn.AvgPool1d(2)),
    "average 3d": ("pooling", (1, 4, 4, 2), lambda: nn.AvgPool3d(2)),
    "adaptive": ("pooling", (2, 4, 6), lambda: nn.AdaptiveAvgPool2d((2, 3))),
    "global": ("pooling", (2, 4, 6), lambda: nn.AdaptiveAvgPool2d(1)),
    "mean": ("pooling", (2, 4, 6), Mean),
    "nearest": ("interpolation", (2, 3, 4), lambda: nn.Upsample(scale_factor=2)),
    "bilinear": (
        "interpolation",
        (2, 3, 4),
        lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
    ),
    "linear": ("interpolation", (2, 5), lambda: nn.Upsample(size=8, mode="linear")),
}


@pytest.mark.parametrize("rule", ["zero", "epsilon", "gamma", "alpha1beta0", "alpha2beta1", "flat"])
@pytest.mark.parametrize("layer", UNWEIGHTED)
def test_unweighted_operators(layer, rule):
    kind, shape, make = UNWEIGHTED[layer]
    if rule == "flat" and kind == "interpolation":
        pytest.skip("the flat rule does not suit an interpolation")
    chosen = {"name": "map", "default": "zero", "kinds": {kind: RULES[rule]}}
    check(make(), shape, chosen, expected_rule=RULES[rule])


@pytest.mark.parametrize("rule", ["zero", "gamma", "alpha2beta1", "w_square", "flat"])
def test_batch_norm_as_a_layer_of_its_own(rule):
    module = seeded(nn.Sequential(nn.BatchNorm2d(2)))
    module[0].running_mean.copy_(torch.tensor([0.3, -0.2]))
    module[0].running_var.copy_(torch.tensor([0.5, 2.0]))
    chosen = {"name": "map", "default": "zero", "kinds": {"batch_norm": RULES[rule]}}
    check(module.eval(), (2, 3, 4), chosen, expected_rule=RULES[rule])


@pytest.mark.parametrize("mode", ["circular", "reflect", "replicate"])
@pytest.mark.parametrize("rule", ["zero", "gamma", "alpha2beta1", "flat", "w_square"])
def test_padding_modes(mode, rule):
    """Padding repeats cells; the rule acts on the repeated ones, which then give theirs back."""
    shape = (2, 5, 6)
    module = seeded(nn.Conv2d(2, 3, 3, padding=1, padding_mode=mode))
    network = traced(module, shape)
    x = signed(shape)
    start = signed((3, 5, 6), seed=2)
    found = LayerwiseRelevance(rule=RULES[rule]).attribute(
        network, x, start, Context(torch.ones(shape).bool())
    )

    def pad(values):
        return nn.functional.pad(values, (1, 1, 1, 1), mode=mode)

    inner = nn.Conv2d(2, 3, 3).double()
    inner.load_state_dict(module.state_dict())
    moves, _ = oracle.matrix_of(pad, shape)
    matrix, bias = oracle.matrix_of(inner, (2, 7, 8))
    restated = dict(RULES[rule])
    if restated["name"] in ALPHAS:
        restated["alpha"], restated["beta"] = ALPHAS[restated["name"]]
    for i in range(3):
        inside = oracle.share(
            pad(x[i : i + 1]).numpy().ravel(),
            matrix,
            bias,
            (start * network(x))[i].numpy().ravel(),
            restated,
        )
        np.testing.assert_allclose(
            found.values[i].numpy().ravel(), moves @ inside, atol=1e-9, rtol=1e-9
        )
