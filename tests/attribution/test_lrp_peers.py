"""The same maps as zennit and captum, in float32 to 1e-5, where conventions coincide.

Networks: dense, convolutional, residual, encoder-decoder, all with biases and signed inputs.
"""

from __future__ import annotations

import importlib.util
import sys
import types

import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace

SHAPE = (2, 8, 12)


class Total(nn.Module):
    def forward(self, a, b):
        return a + b


class FlatLinear(nn.Linear):
    """A dense layer that flattens first: captum has no rule for nn.Flatten."""

    def forward(self, x):
        return super().forward(x.flatten(1))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.inner = nn.Conv2d(4, 4, 3, padding=1)
        self.relus = nn.ModuleList([nn.ReLU() for _ in range(2)])
        self.total = Total()
        self.head = FlatLinear(4 * 8 * 12, 3)

    def forward(self, x):
        h = self.relus[0](self.first(x))
        h = self.relus[1](self.total(h, self.inner(h)))
        return self.head(h)


def networks():
    return {
        "dense": nn.Sequential(
            FlatLinear(192, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(),
            nn.Linear(8, 3),
        ),
        "convolutional": nn.Sequential(
            nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, stride=2), nn.ReLU(),
            FlatLinear(60, 3),
        ),
        "residual": Residual(),
        "encoder-decoder": nn.Sequential(
            nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(6, 4, 2, stride=2), nn.ReLU(), nn.Conv2d(4, 1, 1),
        ),
    }  # fmt: skip


def seeded(name, seed=5):
    module = networks()[name].eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        scale = 0.3 if parameter.ndim > 1 else 0.1
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale
    return module


def inputs(module):
    x = torch.randn((3, *SHAPE), generator=torch.Generator().manual_seed(9))
    start = torch.zeros_like(module(x))
    start.flatten(1)[:, 1] = 1
    return x, start


def ours(module, rule, convention, x, start):
    network = trace(module, SHAPE)
    method = LayerwiseRelevance(rule=rule, convention=convention)
    method.check(network, Context(torch.ones(network.shape).bool()))
    return method.attribute(network, x, start, Context(torch.ones(SHAPE).bool())).values


def same(found, expected):
    scale = expected.abs().amax()
    torch.testing.assert_close(found / scale, expected / scale, atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module")
def zennit():
    """zennit, with a stub for torchvision, which it imports for canonizers only."""
    if importlib.util.find_spec("zennit") is None:
        pytest.skip("zennit is not installed")
    stubs = {}
    if importlib.util.find_spec("torchvision") is None:
        block = type("Block", (), {})
        resnet = types.ModuleType("torchvision.models.resnet")
        resnet.Bottleneck = resnet.BasicBlock = block
        models = types.ModuleType("torchvision.models")
        models.resnet = resnet
        root = types.ModuleType("torchvision")
        root.models = models
        stubs = {
            "torchvision": root,
            "torchvision.models": models,
            "torchvision.models.resnet": resnet,
        }
        sys.modules.update(stubs)
    import zennit.composites
    import zennit.rules

    yield zennit
    for name in stubs:
        del sys.modules[name]


ZENNIT = {
    "zero": ({"name": "zero"}, lambda r: r.Epsilon(1e-6)),
    "epsilon": ({"name": "epsilon", "epsilon": 0.1}, lambda r: r.Epsilon(0.1)),
    "alpha1beta0": ("alpha1beta0", lambda r: r.ZPlus()),
    "alpha2beta1": ("alpha2beta1", lambda r: r.AlphaBeta(2.0, 1.0)),
    "gamma": ({"name": "gamma", "gamma": 0.25}, lambda r: r.Gamma(0.25)),
}
FIRST = {
    "flat": ("flat", lambda r: r.Flat()),
    "w_square": ("w_square", lambda r: r.WSquare()),
    "z_box": ({"name": "z_box", "low": -5.0, "high": 5.0}, lambda r: r.ZBox(-5.0, 5.0)),
}
LINEAR = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def by_zennit(zennit, module, rule, x, start, first=None):
    rules = zennit.rules
    layers = [
        (nn.ReLU, rules.Pass()),
        (nn.AvgPool2d, rules.Norm()),
        (LINEAR, rule),
    ]
    if first is None:
        composite = zennit.composites.LayerMapComposite(layers)
    else:
        composite = zennit.composites.SpecialFirstLayerMapComposite(layers, [(LINEAR, first)])
    with composite.context(module) as hooked:
        leaf = x.clone().requires_grad_()
        (relevance,) = torch.autograd.grad(hooked(leaf), leaf, start)
    return relevance


@pytest.mark.parametrize("rule", ZENNIT)
@pytest.mark.parametrize("name", ["dense", "convolutional", "encoder-decoder"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zennit(zennit, name, rule):
    module = seeded(name)
    x, start = inputs(module)
    chosen, make = ZENNIT[rule]
    expected = by_zennit(zennit, module, make(zennit.rules), x, start)
    same(ours(seeded(name), chosen, "zennit", x, start), expected)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("name", ["dense", "convolutional"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zennit_first_layers(zennit, name, first):
    module = seeded(name)
    x, start = inputs(module)
    chosen, make = FIRST[first]
    rules = zennit.rules
    expected = by_zennit(zennit, module, rules.Epsilon(1e-6), x, start, make(rules))
    found = ours(
        seeded(name), {"name": "map", "default": "epsilon", "first": chosen}, "zennit", x, start
    )
    same(found, expected)


@pytest.mark.parametrize("scale", [1e-2, 1e-3])
@pytest.mark.parametrize("first", ["flat", "w_square"])
@pytest.mark.parametrize("name", ["dense", "convolutional"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zennit_first_layers_with_small_weights(zennit, name, first, scale):
    """zennit stabilises w-square and flat too, which shows where squared weights are small."""
    modules = seeded(name), seeded(name)
    for module in modules:
        module[0].weight.data *= scale
        module[0].bias.data *= scale
    x, start = inputs(modules[0])
    chosen, make = FIRST[first]
    expected = by_zennit(
        zennit, modules[0], zennit.rules.Epsilon(1e-6), x, start, make(zennit.rules)
    )
    rule = {"name": "map", "default": "epsilon", "first": chosen}
    same(ours(modules[1], rule, "zennit", x, start), expected)


def small(name, scale=1e-4):
    """A network whose sums are so small that the stabiliser's size shows."""
    module = seeded(name)
    for parameter in module.parameters():
        parameter.data *= scale if parameter.ndim > 1 else 0
    return module


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zennit_default_of_epsilon(zennit):
    x, start = inputs(small("dense"))
    expected = by_zennit(zennit, small("dense"), zennit.rules.Epsilon(), x, start)
    same(ours(small("dense"), "epsilon", "zennit", x, start), expected)
    same(ours(small("dense"), "epsilon_plus", "zennit", x, start), expected)


@pytest.mark.filterwarnings("ignore")
def test_captum_default_of_epsilon():
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    from captum.attr._utils import lrp_rules

    module = small("dense")
    x, start = inputs(module)
    for layer in module:
        if isinstance(layer, nn.Linear):
            layer.rule = lrp_rules.EpsilonRule()
    expected = captum.LRP(module).attribute(x.clone(), target=1).detach()
    same(ours(small("dense"), "epsilon", "captum", x, start), expected)
    # The size of the others is another map.
    other = ours(small("dense"), {"name": "epsilon", "epsilon": 1e-6}, "captum", x, start)
    assert (other - expected).abs().amax() > 0.1 * expected.abs().amax()


def test_innvestigate_default_of_epsilon():
    """1e-7 in iNNvestigate's EpsilonRule; the map of one dense layer by hand."""
    module = nn.Linear(4, 2, bias=False)
    module.weight.data = torch.tensor([[2e-7, 1e-7, 0, 0], [1e-7, 0, 3e-7, 0]])
    x = torch.ones(1, 4)
    network = trace(module, (4,))
    start = torch.tensor([[1.0, 0.0]])
    for rule in ("epsilon", "epsilon_plus"):
        method = LayerwiseRelevance(rule=rule, convention="innvestigate")
        found = method.attribute(network, x, start, Context(torch.ones(4).bool())).values
        z = 3e-7
        expected = torch.tensor([[2e-7, 1e-7, 0, 0]]) * z / (z + 1e-7)
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_zennit_residual(zennit):
    """A sum is the Norm rule on both addends; zennit has it for modules that sum a stack."""
    module = seeded("residual")
    x, start = inputs(module)

    import zennit.layer

    module.total = zennit.layer.Sum()
    forward = types.MethodType(_stacked_forward, module)
    module.forward = forward
    rules = zennit.rules
    composite = zennit.composites.LayerMapComposite(
        [
            (nn.ReLU, rules.Pass()),
            (zennit.layer.Sum, rules.Norm()),
            (LINEAR, rules.Epsilon(1e-6)),
        ]
    )
    with composite.context(module) as hooked:
        leaf = x.clone().requires_grad_()
        (expected,) = torch.autograd.grad(hooked(leaf), leaf, start)
    same(ours(seeded("residual"), "epsilon", "zennit", x, start), expected)


def _stacked_forward(self, x):
    h = self.relus[0](self.first(x))
    h = self.relus[1](self.total(torch.stack((h, self.inner(h)), -1)))
    return self.head(h)


CAPTUM = {
    "epsilon": ({"name": "epsilon", "epsilon": 0.1}, lambda r: r.EpsilonRule(0.1)),
    "zero": ({"name": "zero"}, lambda r: r.EpsilonRule(1e-9)),
    "alpha1beta0": ("alpha1beta0", lambda r: r.Alpha1_Beta0_Rule()),
    "gamma": ({"name": "gamma", "gamma": 0.25}, lambda r: r.GammaRule(0.25)),
}


def by_captum(module, rule, first, x, start):
    from captum.attr import LRP
    from captum.attr._utils import lrp_rules

    seen = False
    for layer in module.modules():
        if isinstance(layer, LINEAR):
            layer.rule = CAPTUM[rule if seen else first][1](lrp_rules)
            seen = True
        elif isinstance(layer, nn.AvgPool2d | Total):
            layer.rule = lrp_rules.EpsilonRule()
    target = 1 if start.ndim == 2 else (0, 0, 1)
    return LRP(module).attribute(x.clone(), target=target).detach()


@pytest.mark.parametrize("rule", CAPTUM)
@pytest.mark.parametrize("name", ["dense", "convolutional", "residual", "encoder-decoder"])
@pytest.mark.filterwarnings("ignore")
def test_captum(name, rule):
    """Gamma with epsilon first: on signed inputs its sums cross zero and rounding decides."""
    pytest.importorskip("captum", reason="captum is not installed")
    seed = 8 if rule == "gamma" else 5
    module = seeded(name, seed)
    x, start = inputs(module)
    first = "epsilon" if rule == "gamma" else rule
    expected = by_captum(module, rule, first, x, start)
    chosen = {"name": "map", "default": CAPTUM[rule][0], "first": CAPTUM[first][0]}
    same(ours(seeded(name, seed), chosen, "captum", x, start), expected)


@pytest.mark.parametrize("name", ["dense", "convolutional", "residual", "encoder-decoder"])
@pytest.mark.filterwarnings("ignore")
def test_captum_gamma_on_signed_inputs_in_float64(name):
    pytest.importorskip("captum", reason="captum is not installed")
    module = seeded(name).double()
    x, start = (value.double() for value in inputs(seeded(name)))
    expected = by_captum(module, "gamma", "gamma", x, start)
    network = trace(seeded(name), SHAPE, torch.float64)
    method = LayerwiseRelevance(rule=CAPTUM["gamma"][0], convention="captum")
    found = method.attribute(network, x, start, Context(torch.ones(SHAPE).bool())).values
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_where_zennit_and_captum_differ(zennit):
    """Alpha-beta and gamma on negative inputs: zennit splits contributions, captum weights only."""
    pytest.importorskip("captum", reason="captum is not installed")
    x, start = inputs(seeded("dense"))
    first = by_zennit(zennit, seeded("dense"), zennit.rules.ZPlus(), x, start)
    second = by_captum(seeded("dense"), "alpha1beta0", "alpha1beta0", x, start)
    assert (first - second).abs().amax() > 0.1 * first.abs().amax()
    same(ours(seeded("dense"), "alpha1beta0", "zennit", x, start), first)
    same(ours(seeded("dense"), "alpha1beta0", "captum", x, start), second)
