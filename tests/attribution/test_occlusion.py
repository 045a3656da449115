"""Occlusion: against a slow loop, captum and the closed form; land, seams, batches, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from climxai.attribution.context import Context
from climxai.attribution.groups.windows import windows
from climxai.attribution.methods.occlusion import Occlusion
from climxai.core.errors import ModelError
from tests.attribution.perturbing import (
    LAT,
    LON,
    REGIONAL,
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
PATCH = {"patch": (3, 3), "stride": 2}


def run(module, method, x, context, network=None):
    network = network or traced(module)
    return method.attribute(network, x, first_output(network, x), context).values


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("channels", ["each", "together"])
def test_against_a_slow_loop_with_land_and_a_seam(make, channels):
    module = make()
    x, context = world()
    cover = windows(context.valid.numpy(), LAT, LON, (3, 3), 2, channels)
    start = first_output(traced(module), x)
    falls = loop_falls(module, x, start, cover, torch.zeros_like(x[:1]))
    expected = torch.zeros(len(x), x[0].numel(), dtype=x.dtype)
    times = torch.zeros(x[0].numel())
    for number, cells in enumerate(groups_of(cover)):
        expected[:, cells] += falls[:, number, None]
        times[cells] += 1
    expected = (expected / times.clamp(min=1)).reshape(x.shape)
    found = run(module, Occlusion(**PATCH, channels=channels), x, context)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    assert (found[:, ~context.valid] == 0).all()


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize(
    ("patch", "stride"), [((3, 3), (2, 2)), ((2, 4), (2, 3)), ((6, 8), (1, 1)), ((1, 1), (1, 1))]
)
def test_against_captum_on_all_ocean(make, patch, stride):
    attr = pytest.importorskip("captum.attr", reason="captum, the oracle, is not installed")
    module = make()
    x, _ = world(valid=torch.ones(SHAPE, dtype=torch.bool))
    context = Context(torch.ones(SHAPE, dtype=torch.bool))
    found = run(module, Occlusion(patch=patch, stride=stride), x, context)
    oracle = attr.Occlusion(lambda maps: module(maps)[:, 0] - 0.5 * module(maps)[:, 1])
    expected = oracle.attribute(x, (1, *patch), strides=(1, *stride))
    torch.testing.assert_close(found, expected.to(found), rtol=1e-6, atol=1e-7)


def test_closed_form_on_a_linear_network():
    # The scalar falls by the sum over the patch of w (x - fill).
    module = linear()
    x, context = world()
    weight = module[1].weight
    contribution = (weight[0] - 0.5 * weight[1]).reshape(SHAPE) * (
        x - context.training.mean().double()
    )
    contribution = contribution.detach() * context.valid
    # Patches of 2 x 2 side by side: every cell is in one.
    blocks = contribution.reshape(-1, 2, 3, 2, 4, 2).sum((3, 5), keepdim=True)
    expected = blocks.expand(-1, 2, 3, 2, 4, 2).reshape(x.shape) * context.valid
    method = Occlusion(patch=2, stride=2, fill="climatology")
    torch.testing.assert_close(run(module, method, x, context), expected)


def test_a_patch_of_one_cell_is_input_times_weight():
    module = linear()
    x, context = world()
    weight = module[1].weight
    expected = ((weight[0] - 0.5 * weight[1]).reshape(SHAPE) * x).detach()
    torch.testing.assert_close(run(module, Occlusion(patch=1, stride=1), x, context), expected)


@pytest.mark.parametrize("make", NETWORKS)
def test_samples_as_fill_are_averaged_over(make):
    module = make()
    x, context = world()
    method = Occlusion(**PATCH, fill={"name": "sample", "count": 3, "seed": 7})
    cover = windows(context.valid.numpy(), LAT, LON, (3, 3), 2, "each")
    start = first_output(traced(module), x)
    falls = sum(
        loop_falls(module, x, start, cover, each[None]) / 3 for each in context.training.draw(3, 7)
    )
    expected = torch.stack(
        [
            sum(falls[:, g] for g in cover.group[cover.cell == cell]) / max(1, cover.times[cell])
            + torch.zeros(len(x))
            for cell in range(96)
        ],
        dim=1,
    ).reshape(x.shape)
    torch.testing.assert_close(run(module, method, x, context), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("make", NETWORKS)
def test_local_mean_replaces_a_patch_by_its_own_mean_by_area(make):
    module = make()
    x, context = world(count=2)
    start = first_output(traced(module), x)
    cover = windows(context.valid.numpy(), LAT, LON, (3, 4), (3, 4), "each")
    area = np.broadcast_to(np.cos(np.deg2rad(LAT))[None, :, None], SHAPE).reshape(-1)
    before = (module(x) * start).sum(1)
    expected = torch.zeros_like(x)
    for cells in groups_of(cover):
        changed = x.clone().reshape(len(x), -1)
        mean = (changed[:, cells] * torch.from_numpy(area[cells])).sum(1) / area[cells].sum()
        changed[:, cells] = mean[:, None]
        fall = before - (module(changed.reshape(x.shape)) * start).sum(1)
        expected.view(len(x), -1)[:, cells] = fall.detach()[:, None]
    method = Occlusion(patch=(3, 4), stride=(3, 4), fill="local_mean")
    torch.testing.assert_close(run(module, method, x, context), expected, rtol=1e-9, atol=1e-12)


def test_local_mean_of_patches_that_span_channels_keeps_the_channels_apart():
    # Where each channel is constant over the patch, nothing changes.
    module = dense()
    x, context = world(valid=torch.ones(SHAPE, dtype=torch.bool))
    flat = torch.tensor([1.0, -2.0], dtype=x.dtype)[None, :, None, None].expand_as(x).clone()
    method = Occlusion(patch=2, stride=2, fill="local_mean", channels="together")
    assert run(module, method, flat, context).abs().max() < 1e-14
    assert run(module, method, x, context).abs().max() > 1e-3


def test_the_quick_way_and_whole_maps_agree():
    module = dense()
    x, context = world()
    quick, slow = traced(module), plain(traced(module))
    for fill in ("zero", "climatology", "local_mean", {"name": "sample", "count": 2}):
        method = Occlusion(**PATCH, fill=fill)
        torch.testing.assert_close(
            run(module, method, x, context, quick),
            run(module, method, x, context, slow),
            rtol=1e-9,
            atol=1e-12,
        )


@pytest.mark.parametrize("make", NETWORKS)
def test_a_map_depends_on_neither_batch_nor_memory(make):
    module = make()
    network = traced(module)
    x, context = world(count=5)
    method = Occlusion(**PATCH)
    whole = run(module, method, x, context, network)
    parts = [
        run(module, method, x[part], context.take(part), network)
        for part in (slice(0, 2), slice(2, 5))
    ]
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-9, atol=1e-12)
    tight = replace(context, memory=20_000)
    torch.testing.assert_close(run(module, method, x, tight, network), whole, rtol=1e-9, atol=1e-12)


def test_a_shift_around_the_circle_shifts_the_map():
    # A network that sees longitudes alike: its map must turn with the field.
    module = dense()
    weight = module[1].weight.data.reshape(5, *SHAPE)
    weight[:] = weight.mean(-1, keepdim=True)
    x, context = world(valid=torch.ones(SHAPE, dtype=torch.bool))
    method = Occlusion(patch=(2, 3), stride=(2, 2))
    found = run(module, method, x, context)
    turned = run(module, method, torch.roll(x, 4, -1), context)
    torch.testing.assert_close(turned, torch.roll(found, 4, -1))


def test_a_channel_the_network_ignores_gets_exactly_nothing():
    for make in NETWORKS:
        module = make()
        first = module[0] if make is convolutional else module[1]
        weight = first.weight.data
        (weight[:, 1] if weight.ndim == 4 else weight[:, 48:])[:] = 0
        x, context = world()
        found = run(module, Occlusion(**PATCH), x, context)
        assert (found[:, 1] == 0).all()
        assert found[:, 0].abs().max() > 1e-3


def test_no_samples_give_no_maps():
    module = dense()
    x, context = world()
    assert run(module, Occlusion(**PATCH), x[:0], context).shape == (0, *SHAPE)


def test_inputs_stay_as_they_are():
    module = convolutional()
    x, context = world()
    before = x.clone()
    run(module, Occlusion(**PATCH), x, context)
    assert torch.equal(x, before)


def test_the_output_is_the_scalar_less_its_reference():
    module = dense()
    network = traced(module)
    x, context = world()
    start = first_output(network, x)
    reference = torch.full((1, 3), 0.25, dtype=x.dtype)
    found = Occlusion(**PATCH).attribute(network, x, start, replace(context, reference=reference))
    expected = ((module(x) - reference) * start).sum(1)
    torch.testing.assert_close(found.output, expected.detach())
    torch.testing.assert_close(found.reference, (reference * start).sum(1))
    assert not Occlusion().decomposes


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({"patch": 9}, {}, "takes 9 cells along latitude, the grid has 6"),
        ({"patch": 2, "stride": 3}, {}, "lie in no patch"),
        (
            {"patch": {"lat_degrees": 30, "lon_degrees": 90}, "stride": 1},
            {"grid": None},
            "the network's grid is not known here",
        ),
        ({"patch": 2, "stride": 1, "fill": "climatology"}, {"training": None}, "training samples"),
        ({"patch": 1, "stride": 1, "fill": "local_mean"}, {}, "single cells"),
    ],
)
def test_what_does_not_suit_is_refused_before_anything_runs(settings, changes, message):
    _, context = world()
    with pytest.raises(ModelError, match=message):
        Occlusion(**settings).check(traced(dense()), replace(context, **changes))


def test_weights_of_another_shape_are_refused():
    network = traced(dense())
    x, context = world()
    with pytest.raises(ModelError, match="weights have shape"):
        Occlusion(**PATCH).attribute(network, x, torch.ones(len(x), 2), context)


def test_min_valid_leaves_out_patches_that_hold_too_little():
    # A column of land: of patches of 1 x 2, those that reach into it are half land.
    valid = torch.ones(SHAPE, dtype=torch.bool)
    valid[:, :, 2] = False
    x, context = world(valid=valid, lon=REGIONAL)
    module = linear()
    network = traced(module)
    start = first_output(network, x)
    weight = start @ next(iter(module.parameters())).detach()
    part = weight.reshape(x.shape) * x
    full = Occlusion(patch=[1, 2], stride=1, min_valid=0.6)
    found = full.attribute(network, x, start, context).values
    # Columns 0 and 1 make one whole patch; the one of column 1 and land is left out.
    both = part[..., 0] + part[..., 1]
    torch.testing.assert_close(found[..., 0], both)
    torch.testing.assert_close(found[..., 1], both)
    some = Occlusion(patch=[1, 2], stride=1, min_valid=0.5)
    found = some.attribute(network, x, start, context).values
    torch.testing.assert_close(found[..., 1], (both + part[..., 1]) / 2)
    torch.testing.assert_close(
        found, Occlusion(patch=[1, 2], stride=1).attribute(network, x, start, context).values
    )


def test_min_valid_is_refused_where_nothing_would_be_known_of_a_cell():
    valid = torch.ones(SHAPE, dtype=torch.bool)
    valid[:, :, 1] = False
    _, context = world(valid=valid, lon=REGIONAL)
    network = traced(linear())
    with pytest.raises(ModelError, match=r"min_valid 0\.6, 12 valid cells lie in no patch"):
        Occlusion(patch=[1, 2], stride=1, min_valid=0.6).check(network, context)
    valid = torch.zeros(SHAPE, dtype=torch.bool)
    valid[:, 0, 0] = True
    _, context = world(valid=valid)
    with pytest.raises(ModelError, match="min_valid 1 or more"):
        Occlusion(patch=2, stride=1, min_valid=1).check(network, context)
