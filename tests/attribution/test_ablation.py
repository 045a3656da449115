"""Ablation by groups: against a slow loop, captum and the closed form; overlap, land, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from climxai.attribution.context import Context
from climxai.attribution.groups.grouping import Boxes, Regions
from climxai.attribution.methods.ablation import Ablation
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
    loop_falls,
    plain,
    traced,
    world,
)

NETWORKS = [dense, convolutional]
NESTED = Regions(regions={"all": "global", "part": [-60, 60, 40, 100]})


def run(module, method, x, context, network=None):
    network = network or traced(module)
    return method.attribute(network, x, first_output(network, x), context).values


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("groups", [Boxes(lat=45, lon=100), NESTED, Boxes(channels="together")])
def test_against_a_slow_loop_regions_overlapping_too(make, groups):
    module = make()
    x, context = world()
    cover = groups.cover(context.valid.numpy(), LAT, LON)
    fill = context.training.mean()[None]
    falls = loop_falls(module, x, first_output(traced(module), x), cover, fill)
    expected = torch.zeros(len(x), 96, dtype=x.dtype)
    for number, cells in enumerate(groups_of(cover)):
        expected[:, cells] += falls[:, number, None] / len(cells)
    found = run(module, Ablation(groups=groups, fill="climatology"), x, context)
    torch.testing.assert_close(found, expected.reshape(x.shape), rtol=1e-9, atol=1e-12)
    assert (found[:, ~context.valid] == 0).all()


@pytest.mark.parametrize("make", NETWORKS)
def test_against_captum_where_every_cell_shows_the_fall_of_its_group(make):
    attr = pytest.importorskip("captum.attr", reason="captum, the oracle, is not installed")
    module = make()
    x, context = world(valid=torch.ones(SHAPE, dtype=torch.bool))
    cover = Boxes(lat=45, lon=100).cover(context.valid.numpy(), LAT, LON)
    mask = torch.from_numpy(cover.number).reshape(1, *SHAPE)
    oracle = attr.FeatureAblation(lambda maps: module(maps)[:, 0] - 0.5 * module(maps)[:, 1])
    expected = oracle.attribute(x, feature_mask=mask).to(x)
    sizes = torch.from_numpy(cover.sizes)[mask]
    found = run(module, Ablation(groups=Boxes(lat=45, lon=100)), x, context)
    torch.testing.assert_close(found * sizes, expected, rtol=1e-6, atol=1e-7)


def test_closed_form_on_a_linear_network():
    # Cell by cell the scalar falls by w x, and channels by their sums.
    module = linear()
    x, context = world()
    weight = module[1].weight.detach()
    product = (weight[0] - 0.5 * weight[1]).reshape(SHAPE) * x
    cells = run(module, Ablation(groups="cells"), x, context)
    torch.testing.assert_close(cells, product)
    channels = run(module, Ablation(groups="channels"), x, context)
    torch.testing.assert_close(channels.sum((2, 3)), product.sum((2, 3)))
    assert channels[0, 0][context.valid[0]].unique().numel() == 1


def test_the_quick_way_and_whole_maps_agree():
    module = dense()
    x, context = world()
    for groups in ("cells", "channels", NESTED):
        method = Ablation(groups=groups, fill={"name": "sample", "count": 2})
        torch.testing.assert_close(
            run(module, method, x, context),
            run(module, method, x, context, plain(traced(module))),
            rtol=1e-9,
            atol=1e-12,
        )


@pytest.mark.parametrize("make", NETWORKS)
def test_a_map_depends_on_neither_batch_nor_memory(make):
    module = make()
    network = traced(module)
    x, context = world(count=5)
    method = Ablation(groups=Boxes(lat=45, lon=100), fill="local_mean")
    whole = run(module, method, x, context, network)
    parts = [
        run(module, method, x[part], context.take(part), network)
        for part in (slice(0, 2), slice(2, 5))
    ]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-9, atol=1e-12)
    found = run(module, method, x, replace(context, memory=20_000), network)
    torch.testing.assert_close(found, whole, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({}, {"grid": None}, "the network's grid is not known here"),
        (
            {"groups": Regions(regions={"land": [-60, -20, 0, 95]})},
            {},
            "region 'land' holds no valid cell",
        ),
        ({"groups": "cells", "fill": "local_mean"}, {}, "single cells"),
        ({"fill": "climatology"}, {"training": None}, "training samples"),
    ],
)
def test_what_does_not_suit_is_refused_before_anything_runs(settings, changes, message):
    _, context = world()
    with pytest.raises(ModelError, match=message):
        Ablation(**settings).check(traced(dense()), replace(context, **changes))


def test_a_network_of_no_maps_is_refused():
    from torch import nn

    from climxai.attribution.network import trace
    from tests.attribution.small import seeded

    network = trace(seeded(nn.Linear(7, 2)), (7,), torch.float64)
    with pytest.raises(ModelError, match=r"maps \[channel, lat, lon\]"):
        Ablation(groups="cells").check(network, Context(torch.ones(7, dtype=torch.bool)))
