"""Averages of methods and of networks against numpy means of what each gives alone; the control."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.composition import Average, RandomMap, SeedAverage
from climxai.attribution.methods.gradients import InputTimesGradient
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from climxai.core.errors import ModelError
from tests.attribution.small import SHAPE, samples, seeded

VALID = torch.ones(SHAPE, dtype=torch.bool)
VALID[:, 2:4, 5] = False


def network(seed=0, bias=True):
    module = nn.Sequential(nn.Flatten(), nn.Linear(96, 6), nn.ReLU(), nn.Linear(6, 2))
    return trace(seeded(module, bias=bias, seed=seed), SHAPE, torch.float64)


def inputs():
    return samples() * VALID


def start(x):
    return torch.tensor([[1.0, 0.0]]).double().repeat(len(x), 1)


def alone(method, traced, x, reference=None):
    found = method.attribute(traced, x, start(x), Context(VALID, reference))
    return found.values.numpy()


@pytest.mark.parametrize(
    ("how", "size"),
    [
        ("none", lambda m: 1.0),
        ("max", lambda m: np.abs(m).max()),
        ("sum", lambda m: np.abs(m).sum()),
        ("l2", lambda m: np.sqrt((m**2).sum())),
    ],
)
def test_an_average_of_methods(how, size):
    x, traced = inputs(), network()
    parts = (LayerwiseRelevance(rule="alpha1beta0"), InputTimesGradient())
    found = Average(methods=parts, normalise=how).attribute(traced, x, start(x), Context(VALID))
    for i in range(len(x)):
        maps = [alone(part, traced, x)[i] for part in parts]
        expected = np.mean([each / size(each) for each in maps], axis=0)
        np.testing.assert_allclose(found.values[i].numpy(), expected, rtol=1e-12, atol=1e-14)


def test_an_undivided_average_conserves_what_its_methods_do():
    x, traced = inputs(), network(bias=False)
    method = Average(methods=("lrp", "input_x_gradient"), normalise="none")
    assert method.decomposes
    assert not Average(methods=("lrp", "saliency"), normalise="none").decomposes
    assert not Average(methods=("lrp", "input_x_gradient")).decomposes
    found = method.attribute(traced, x, start(x), Context(VALID))
    torch.testing.assert_close(found.values.flatten(1).sum(1), traced(x)[:, 0])
    torch.testing.assert_close(found.output, traced(x)[:, 0])


def test_signs_follow_the_methods():
    assert not Average(methods=("saliency", "lrp")).signed
    assert Average(methods=("saliency", "input_x_gradient")).signed
    assert not SeedAverage(method="saliency").signed
    assert not SeedAverage(method="saliency").decomposes


def test_a_zero_map_stays_zero_in_an_average():
    traced = network()
    x = torch.zeros(2, *SHAPE).double()
    found = Average(methods=("input_x_gradient", "lrp")).attribute(
        traced, x, start(x), Context(VALID)
    )
    assert not found.values.any()


def test_one_method_is_no_average():
    with pytest.raises(ValidationError, match="at least 2"):
        Average(methods=("lrp",))


def test_an_average_over_seeds_explains_the_networks_mean():
    x = inputs()
    networks = [network(seed, bias=False) for seed in (1, 2, 3)]
    references = [each(torch.zeros(1, *SHAPE).double()) for each in networks]
    context = Context(VALID, peers=tuple(zip(networks, references, strict=True)))
    method = SeedAverage(method="input_x_gradient")
    assert method.over_seeds
    assert method.decomposes
    found = method.attribute(networks[0], x, start(x), context)
    expected = np.mean([alone(InputTimesGradient(), each, x) for each in networks], axis=0)
    np.testing.assert_allclose(found.values.numpy(), expected, rtol=1e-12)
    mean = torch.stack([each(x)[:, 0] for each in networks]).mean(0)
    torch.testing.assert_close(found.output, mean)
    torch.testing.assert_close(found.values.flatten(1).sum(1), mean)


def test_an_average_over_seeds_needs_them():
    x = inputs()
    with pytest.raises(ModelError, match="needs the networks of all seeds"):
        SeedAverage().attribute(network(), x, start(x), Context(VALID))


def test_nested_methods_are_checked():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.Linear(96, 2)

        def forward(self, x):
            return torch.cumsum(self.dense(x.flatten(1)), 1)

    odd = trace(seeded(Odd()), SHAPE, torch.float64)
    for method in (Average(methods=("saliency", "lrp")), SeedAverage(method="lrp")):
        with pytest.raises(ModelError, match="cumsum"):
            method.check(odd, Context(VALID))


def test_random_maps_are_uniform_on_valid_cells_and_nothing_else():
    x = inputs()[:1].repeat(200, 1, 1, 1)
    rows = torch.arange(200)
    found = RandomMap().attribute(network(), x, start(x), Context(VALID, rows=rows)).values
    assert not found[:, ~VALID].any()
    drawn = found[:, VALID].numpy()
    # Uniform on (-1, 1): mean 0, variance 1/3; the bounds are five standard errors of 18,400 draws.
    assert abs(drawn.mean()) < 5 * np.sqrt(1 / 3 / drawn.size)
    assert abs(drawn.var() - 1 / 3) < 5 * np.sqrt(4 / 45 / drawn.size)
    assert len(np.unique(drawn[:, 0])) == 200


def test_random_maps_depend_on_row_and_seed_alone():
    x, traced = inputs(), network()
    rows = torch.tensor([40, 7, 9, 11])
    context = Context(VALID, rows=rows)
    whole = RandomMap().attribute(traced, x, start(x), context).values
    part = RandomMap().attribute(traced, x[1:3], start(x)[1:3], context.take(slice(1, 3))).values
    assert torch.equal(whole[1:3], part)
    other = RandomMap(seed=1).attribute(traced, x, start(x), context).values
    assert not torch.equal(whole, other)
    assert not RandomMap().decomposes
    assert RandomMap().signed


@pytest.mark.parametrize("inner", ["seed_average", {"name": "seed_average"}, "random"])
def test_what_cannot_be_nested_says_so(inner):
    with pytest.raises(ValidationError, match="cannot be nested in another: list it by itself"):
        SeedAverage(method=inner)
    with pytest.raises(ValidationError, match="cannot be nested in another: list it by itself"):
        Average(methods=[inner, "lrp"])


def test_an_average_stands_in_one_over_seeds_alone():
    assert SeedAverage(method="average").method == Average()
    with pytest.raises(ValidationError, match="the method average cannot be nested"):
        Average(methods=["average", "lrp"])
