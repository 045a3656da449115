"""What relevance does at activations, maxima, routes, sums and batch norm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.methods.gradients import InputTimesGradient, Saliency
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from climxai.core.errors import ModelError

SHAPE = (2, 6, 8)
VALID = torch.ones(SHAPE, dtype=torch.bool)


def seeded(module, bias=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    for name, parameter in module.named_parameters():
        values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.4
        parameter.data = values if bias or "bias" not in name else torch.zeros_like(values)
    return module


def samples(shape=SHAPE, count=4):
    return torch.randn((count, *shape), generator=torch.Generator().manual_seed(3)).double()


def explain(module, rule, x=None, convention="climxai", start=None):
    shape = SHAPE if x is None else tuple(x.shape[1:])
    x = samples() if x is None else x
    network = trace(module, shape, torch.float64)
    scores = network(x)
    if start is None:
        start = torch.zeros_like(scores)
        start.flatten(1)[:, 0] = 1
    method = LayerwiseRelevance(rule=rule, convention=convention)
    valid = torch.ones(shape, dtype=torch.bool)
    return method.attribute(network, x, start, valid=valid)


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
    expected = InputTimesGradient().attribute(network, x, start, valid=VALID)
    found = LayerwiseRelevance(rule="zero").attribute(network, x, start, valid=VALID)
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


ACTIVATIONS = [
    nn.ReLU(), nn.LeakyReLU(0.1), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Sigmoid(), nn.Tanh(),
    nn.Softplus(), nn.ReLU6(), nn.Hardtanh(), nn.SELU(), nn.ReLU(inplace=True), nn.Dropout(0.5),
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: type(a).__name__)
def test_activations_pass_relevance_unchanged(activation):
    """Two dense layers by hand: relevance of the hidden units does not see the activation."""
    first, second = nn.Linear(6, 5), nn.Linear(5, 2)
    module = seeded(nn.Sequential(first, activation, second))
    x = samples((6,))
    found = explain(module, {"name": "epsilon", "epsilon": 0.01}, x).values
    z = first(x)
    a = activation(z.clone())
    scores = second(a)
    s = scores[:, :1] / _stable(scores[:, :1])
    hidden = a * (s @ second.weight[:1])
    expected = x * ((hidden / _stable(z)) @ first.weight)
    torch.testing.assert_close(found, expected.detach(), atol=1e-10, rtol=1e-10)


def _stable(z):
    return z + torch.where(z >= 0, z.new_tensor(0.01), z.new_tensor(-0.01))


class Maxout(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 12), nn.Linear(4, 2)

    def forward(self, x):
        return self.second(self.first(x).view(-1, 4, 3).max(-1).values)


def test_maxout_gives_all_to_the_winner():
    module = seeded(Maxout(), bias=False)
    x = samples((6,))
    found = explain(module, "zero", x).values
    z = module.first(x)
    groups = z.view(4, 4, 3)
    winner = (groups == groups.amax(-1, keepdim=True)).double()
    hidden = groups.amax(-1) * module.second.weight[0]
    back = (hidden[..., None] * winner).view(4, 12)
    expected = x * ((back / z) @ module.first.weight)
    torch.testing.assert_close(found, expected.detach(), atol=1e-10, rtol=1e-10)


def test_max_pooling_winner_and_proportional():
    x = torch.tensor([[[[1.0, 3, -2, 5]]]]).double()
    module = nn.MaxPool2d((1, 2))
    start = torch.ones(1, 1, 1, 2).double()
    winner = explain(module, "zero", x, start=start).values
    assert winner.flatten().tolist() == [0, 3, 0, 5]
    found = explain(module, "zero", x, {"max_pooling": "proportional"}, start).values
    expected = [3 * 1 / 4, 3 * 3 / 4, 5 * -2 / 3, 5 * 5 / 3]
    np.testing.assert_allclose(found.flatten(), expected, atol=1e-12)


class Shifted(nn.Module):
    def forward(self, x):
        return torch.flip(torch.roll(x * 2.0, 1, -1)[..., 1:], (-1,)) + 0.5


def test_routes_constants_and_what_the_added_constant_takes():
    x = torch.tensor([[1.0, -2, 3]]).double()
    start = torch.ones(1, 2).double()
    found = explain(Shifted(), "zero", x, start=start).values
    np.testing.assert_allclose(found, [[2.0, -4.0, 0.0]])
    kept = explain(Shifted(), "zero", x, {"bias": "ignored"}, start).values
    np.testing.assert_allclose(kept, [[2.5, -3.5, 0.0]])


class Added(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)

    def forward(self, x):
        return self.a(x) - self.b(x)


@pytest.mark.parametrize("rule", ["zero", "alpha2beta1", "flat"])
def test_sums_share_by_contribution(rule):
    module = seeded(Added())
    x = samples((3,))
    chosen = {"name": "map", "default": "zero", "kinds": {"sum": rule}}
    found = explain(module, chosen, x).values
    p, q = module.a(x)[:, 0], -module.b(x)[:, 0]
    total = p + q
    if rule == "zero":
        to_a, to_b = p, q
    elif rule == "flat":
        to_a, to_b = total / 2, total / 2
    else:
        up, down = p.clamp(min=0) + q.clamp(min=0), p.clamp(max=0) + q.clamp(max=0)
        safe_up, safe_down = torch.where(up == 0, 1.0, up), torch.where(down == 0, 1.0, down)
        to_a, to_b = (
            (2 * t.clamp(min=0) / safe_up - t.clamp(max=0) / safe_down) * total for t in (p, q)
        )
    through_a = x * module.a.weight[0] * (to_a / p)[:, None]
    through_b = -x * module.b.weight[0] * (to_b / q)[:, None]
    torch.testing.assert_close(found, (through_a + through_b).detach(), atol=1e-9, rtol=1e-9)


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
    found = LayerwiseRelevance(rule="zero").attribute(kept, x, start, valid=torch.ones(6).bool())
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
        method.check(network)
    x = torch.randn(2, 6)
    Saliency().attribute(network, x, torch.ones(2, 6), valid=torch.ones(6).bool())


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
        method.attribute(network, torch.ones(2, 5), good, valid=valid)
    with pytest.raises(ModelError, match="float64"):
        method.attribute(network, torch.ones(2, 6).double(), good, valid=valid)
    with pytest.raises(ModelError, match="mask"):
        method.attribute(network, torch.ones(2, 6), good, valid=torch.ones(5).bool())
    with pytest.raises(ModelError, match="weights"):
        method.attribute(network, torch.ones(2, 6), torch.ones(2, 4), valid=valid)


class Branching(nn.Module):
    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


def test_a_network_that_cannot_be_exported_is_refused():
    with pytest.raises(ModelError, match=r"torch\.export"):
        trace(Branching(), (6,))
