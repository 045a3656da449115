"""Permutation importance per sample: loops, closed forms, both directions, several passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from climxai.attribution.donors import picked
from climxai.attribution.groups.grouping import Boxes, Regions
from climxai.attribution.methods.permutation import PermutationImportance
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
    scalar,
    traced,
    world,
)
from tests.attribution.rows import MemoryRows
from tests.attribution.small import seeded

NETWORKS = [dense, convolutional]
BOXES = Boxes(lat=90, lon=130)


def run(module, method, x, context, network=None):
    network = network or traced(module)
    return method.attribute(network, x, first_output(network, x), context)


def totals(values, cover):
    return torch.stack([values.flatten(1)[:, cells].sum(1) for cells in groups_of(cover)], 1)


def taken(method, x, context):
    """The donors of every sample [repeat, sample, channel, lat, lon], as the method draws them."""
    pool = context.training.draw(min(method.pool, len(context.training)), method.seed)
    chosen = picked(x, pool, method.repeats, context, method.seed)
    return [pool[chosen[:, repeat]] for repeat in range(method.repeats)]


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_one_pass_against_a_slow_loop(make, direction):
    module = make()
    x, context = world()
    method = PermutationImportance(groups=BOXES, repeats=3, direction=direction)
    cover = BOXES.cover(context.valid.numpy(), LAT, LON)
    start = first_output(traced(module), x)
    expected = torch.zeros(len(x), len(cover), dtype=x.dtype)
    for donor in taken(method, x, context):
        if direction == "backward":
            expected += loop_falls(module, x, start, cover, donor) / 3
        else:
            # From the donor, each group put back: what the scalar rises by.
            expected -= loop_falls(module, donor, start, cover, x) / 3
    found = run(module, method, x, context)
    torch.testing.assert_close(totals(found.values, cover), expected, rtol=1e-9, atol=1e-12)
    assert (found.values[:, ~context.valid] == 0).all()


def test_closed_form_on_a_linear_network():
    # Every group falls by w (x - mean of its donors), in both directions and however many passes.
    module = linear()
    x, context = world()
    weight = module[1].weight.detach()
    for settings in ({}, {"direction": "forward"}, {"passes": "multi"}):
        method = PermutationImportance(groups=BOXES, repeats=4, **settings)
        mean = sum(taken(method, x, context)) / 4
        product = (weight[0] - 0.5 * weight[1]).reshape(SHAPE) * (x - mean)
        cover = BOXES.cover(context.valid.numpy(), LAT, LON)
        found = run(module, method, x, context)
        torch.testing.assert_close(totals(found.values, cover), totals(product, cover))


def greedy(module, x, donor, start, members, *, forward):
    """Several passes over one sample, spelt out."""
    now = donor.clone() if forward else x.clone()
    source = x if forward else donor
    left, falls = list(range(len(members))), torch.zeros(len(members), dtype=x.dtype)
    value = scalar(module, now, start)
    while left:
        tried = {}
        for group in left:
            changed = now.clone()
            changed.view(-1)[members[group]] = source.reshape(-1)[members[group]]
            change = scalar(module, changed, start) - value
            tried[group] = float(change if forward else -change)
        best = max(left, key=tried.__getitem__)
        falls[best] = tried[best]
        now.view(-1)[members[best]] = source.reshape(-1)[members[best]]
        value = scalar(module, now, start)
        left.remove(best)
    return falls


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_several_passes_against_a_slow_loop_and_complete(make, direction):
    module = make()
    x, context = world(count=3)
    method = PermutationImportance(groups=BOXES, repeats=2, passes="multi", direction=direction)
    cover = BOXES.cover(context.valid.numpy(), LAT, LON)
    start = first_output(traced(module), x)
    expected = torch.zeros(len(x), len(cover), dtype=x.dtype)
    fall = torch.zeros(len(x), dtype=x.dtype)
    for donor in taken(method, x, context):
        fall += (scalar(module, x, start) - scalar(module, donor, start)) / 2
        for number in range(len(x)):
            one = slice(number, number + 1)
            expected[number] += (
                greedy(
                    module, x[one], donor[one], start[one], groups_of(cover),
                    forward=direction == "forward",
                )
                / 2
            )  # fmt: skip
    found = run(module, method, x, context)
    torch.testing.assert_close(totals(found.values, cover), expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found.values.sum((1, 2, 3)), fall)
    torch.testing.assert_close(found.output, fall)
    assert method.decomposes
    assert not PermutationImportance().decomposes


def test_several_passes_see_what_two_regions_hold_in_common():
    # max(a, b): replacing one of two equal values by less changes nothing, replacing both does.
    class Larger(nn.Module):
        def forward(self, x):
            return torch.maximum(x[:, 0, 0, 4], x[:, 0, 0, 6])[:, None] * x.new_tensor([1.0, 0.0])

    x = torch.zeros((1, *SHAPE), dtype=torch.float64)
    x[0, 0, 0, 4] = x[0, 0, 0, 6] = 1.0
    _, context = world(count=1)
    context = replace(context, training=MemoryRows(torch.zeros((2, *SHAPE), dtype=x.dtype)))
    single, multi = (
        run(Larger(), PermutationImportance(groups="cells", passes=passes, repeats=1), x,
            replace(context, valid=valid)).values
        for passes, valid in (("single", context.valid), ("multi", context.valid & (x[0] != 0)))
    )  # fmt: skip
    assert single.abs().sum() == 0
    assert multi.sum() == 1


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize(
    "settings", [{}, {"direction": "forward"}, {"passes": "multi"}, {"groups": "channels"}]
)
def test_an_irrelevant_channel_gets_exactly_nothing(make, settings):
    module = make()
    first = module[0] if make is convolutional else module[1]
    weight = first.weight.data
    (weight[:, 1] if weight.ndim == 4 else weight[:, 48:])[:] = 0
    x, context = world()
    method = PermutationImportance(**{"groups": BOXES, "repeats": 2, **settings})
    found = run(module, method, x, context).values
    assert (found[:, 1] == 0).all()
    assert found[:, 0].abs().max() > 1e-3


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("passes", ["single", "multi"])
def test_a_map_depends_on_neither_batch_nor_memory(make, passes):
    module = make()
    network = traced(module)
    x, context = world(count=5)
    method = PermutationImportance(groups=BOXES, repeats=3, passes=passes)
    whole = run(module, method, x, context, network).values
    parts = [
        run(module, method, x[part], context.take(part), network).values
        for part in (slice(0, 2), slice(2, 5))
    ]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-9, atol=1e-12)
    tight = run(module, method, x, replace(context, memory=20_000), network).values
    torch.testing.assert_close(tight, whole, rtol=1e-9, atol=1e-12)
    slow = run(module, method, x, context, plain(traced(module))).values
    torch.testing.assert_close(slow, whole, rtol=1e-9, atol=1e-12)


def test_values_come_from_other_samples_and_none_twice_too_early():
    x, context = world(count=3)
    pool = torch.cat([x[:2], context.training.inputs[:4]])
    chosen = picked(x, pool, 11, context, seed=1)
    assert 0 not in chosen[0]
    assert 1 not in chosen[1]
    assert sorted(chosen[0, :5].tolist()) == [1, 2, 3, 4, 5]
    assert sorted(chosen[2, :6].tolist()) == [0, 1, 2, 3, 4, 5]
    assert not torch.equal(chosen, picked(x, pool, 11, context, seed=2))


def test_every_setting_counts():
    module = dense()
    x, context = world(rows=30)
    base = {"groups": "channels", "repeats": 2, "pool": 20}
    found = [
        run(module, PermutationImportance(**{**base, **change}), x, context).values
        for change in (
            {}, {"repeats": 3}, {"pool": 5}, {"seed": 1}, {"direction": "forward"},
            {"passes": "multi"}, {"groups": "cells"},
        )
    ]  # fmt: skip
    for number, one in enumerate(found):
        assert all(not torch.allclose(one, other) for other in found[:number])


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({}, {"training": None}, "other training samples"),
        ({}, {"grid": None}, "grid is not known"),
        (
            {
                "direction": "forward",
                "groups": Regions(regions={"all": "global", "part": [-60, 60, 40, 100]}),
            },
            {},
            "in several groups",
        ),
    ],
)
def test_what_does_not_suit_is_refused_before_anything_runs(settings, changes, message):
    _, context = world()
    with pytest.raises(ModelError, match=message):
        PermutationImportance(**settings).check(traced(dense()), replace(context, **changes))


def test_several_passes_over_too_many_groups_are_refused():
    from climxai.attribution.network import trace

    shape = (1, 12, 12)
    network = trace(seeded(nn.Sequential(nn.Flatten(), nn.Linear(144, 2))), shape, torch.float64)
    _, context = world()
    context = replace(context, valid=torch.ones(shape, dtype=torch.bool), grid=None)
    with pytest.raises(ModelError, match="at most 100 groups"):
        PermutationImportance(groups="cells", passes="multi").check(network, context)


def test_a_pool_of_nothing_but_the_sample_is_refused():
    x, context = world(count=1)
    context = replace(context, training=MemoryRows(x))
    with pytest.raises(ModelError, match="nothing but the sample"):
        run(dense(), PermutationImportance(groups="channels"), x, context)
