"""The graph's forms, batch norm, softmax, and what is refused by name."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.context import Context
from climxai.attribution.methods.gradients import InputTimesGradient, Saliency
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.small import SHAPE, explain, samples, seeded

VALID = torch.ones(SHAPE, dtype=torch.bool)


class Modules(nn.Module):
    """Batch norm, residual link, concatenation, pooling, written with modules."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(2, 4, 3, padding=1, padding_mode="circular", bias=False)
        self.b = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2, bias=False)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(8 * 6 * 8, 3, bias=False)

    def forward(self, x):
        h = self.relu(self.a(x))
        h = h + self.relu(self.b(h))
        low = self.up(self.pool(h))
        return self.head(torch.cat([h, self.relu(low)], 1).flatten(1))


class Functions(Modules):
    """The same, written with functions and in-place activations."""

    def forward(self, x):
        x = functional.pad(x, (1, 1, 1, 1), mode="circular")
        h = functional.relu_(functional.conv2d(x, self.a.weight))
        h = torch.add(functional.conv2d(h, self.b.weight, padding=1).clamp_min(0), h)
        low = functional.conv_transpose2d(functional.max_pool2d(h, 2), self.up.weight, stride=2)
        both = torch.cat((h, low.relu_()), dim=1)
        return both.reshape(both.shape[0], -1) @ self.head.weight.t()


def test_lrp_zero_of_a_network_without_bias_is_input_times_gradient():
    """An identity of piecewise linear networks; the gradient is autograd's."""
    module = seeded(Modules())
    network = trace(module, SHAPE, torch.float64)
    x = samples()
    start = torch.zeros(4, 3).double()
    start[:, 2] = 1
    expected = InputTimesGradient().attribute(network, x, start, Context(VALID))
    found = LayerwiseRelevance(rule="zero").attribute(network, x, start, Context(VALID))
    torch.testing.assert_close(found.values, expected.values, atol=1e-10, rtol=1e-8)
    torch.testing.assert_close(found.values.flatten(1).sum(1), found.output, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("rule", ["epsilon", "alpha1beta0", "alpha2beta1", "gamma", "w_square"])
def test_modules_and_functions_give_the_same(rule):
    modules = seeded(Modules())
    functions = Functions().double().eval()
    functions.load_state_dict(modules.state_dict())
    torch.testing.assert_close(functions(samples()), modules(samples()))
    found, expected = explain(functions, rule), explain(modules, rule)
    torch.testing.assert_close(found.values, expected.values, atol=1e-10, rtol=1e-10)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.head = nn.Linear(2 * 6 * 8, 2, bias=False)

    def forward(self, x):
        return self.head(self.conv(self.conv(x).relu()).relu().flatten(1))


def test_a_parameter_used_twice():
    module = seeded(Twice())
    unrolled = nn.Sequential(
        nn.Conv2d(2, 2, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.Conv2d(2, 2, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(96, 2, bias=False),
    ).double()
    unrolled[0].weight = unrolled[2].weight = module.conv.weight
    unrolled[5].weight = module.head.weight
    for rule in ("epsilon", "alpha2beta1"):
        torch.testing.assert_close(explain(module, rule).values, explain(unrolled, rule).values)


@pytest.mark.parametrize("rule", ["epsilon", "alpha2beta1", "gamma", "w_square"])
def test_batch_norm_merges_into_the_layer_before_it(rule):
    conv, norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
    module = seeded(nn.Sequential(conv, norm, nn.ReLU(), nn.Flatten(), nn.Linear(192, 2)))
    norm.running_mean.copy_(torch.randn(4).double())
    norm.running_var.copy_(torch.rand(4).double() + 0.5)
    merged = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), *list(module)[2:]).double()
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    merged[0].weight.data = conv.weight.data * factor.data[:, None, None, None]
    merged[0].bias.data = (conv.bias.data - norm.running_mean) * factor.data + norm.bias.data
    found, expected = explain(module, rule), explain(merged, rule)
    torch.testing.assert_close(found.values, expected.values, atol=1e-9, rtol=1e-9)


def test_batch_norm_merges_into_the_layer_after_it():
    norm, dense = nn.BatchNorm1d(6), nn.Linear(6, 3)
    module = seeded(nn.Sequential(nn.ReLU(), norm, dense))
    norm.running_mean.copy_(torch.randn(6).double())
    factor = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).data
    merged = nn.Sequential(nn.ReLU(), nn.Linear(6, 3)).double()
    merged[1].weight.data = dense.weight.data * factor
    merged[1].bias.data = dense.bias.data + dense.weight.data @ (
        norm.bias.data - norm.running_mean * factor
    )
    x = samples((6,))
    torch.testing.assert_close(
        explain(module, "alpha2beta1", x).values, explain(merged, "alpha2beta1", x).values
    )


def test_softmax_at_the_end_is_left_out_unless_kept():
    dense = nn.Linear(6, 3, bias=False)
    module = seeded(nn.Sequential(dense, nn.Softmax(1)))
    x = samples((6,))
    before = trace(module, (6,), torch.float64)
    torch.testing.assert_close(before(x), dense(x))
    kept = trace(module, (6,), torch.float64, softmax="keep")
    torch.testing.assert_close(kept(x), module(x))
    start = torch.zeros(4, 3).double()
    start[:, 1] = 1
    found = LayerwiseRelevance(rule="zero").attribute(kept, x, start, Context(torch.ones(6).bool()))
    z, p = dense(x), module(x)
    scores = z * (start * p - p * p[:, 1:2])  # the Taylor expansion of the probability, by hand
    expected = x * ((scores / z) @ dense.weight)
    torch.testing.assert_close(found.values, expected.detach(), atol=1e-12, rtol=1e-9)


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(6, 6)

    def forward(self, x):
        return self.dense(x) * torch.sigmoid(x)


class Sorted(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1)


@pytest.mark.parametrize(("module", "name"), [(Gate(), "aten.mul"), (Sorted(), "aten.cumsum")])
def test_an_operator_without_a_rule_is_named(module, name):
    network = trace(module, (6,))
    method = LayerwiseRelevance(rule="epsilon")
    with pytest.raises(ModelError, match=rf"{name}.*at .*graph node"):
        method.check(network, Context(torch.ones(network.shape).bool()))
    x = torch.randn(2, 6)
    Saliency().attribute(network, x, torch.ones(2, 6), Context(torch.ones(6).bool()))


def test_rules_that_do_not_suit_are_named():
    module = nn.Sequential(nn.Linear(6, 3))
    with pytest.raises(ModelError, match="z_box needs bounds"):
        explain(module.double(), "z_box", samples((6,)))
    with pytest.raises(ModelError, match="'0'"):
        explain(
            module,
            {"name": "map", "default": "zero", "layers": {"features.*": "zero"}},
            samples((6,)),
        )
    with pytest.raises(ModelError, match="pass"):
        explain(module, "pass", samples((6,)))


def test_inputs_that_do_not_fit_are_refused():
    network = trace(nn.Linear(6, 3), (6,))
    method = LayerwiseRelevance(rule="zero")
    good, valid = torch.ones(2, 3), torch.ones(6).bool()
    with pytest.raises(ModelError, match=r"shape \(6,\)"):
        method.attribute(network, torch.ones(2, 5), good, Context(valid))
    with pytest.raises(ModelError, match="float64"):
        method.attribute(network, torch.ones(2, 6).double(), good, Context(valid))
    with pytest.raises(ModelError, match="mask"):
        method.attribute(network, torch.ones(2, 6), good, Context(torch.ones(5).bool()))
    with pytest.raises(ModelError, match="weights"):
        method.attribute(network, torch.ones(2, 6), torch.ones(2, 4), Context(valid))


class Branching(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


def test_a_network_that_cannot_be_exported_is_refused():
    with pytest.raises(ModelError, match=r"torch\.export"):
        trace(Branching(), (6,))
