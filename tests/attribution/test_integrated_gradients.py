"""Integrated gradients against the plain loop, captum, closed forms, and what it promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from climxai.attribution.beginning import Whole, beginning_of
from climxai.attribution.methods import METHODS
from climxai.attribution.methods.integrated_gradients import IntegratedGradients
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.plain_loops import (
    BEGINNINGS,
    VALID,
    assert_same_in_any_batch,
    built,
    context,
    inputs,
    narrow,
    plain_gradient,
    starts,
)
from tests.attribution.relu_networks import Convolutional, Functional
from tests.attribution.rows import MemoryRows
from tests.attribution.small import SHAPE, samples, seeded

ROWS = MemoryRows(samples(count=7) - 0.5, torch.tensor([0, 1, 0, 1, 1, 0, 1]))


def plain_loop(module, x, baseline, start, steps, rule):
    """Sum gradients point by point, each through the whole network."""
    if rule == "trapezoid":
        places = np.arange(steps) / (steps - 1)
        weights = [0.5 if i in (0, steps - 1) else 1.0 for i in range(steps)]
        weights = np.array(weights) / (steps - 1)
    else:
        roots, weights = np.polynomial.legendre.leggauss(steps)
        places, weights = 0.5 * roots + 0.5, 0.5 * weights
    total = torch.zeros_like(x)
    for place, weight in zip(places, weights, strict=True):
        total += weight * plain_gradient(module, baseline + place * (x - baseline), start)
    return total * (x - baseline)


def test_the_networks_begin_in_every_way():
    kinds = {kind: beginning_of(built(kind)[1]) for kind in BEGINNINGS}
    assert kinds["narrow"].narrow
    assert not kinds["wide"].narrow
    assert not isinstance(kinds["wide"], Whole)
    assert isinstance(kinds["none"], Whole)


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("rule", ["trapezoid", "gauss_legendre"])
@pytest.mark.parametrize("baseline", ["zero", {"name": "class_mean", "class_name": "b"}])
def test_equal_to_the_plain_loop(kind, rule, baseline):
    module, network = built(kind)
    x, start = inputs(), starts()
    method = IntegratedGradients.model_validate({"steps": 9, "rule": rule, "baseline": baseline})
    found = method.attribute(network, x, start, context(training=ROWS))
    origin = ROWS.mean("b") * VALID if baseline != "zero" else torch.zeros(SHAPE).double()
    expected = plain_loop(module, x, origin, start, 9, rule)
    torch.testing.assert_close(found.values, expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found.reference, (module(origin[None]) * start).sum(1))
    torch.testing.assert_close(found.output, (module(x) * start).sum(1) - found.reference)


def test_equal_to_the_plain_loop_in_float32_on_a_whole_map():
    # The network of the benchmark: products of 16,020 values, in another order.
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(16020, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)
    )
    shape = (1, 89, 180)
    x, start = torch.randn(4, *shape), torch.tensor([[1.0, -1.0]]).repeat(4, 1)
    wide = context().__class__(torch.ones(shape, dtype=torch.bool))
    found = IntegratedGradients().attribute(trace(module, shape), x, start, wide)
    expected = plain_loop(module.double(), x.double(), 0 * x.double(), start, 50, "trapezoid")
    error = (found.values - expected).norm() / expected.norm()
    assert error < 2e-6


@pytest.mark.parametrize("kind", ["narrow", "wide"])
@pytest.mark.parametrize("rule", ["trapezoid", "gauss_legendre"])
def test_equal_to_captum(kind, rule):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    module, network = built(kind)
    x, baseline = inputs(), ROWS.mean() * VALID
    start = torch.zeros(4, 3).double()
    start[:, 1] = 1
    method = IntegratedGradients(steps=12, rule=rule, baseline="climatology")
    found = method.attribute(network, x, start, context(training=ROWS))
    names = {"trapezoid": "riemann_trapezoid", "gauss_legendre": "gausslegendre"}
    expected = captum.IntegratedGradients(module).attribute(
        x, baselines=baseline[None], target=1, n_steps=12, method=names[rule]
    )
    if rule == "trapezoid":
        # captum's weights of this rule sum to 11/12: it divides by points where intervals count.
        expected = expected * 12 / 11
    # captum keeps its points and weights in float32.
    assert (found.values - expected).norm() < 1e-6 * expected.norm()


def test_a_linear_network_gives_weight_times_difference():
    module = seeded(nn.Sequential(nn.Flatten(), nn.Linear(96, 3)))
    x, start = inputs(), starts()
    weights = (start @ module[1].weight).reshape(x.shape)
    for steps in (2, 5):
        method = IntegratedGradients(steps=steps, baseline="climatology")
        network = trace(module, SHAPE, torch.float64)
        found = method.attribute(network, x, start, context(training=ROWS))
        torch.testing.assert_close(found.values, weights * (x - ROWS.mean() * VALID))


def test_a_square_gives_half_its_gradient_exactly():
    # f = (w x)^2 has the gradient 2 (w x) w, linear along the line: both rules are exact.
    class Square(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(96, 1, bias=False)

        def forward(self, x):
            return self.dense(x.flatten(1)).square()

    module = seeded(Square())
    x = inputs()
    weight = module.dense.weight
    expected = (x.flatten(1) * weight * (x.flatten(1) @ weight.T)).reshape(x.shape)
    network, start = trace(module, SHAPE, torch.float64), torch.ones(4, 1).double()
    for rule in ("trapezoid", "gauss_legendre"):
        method = IntegratedGradients(steps=2, rule=rule)
        found = method.attribute(network, x, start, context())
        torch.testing.assert_close(found.values, expected)
        torch.testing.assert_close(found.output, (module(x)).sum(1))


@pytest.mark.parametrize("kind", ["narrow", "wide"])
def test_relevance_sums_to_the_difference_the_closer_the_more_steps(kind):
    _, network = built(kind)
    x, start = inputs(), starts()
    gaps = []
    for steps in (3, 30, 1000):
        found = IntegratedGradients(steps=steps).attribute(network, x, start, context())
        gaps.append((found.values.flatten(1).sum(1) - found.output).abs().max().item())
    assert gaps[2] < gaps[1] < gaps[0]
    assert gaps[2] < 0.01 * found.output.abs().max()


def test_few_gauss_legendre_points_are_exact_for_a_smooth_network():
    module = seeded(nn.Sequential(nn.Flatten(), nn.Linear(96, 6), nn.Tanh(), nn.Linear(6, 3)))
    network, x = trace(module, SHAPE, torch.float64), samples() * VALID / 5
    gaps = {}
    for rule in ("trapezoid", "gauss_legendre"):
        method = IntegratedGradients(steps=20, rule=rule)
        found = method.attribute(network, x, starts(), context())
        gaps[rule] = (found.values.flatten(1).sum(1) - found.output).abs().max().item()
    assert gaps["gauss_legendre"] < 1e-9 < gaps["trapezoid"]


def test_the_same_function_written_otherwise_has_the_same_relevance():
    x, start = inputs(), starts()
    method = IntegratedGradients(steps=7)

    def values(module):
        return method.attribute(trace(module, SHAPE, torch.float64), x, start, context()).values

    torch.testing.assert_close(values(seeded(Functional())), values(seeded(Convolutional())))

    class Rewritten(nn.Module):
        # Relu(h) = h + relu(-h), and no operator before it that is linear.
        def __init__(self, dense):
            super().__init__()
            self.first, self.second, self.third = dense[1], dense[3], dense[5]

        def forward(self, x):
            h = self.first(torch.maximum(x, x - 1).flatten(1))
            return self.third(torch.tanh(self.second(h + torch.relu(-h))))

    dense = seeded(narrow())
    torch.testing.assert_close(values(Rewritten(dense)), values(dense))


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_expected_gradients_are_the_mean_over_training_samples(kind):
    module, network = built(kind)
    x, start = inputs(), starts()
    baseline = {"name": "sample", "count": 3, "seed": 4}
    method = IntegratedGradients.model_validate({"steps": 5, "baseline": baseline})
    found = method.attribute(network, x, start, context(training=ROWS))
    origins = ROWS.draw(3, 4) * VALID
    each = [plain_loop(module, x, origin, start, 5, "trapezoid") for origin in origins]
    torch.testing.assert_close(found.values, torch.stack(each).mean(0), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(found.reference, (start @ module(origins).T).mean(1))


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_neither_batch_nor_memory_nor_land_matters(kind):
    _, network = built(kind)
    method = IntegratedGradients(steps=6, baseline={"name": "sample", "count": 2})
    assert_same_in_any_batch(method, network, ROWS)
    found = method.attribute(network, inputs(), starts(), context(training=ROWS))
    assert not found.values[:, ~VALID].any()


def test_what_the_objective_subtracts_falls_out_of_the_difference():
    _, network = built("narrow")
    x, start = inputs(), starts()
    plain = IntegratedGradients().attribute(network, x, start, context())
    other = IntegratedGradients().attribute(
        network, x, start, context(reference=torch.ones(1, 3).double())
    )
    assert torch.equal(plain.values, other.values)
    assert torch.equal(plain.output, other.output)


def test_no_samples_and_inference_tensors():
    _, network = built("wide")
    none = IntegratedGradients().attribute(network, inputs()[:0], starts()[:0], context())
    assert none.values.shape == (0, *SHAPE)
    assert none.output.shape == none.reference.shape == (0,)
    expected = IntegratedGradients(steps=3).attribute(network, inputs(), starts(), context())
    with torch.inference_mode():
        found = IntegratedGradients(steps=3).attribute(network, inputs(), starts(), context())
    assert torch.equal(found.values, expected.values)


def test_a_field_of_outputs():
    module = seeded(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 1, 1)))
    network, x = trace(module, SHAPE, torch.float64), inputs()
    start = torch.zeros_like(module(x))
    start[:, 0, 3, 2] = 1
    method = IntegratedGradients(steps=8, rule="gauss_legendre")
    found = method.attribute(network, x, start, context())
    expected = plain_loop(module, x, 0 * x, start, 8, "gauss_legendre")
    torch.testing.assert_close(found.values, expected, rtol=1e-10, atol=1e-12)


def test_what_is_refused():
    _, network = built("narrow")
    with pytest.raises(ModelError, match="there are none here"):
        IntegratedGradients(baseline="climatology").check(network, context())
    with pytest.raises(ModelError, match="objective's weights have shape"):
        IntegratedGradients().attribute(network, inputs(), starts()[:, :2], context())
    with pytest.raises(ModelError, match="samples of shape"):
        IntegratedGradients().attribute(network, inputs()[:, :1], starts(), context())
    for wrong in ({"steps": 1}, {"rule": "simpson"}, {"baseline": "zeros"}):
        with pytest.raises(ValidationError):
            IntegratedGradients.model_validate(wrong)


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize("name", ["integrated_gradients", "smoothgrad", "gradient_shap"])
def test_the_memory_bounds_how_many_points_are_worked_on_at_once(kind, name, monkeypatch):
    _, network = built(kind)
    front, seen = beginning_of(network), []
    plain = type(front).tail_gradient

    def watched(self, z, start):
        seen.append(len(z))
        return plain(self, z, start)

    monkeypatch.setattr(type(front), "tail_gradient", watched)
    method = METHODS[name].model_validate(
        {"name": name} if name == "smoothgrad" else {"name": name, "baseline": "zero"}
    )
    method.attribute(network, inputs(), starts(), context())
    assert max(seen) >= 50
    assert sum(seen) == 4 * 50
    seen.clear()
    # Seven times what a point's z and its gradient take, in float64, is less than seven points.
    little = context(memory=7 * 8 * 2 * front.bias.numel())
    method.attribute(network, inputs(), starts(), little)
    assert max(seen) < 7
    assert sum(seen) == 4 * 50
