"""Class activation maps: captum, slow re-statements, the grid, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.backward.cam import on_the_grid
from climxai.attribution.context import Context
from climxai.attribution.methods.grad_cam import GradCam, GradCamPlusPlus, GuidedGradCam
from climxai.attribution.methods.rectified import GuidedBackprop
from climxai.attribution.network import trace
from climxai.attribution.objectives.objective import Grid
from climxai.core.errors import ModelError
from tests.attribution.relu_networks import (
    VALID,
    Convolutional,
    Dense,
    Functional,
    Residual,
    attribute,
)
from tests.attribution.small import SHAPE, samples, seeded

METHODS = [GradCam(), GradCam(positive=False), GradCamPlusPlus(), GuidedGradCam()]
same = torch.testing.assert_close


@pytest.mark.parametrize("layer", ["conv1", "relu1", "conv2", "relu2"])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_same_as_captum(layer, positive):
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    module = seeded(Convolutional())
    cam = attr.LayerGradCam(module, getattr(module, layer))
    coarse = cam.attribute(samples(), target=1, relu_attributions=positive)
    expected = attr.LayerAttribution.interpolate(coarse, SHAPE[1:], "bilinear")
    found = attribute(GradCam(layer=layer, positive=positive), seeded(Convolutional()))
    same(found.values, expected.expand_as(found.values).detach())


@pytest.mark.filterwarnings("ignore")
def test_guided_grad_cam_is_captums():
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    module = seeded(Convolutional())
    expected = attr.GuidedGradCam(module, module.conv2).attribute(
        samples(), target=1, interpolate_mode="bilinear"
    )
    found = attribute(GuidedGradCam(layer="conv2"), seeded(Convolutional()))
    same(found.values, expected.detach())


def test_grad_cam_plus_plus_by_loops():
    """The weights of the paper, one map and one place at a time; gradients are autograd's."""
    module, x = seeded(Convolutional()), samples()
    maps = module.relu2(module.conv2(module.pool1(module.relu1(module.conv1(x))))).detach()
    maps.requires_grad_()
    rest = nn.Sequential(module.pool2, nn.Flatten(), module.dense1, module.relu3, module.dense2)
    (gradient,) = torch.autograd.grad(rest(maps)[:, 1].sum(), maps)
    expected = torch.zeros(len(x), *maps.shape[2:]).double()
    for n in range(len(x)):
        for k in range(maps.shape[1]):
            weight = 0.0
            for g in gradient[n, k].flatten():
                if g > 0:
                    weight += g**2 / (2 * g**2 + maps[n, k].sum() * g**3) * g
            expected[n] += weight * maps[n, k].detach()
    expected = functional.interpolate(
        expected.clamp(min=0)[:, None].detach(), SHAPE[1:], mode="bilinear"
    )
    found = attribute(GradCamPlusPlus(), module)
    same(found.values, expected.expand_as(found.values))
    assert found.values.max() > 0
    same(found.output, module(x)[:, 1])


def test_grad_cam_plus_plus_weights_by_hand():
    """A linear head on one map: with gradients c alike everywhere the weight is N c / (2 + S c)."""
    module = nn.Sequential(
        nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(12, 1, bias=False)
    ).double()
    module[0].weight.data.fill_(2.0)
    module[3].weight.data.fill_(0.25)
    x = torch.arange(-3.0, 9.0).reshape(1, 1, 3, 4).double()
    network = trace(module, (1, 3, 4), torch.float64)
    context = Context(torch.ones(1, 3, 4).bool())
    found = GradCamPlusPlus().attribute(network, x, torch.ones(1, 1).double(), context).values
    maps = 2 * x.clamp(min=0)
    same(found, 12 * 0.25 / (2 + float(maps.sum()) * 0.25) * maps)


def test_a_pooled_average_is_the_published_class_activation_map():
    """With a global average before the last layer Grad-CAM is CAM: that layer's weights / cells."""
    module = seeded(
        nn.Sequential(
            nn.Conv2d(2, 5, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(5, 3),
        )
    )
    x = samples()
    maps = module[1](module[0](x))
    expected = (module[4].weight[1][:, None, None] * maps).sum(1, keepdim=True) / 48
    found = attribute(GradCam(positive=False), module, x).values
    same(found, expected.expand_as(found).detach())
    assert attribute(GradCam(), module, x).values.min() == 0


def test_the_last_convolution_with_its_activation_is_the_default():
    module = seeded(Convolutional())
    by_name = attribute(GradCam(layer="relu2"), module).values
    same(attribute(GradCam(), module).values, by_name)
    same(attribute(GradCam(), seeded(Functional())).values, by_name)
    normed = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)
    )
    seeded(normed)
    same(attribute(GradCam(), normed).values, attribute(GradCam(layer="2"), normed).values)


def test_layers_are_named_like_modules():
    """Containers give what their last module gives; nested names are dotted."""
    block = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU())
    module = seeded(nn.Sequential(block, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(18, 3)))
    container = attribute(GradCam(layer="0"), module).values
    same(container, attribute(GradCam(layer="0.1"), module).values)
    assert not torch.equal(container, attribute(GradCam(layer="0.0"), module).values)


@pytest.mark.parametrize("coarse", [(3, 4), (2, 3), (1, 1), (6, 8), (12, 16)])
def test_the_interpolation_is_torchs(coarse):
    """Cells tile the grid from edge to edge: bilinear, corners not aligned."""
    maps = samples(coarse)
    expected = functional.interpolate(maps[:, None], (6, 8), mode="bilinear", align_corners=False)
    open_grid = Grid(np.linspace(-50, 50, 6), np.linspace(0, 100, 8))
    for grid in (None, open_grid):
        same(on_the_grid(maps, (2, 6, 8), grid), expected[:, 0])


def test_a_closed_circle_is_interpolated_across_the_seam():
    """Turning the layer's map by one of its cells turns the result by the cells it covers."""
    maps = samples((3, 4))
    grid = Grid(np.linspace(-50, 50, 6), np.arange(8) * 45.0)
    found = on_the_grid(maps, (2, 6, 8), grid)
    turned = on_the_grid(maps.roll(1, 2), (2, 6, 8), grid)
    same(turned, found.roll(2, 2))
    same(found.mean(2), on_the_grid(maps, (2, 6, 8), None).mean(2))
    assert not torch.allclose(found, on_the_grid(maps, (2, 6, 8), None))


def test_guided_grad_cam_is_the_product_of_both():
    module = seeded(Residual())
    product = attribute(GuidedBackprop(), module).values * attribute(GradCam(), module).values
    same(attribute(GuidedGradCam(), module).values, product)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.canonical())
def test_a_sample_does_not_depend_on_its_batch(method):
    module, x = seeded(Residual()), samples()
    found = attribute(method, module, x)
    same(found.values, torch.cat([attribute(method, module, each[None]).values for each in x]))
    same(found.output, module(x)[:, 1].detach())
    assert attribute(method, module, x[:0]).values.shape == (0, *SHAPE)
    assert method.signed == bool((found.values < 0).any())


@pytest.mark.parametrize("method", METHODS[:3], ids=lambda m: m.canonical())
def test_land_gets_nothing_and_channels_are_alike(method):
    land = torch.zeros(SHAPE, dtype=torch.bool)
    land[:, 2:4, 3:5] = True
    context = Context(~land)
    values = attribute(method, seeded(Convolutional()), samples() * ~land, context).values
    assert values[:, land].abs().max() == 0
    assert values.abs().max() > 0
    assert torch.equal(values[:, 0], values[:, 1])


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.canonical())
def test_dense_networks_are_refused(method):
    network = trace(Dense().double(), SHAPE, torch.float64)
    with pytest.raises(ModelError, match="the network has none: choose a method for dense"):
        method.check(network, Context(VALID))


@pytest.mark.parametrize("kind", [GradCam, GradCamPlusPlus, GuidedGradCam])
@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("cnv2", r"no layer named 'cnv2'. Did you mean 'conv2'\?"),
        ("dense1", r"layer 'dense1' gives \(6,\) per sample.*last one is 'conv2'"),
    ],
)
def test_other_layers_are_refused(kind, layer, words):
    network = trace(Convolutional().double(), SHAPE, torch.float64)
    with pytest.raises(ModelError, match=words):
        kind(layer=layer).check(network, Context(VALID))


def test_guided_grad_cam_needs_relu():
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(72, 3))
    network = trace(module.double(), SHAPE, torch.float64)
    GradCam().check(network, Context(VALID))
    with pytest.raises(ModelError, match=r"guided Grad-CAM .* aten.tanh.default at '1'"):
        GuidedGradCam().check(network, Context(VALID))


class Padded(nn.Module):
    """Convolutions behind paddings that go around, and one that only looks at single cells."""

    def __init__(self):
        super().__init__()
        self.pad = nn.CircularPad2d(2)
        self.relu = nn.ReLU()
        self.part = nn.Conv2d(2, 3, 3)
        self.single = nn.Conv2d(3, 3, 1)
        self.whole = nn.Conv2d(3, 4, 3)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(4 * 3 * 4, 3)

    def forward(self, x):
        h = self.single(self.part(self.relu(self.pad(x))))
        return self.head(self.pool(self.whole(h)).flatten(1))


@pytest.mark.parametrize(
    ("layer", "size"),
    [("pad", "10 x 12 cells, 4 x 4"), ("relu", "10 x 12"), ("part", "8 x 10 cells, 2 x 2"),
     ("single", "8 x 10")],
)  # fmt: skip
@pytest.mark.parametrize("kind", [GradCam, GradCamPlusPlus, GuidedGradCam])
def test_layers_whose_maps_reach_beyond_the_grid_are_refused(kind, layer, size):
    network = trace(Padded().double(), SHAPE, torch.float64)
    with pytest.raises(ModelError, match=f"layer '{layer}' are padded: {size}"):
        kind(layer=layer).check(network, Context(VALID))


def test_layers_that_take_the_padding_off_again_are_offered():
    network = trace(Padded().double(), SHAPE, torch.float64)
    for layer in (None, "whole", "pool"):
        GradCam(layer=layer).check(network, Context(VALID))
    with pytest.raises(ModelError, match="named 'pads'") as refused:
        GradCam(layer="pads").check(network, Context(VALID))
    assert "'pad'" not in str(refused.value)
