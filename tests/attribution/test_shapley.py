"""Shapley values: analytic, captum, all orders one by one; completeness, land, batches."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.groups.grouping import Boxes, Regions
from climxai.attribution.methods.shapley import Shapley
from climxai.core.errors import ModelError
from tests.attribution.perturbing import (
    LAT,
    LON,
    SHAPE,
    convolutional,
    dense,
    first_output,
    groups_of,
    linear,
    plain,
    scalar,
    traced,
    world,
)

NETWORKS = [dense, convolutional]
THREE = Regions(regions={"a": [-60, 60, 100, 200], "b": [-60, 0, 210, 350]}, channels="together")
"""With what lies elsewhere, three groups."""
MANY = Boxes(lat=60, lon=130)
"""3 x 3 boxes in two channels, one of them all land."""


def run(module, method, x, context, network=None):
    network = network or traced(module)
    return method.attribute(network, x, first_output(network, x), context)


def totals(values, cover):
    """Sum of a map over every group."""
    return torch.stack([values.flatten(1)[:, cells].sum(1) for cells in groups_of(cover)], 1)


def all_orders(module, x, start, cover, fill):
    """The definition: the mean rise over all orders of putting groups back."""
    members = groups_of(cover)
    found = torch.zeros(len(x), len(members), dtype=x.dtype)
    orders = list(permutations(range(len(members))))
    for order in orders:
        now = x.clone()
        for cells in members:
            now.view(len(x), -1)[:, cells] = fill.expand_as(x).reshape(len(x), -1)[:, cells]
        before = scalar(module, now, start)
        for group in order:
            cells = members[group]
            now.view(len(x), -1)[:, cells] = x.view(len(x), -1)[:, cells]
            after = scalar(module, now, start)
            found[:, group] += (after - before) / len(orders)
            before = after
    return found


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("fill", ["zero", "climatology"])
def test_few_groups_are_exact_against_all_orders(make, fill):
    module = make()
    x, context = world()
    cover = THREE.cover(context.valid.numpy(), LAT, LON)
    base = torch.zeros_like(x[:1]) if fill == "zero" else context.training.mean()[None]
    expected = all_orders(module, x, first_output(traced(module), x), cover, base)
    found = run(module, Shapley(groups=THREE, fill=fill), x, context)
    torch.testing.assert_close(totals(found.values, cover), expected, rtol=1e-9, atol=1e-12)


class Product(nn.Module):
    """2 a + 3 a b + 5 a b c of the sums over three regions of one channel."""

    def forward(self, x):
        a, b, c = (x[:, 0, :, part].sum((1, 2)) for part in (slice(0, 3), slice(3, 5), slice(5, 8)))
        return torch.stack([2 * a + 3 * a * b + 5 * a * b * c, 0 * a], dim=1)


def test_analytic_values_of_three_regions():
    # A product's value is shared evenly by its factors: 3ab half and half, 5abc in thirds.
    x, context = world(valid=torch.ones(SHAPE, dtype=torch.bool))
    groups = Regions(
        regions={"a": [-60, 60, 0, 100], "b": [-60, 60, 120, 200], "c": [-60, 60, 220, 350]},
        channels="each",
    )
    a, b, c = (x[:, 0, :, part].sum((1, 2)) for part in (slice(0, 3), slice(3, 5), slice(5, 8)))
    ab, abc = 3 * a * b, 5 * a * b * c
    expected = torch.stack([2 * a + ab / 2 + abc / 3, ab / 2 + abc / 3, abc / 3], dim=1)
    network = traced(Product())
    start = torch.zeros(len(x), 2, dtype=x.dtype)
    start[:, 0] = 1
    found = Shapley(groups=groups).attribute(network, x, start, context)
    cover = groups.cover(context.valid.numpy(), LAT, LON)
    assert cover.names == ("a", "a", "b", "b", "c", "c")
    sums = totals(found.values, cover)
    torch.testing.assert_close(sums[:, ::2], expected)
    torch.testing.assert_close(sums[:, 1::2], torch.zeros_like(expected))
    torch.testing.assert_close(found.output, 2 * a + ab + abc)


@pytest.mark.parametrize("make", NETWORKS)
def test_sampling_is_complete_and_nears_the_exact_values(make):
    module = make()
    x, context = world()
    cover = MANY.cover(context.valid.numpy(), LAT, LON)
    assert len(cover) > 8
    found = run(module, Shapley(groups=MANY, fill="climatology", permutations=6), x, context)
    start = first_output(traced(module), x)
    base = context.training.mean()[None].expand_as(x)
    expected = scalar(module, x, start) - scalar(module, base, start)
    torch.testing.assert_close(found.output, expected)
    torch.testing.assert_close(found.values.sum((1, 2, 3)), expected)
    torch.testing.assert_close(found.reference, scalar(module, base, start))
    assert (found.values[:, ~context.valid] == 0).all()


@pytest.mark.parametrize("make", NETWORKS)
def test_sampling_against_captum(make):
    # Both estimate; with many orders they meet. The error of 600 orders is far below the tolerance.
    attr = pytest.importorskip("captum.attr", reason="captum, the oracle, is not installed")
    module = make()
    x, context = world(count=2, valid=torch.ones(SHAPE, dtype=torch.bool))
    groups = Boxes(lat=60, lon=130, channels="together")
    cover = groups.cover(context.valid.numpy(), LAT, LON)
    assert len(cover) == 9
    mask = torch.from_numpy(cover.number).reshape(1, *SHAPE)
    oracle = attr.ShapleyValueSampling(lambda maps: module(maps)[:, 0] - 0.5 * module(maps)[:, 1])
    torch.manual_seed(0)
    expected = oracle.attribute(x, feature_mask=mask, n_samples=600).to(x)
    found = run(module, Shapley(groups=groups, permutations=600), x, context).values
    found = found * torch.from_numpy(cover.sizes)[mask]
    scale = expected.abs().max()
    torch.testing.assert_close(found, expected, rtol=0, atol=0.06 * float(scale))
    assert scale > 0.2


def test_sampling_is_unbiased_against_the_exact_values():
    # 16 groups are more than are enumerated by default: here all their sets are, for comparison.
    from climxai.attribution.coalitions import shapley

    module = dense()
    network = traced(module)
    x, context = world(count=2)
    method = Shapley(groups=MANY, fill="zero", permutations=2000, seed=3)
    start = first_output(network, x)
    indices = method._indices(network, context)
    exact = shapley(network, x, start, method.fill, indices, context, orders=None, seed=0).values
    found = method.attribute(network, x, start, context).values
    torch.testing.assert_close(found, exact, rtol=0, atol=0.03 * float(exact.abs().max()))


def test_closed_form_on_a_linear_network_needs_no_luck():
    # Without joint effects every order gives w (x - fill), however few are drawn.
    module = linear()
    x, context = world()
    weight = module[1].weight.detach()
    product = (weight[0] - 0.5 * weight[1]).reshape(SHAPE) * (x - context.training.mean())
    cover = MANY.cover(context.valid.numpy(), LAT, LON)
    found = run(module, Shapley(groups=MANY, fill="climatology", permutations=2), x, context)
    torch.testing.assert_close(totals(found.values, cover), totals(product, cover))


def test_samples_as_fill_are_averaged_over():
    module = dense()
    x, context = world()
    cover = THREE.cover(context.valid.numpy(), LAT, LON)
    start = first_output(traced(module), x)
    expected = sum(
        all_orders(module, x, start, cover, each[None]) / 3 for each in context.training.draw(3, 0)
    )
    fill = {"name": "sample", "count": 3}
    found = run(module, Shapley(groups=THREE, fill=fill), x, context)
    torch.testing.assert_close(totals(found.values, cover), expected, rtol=1e-9, atol=1e-12)


def test_local_mean_keeps_completeness():
    module = convolutional()
    x, context = world()
    found = run(module, Shapley(groups=MANY, fill="local_mean"), x, context)
    torch.testing.assert_close(found.values.sum((1, 2, 3)), found.output)


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("groups", [THREE, MANY])
def test_a_map_depends_on_neither_batch_nor_memory(make, groups):
    module = make()
    network = traced(module)
    x, context = world(count=5)
    method = Shapley(groups=groups, permutations=4)
    whole = run(module, method, x, context, network)
    parts = [
        run(module, method, x[part], context.take(part), network).values
        for part in (slice(0, 2), slice(2, 5))
    ]
    torch.testing.assert_close(torch.cat(parts), whole.values, rtol=1e-9, atol=1e-12)
    tight = run(module, method, x, replace(context, memory=20_000), network)
    torch.testing.assert_close(tight.values, whole.values, rtol=1e-9, atol=1e-12)
    slow = run(module, method, x, context, plain(traced(module)))
    torch.testing.assert_close(slow.values, whole.values, rtol=1e-9, atol=1e-12)


def test_the_orders_come_from_the_seed():
    module = dense()
    x, context = world()
    one, same, other = (
        run(module, Shapley(groups=MANY, permutations=2, seed=seed), x, context).values
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


def test_a_group_the_network_ignores_gets_exactly_nothing():
    module = dense()
    module[1].weight.data[:, 48:] = 0
    x, context = world()
    found = run(module, Shapley(groups=MANY, permutations=2), x, context).values
    assert (found[:, 1] == 0).all()


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        (
            {"groups": Regions(regions={"all": "global", "part": [-60, 60, 40, 100]})},
            {},
            "in several groups.*make the regions smaller",
        ),
        ({"groups": Boxes()}, {"grid": None}, "grid is not known"),
        ({"fill": "climatology"}, {"training": None}, "training samples"),
    ],
)
def test_what_does_not_suit_is_refused_before_anything_runs(settings, changes, message):
    _, context = world()
    with pytest.raises(ModelError, match=message):
        Shapley(**settings).check(traced(dense()), replace(context, **changes))


def test_too_many_groups_are_refused():
    from climxai.attribution.network import trace
    from tests.attribution.small import seeded

    shape = (1, 30, 30)
    network = trace(seeded(nn.Sequential(nn.Flatten(), nn.Linear(900, 2))), shape, torch.float64)
    with pytest.raises(ModelError, match="900 groups, expected at most 500"):
        Shapley(groups="cells").check(network, Context(torch.ones(shape, dtype=torch.bool)))
