"""Gradient SHAP against the plain loop and captum on the same draws, and expected gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from climxai.attribution.methods.gradient_shap import GradientShap
from climxai.attribution.methods.integrated_gradients import IntegratedGradients
from climxai.attribution.network import trace
from climxai.attribution.noise import InputNoise
from climxai.attribution.paths import random_points
from climxai.core.errors import ModelError
from tests.attribution.plain_loops import (
    BEGINNINGS,
    VALID,
    assert_same_in_any_batch,
    built,
    context,
    inputs,
    plain_gradient,
    starts,
)
from tests.attribution.rows import MemoryRows
from tests.attribution.small import SHAPE, samples, seeded

ROWS = MemoryRows(samples(count=9) * 0.7 - 0.5)


def shap(count, **given):
    return GradientShap.model_validate({"baseline": {"name": "sample", "count": count}, **given})


def drawn(x, count, draws, seed):
    """Return the baselines, the numbers and places drawn, and the generators as they are then."""
    generators = [context().generator(seed, i) for i in range(len(x))]
    maps = ROWS.draw(count, 0) * VALID
    numbers, places = random_points(generators, count, draws, x)
    return maps, numbers, places, generators


@pytest.mark.parametrize("kind", BEGINNINGS)
@pytest.mark.parametrize(("count", "draws", "noise"), [(4, 6, 0), (8, 5, 0), (4, 6, 0.2)])
def test_equal_to_the_plain_loop_for_the_same_draws(kind, count, draws, noise):
    # Fewer and more baselines than draws: gradients are summed in another way.
    module, network = built(kind)
    x, start = inputs(), starts()
    found = shap(count, draws=draws, noise=noise, seed=5).attribute(
        network, x, start, context(training=ROWS)
    )
    maps, numbers, places, generators = drawn(x, count, draws, 5)
    added = InputNoise(x, noise, VALID, generators).draw(draws)
    expected, reached = torch.zeros_like(x), torch.zeros(4).double()
    for k in range(draws):
        begin, place = maps[numbers[:, k]], places[:, k].reshape(-1, 1, 1, 1)
        way = x + added[:, k] - begin
        expected += way * plain_gradient(module, begin + place * way, start) / draws
        reached += (module(begin) * start).sum(1) / draws
    torch.testing.assert_close(found.values, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.reference, reached)
    torch.testing.assert_close(found.output, (module(x) * start).sum(1) - reached)


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_equal_to_captum_for_the_same_draws(kind, monkeypatch):
    captum = pytest.importorskip("captum.attr", reason="captum is not installed")
    module, network = built(kind)
    x, start = inputs(), torch.tensor([[0.0, 1.0, 0.0]]).double().repeat(4, 1)
    found = shap(4, draws=6).attribute(network, x, start, context(training=ROWS))
    maps, numbers, places, _ = drawn(x, 4, 6, 0)
    # captum asks numpy, first for the baselines and then for the places, sample by sample.
    monkeypatch.setattr(np.random, "choice", lambda *_: numbers.flatten().numpy())
    monkeypatch.setattr(np.random, "uniform", lambda *_: places.flatten().numpy())
    expected = captum.GradientShap(module).attribute(
        x, baselines=maps, n_samples=6, stdevs=0.0, target=1
    )
    torch.testing.assert_close(found.values, expected, rtol=1e-6, atol=1e-9)


def test_a_linear_network_gives_weight_times_mean_difference():
    module = seeded(nn.Sequential(nn.Flatten(), nn.Linear(96, 3)))
    network, x, start = trace(module, SHAPE, torch.float64), inputs(), starts()
    weights = (start @ module[1].weight).reshape(x.shape)
    found = GradientShap(draws=3, baseline="climatology").attribute(
        network, x, start, context(training=ROWS)
    )
    torch.testing.assert_close(found.values, weights * (x - ROWS.mean() * VALID))
    several = shap(4, draws=6).attribute(network, x, start, context(training=ROWS))
    maps, numbers, _, _ = drawn(x, 4, 6, 0)
    torch.testing.assert_close(several.values, weights * (x - maps[numbers].mean(1)))
    torch.testing.assert_close(several.values.flatten(1).sum(1), several.output)


@pytest.mark.parametrize("kind", ["narrow", "wide"])
def test_one_baseline_is_the_same_however_sums_are_taken(kind):
    # One map twice is two baselines, and then every draw may cross the network on its own.
    _, network = built(kind)
    x, start = inputs(), starts()
    once = GradientShap(draws=5, baseline="zero").attribute(network, x, start, context())
    twice = MemoryRows(torch.zeros(1, *SHAPE))
    other = shap(2, draws=5).attribute(network, x, start, context(training=twice))
    torch.testing.assert_close(once.values, other.values, rtol=1e-9, atol=1e-12)


def test_many_draws_approach_expected_gradients():
    _, network = built("narrow")
    x, start = inputs(2), starts(2)
    expected = IntegratedGradients.model_validate(
        {"steps": 400, "baseline": {"name": "sample", "count": 9}}
    ).attribute(network, x, start, context(training=ROWS))
    found = shap(9, draws=40000).attribute(network, x, start, context(training=ROWS))
    assert (found.values - expected.values).norm() < 0.02 * expected.values.norm()
    gap = (found.values.flatten(1).sum(1) - found.output).abs()
    assert gap.max() < 0.05 * found.output.abs().max()


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_neither_batch_nor_memory_nor_land_matters(kind):
    _, network = built(kind)
    for noise in (0, 0.1):
        method = shap(3, draws=4, noise=noise)
        assert_same_in_any_batch(method, network, ROWS)
        found = method.attribute(network, inputs(), starts(), context(training=ROWS))
        assert not found.values[:, ~VALID].any()


def test_what_is_refused_and_what_is_empty():
    _, network = built("narrow")
    with pytest.raises(ModelError, match="there are none here"):
        GradientShap().check(network, context())
    GradientShap(baseline="zero").check(network, context())
    with pytest.raises(ModelError, match="objective's weights have shape"):
        GradientShap(baseline="zero").attribute(network, inputs(), starts()[:, :2], context())
    for wrong in ({"draws": 0}, {"noise": -1}, {"baseline": "uniform"}):
        with pytest.raises(ValidationError):
            GradientShap.model_validate(wrong)
    none = shap(2).attribute(network, inputs()[:0], starts()[:0], context(training=ROWS))
    assert none.values.shape == (0, *SHAPE)
