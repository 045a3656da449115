"""Land and bounds followed to the first layer, against the layer's matrix written out.

Under w-square, flat and z-B invalid cells count for nothing, whatever arithmetic stands before the
first layer. The oracle takes that arithmetic as one linear map of the input.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from tests.attribution.rows import MemoryRows
from tests.attribution.small import seeded

SHAPE = (2, 4, 6)
VALID = torch.ones(SHAPE, dtype=torch.bool)
VALID[:, :2, :3] = False


class Before(nn.Module):
    """Some arithmetic, then a convolution."""

    def __init__(self, arithmetic, cells=48, channels=2, padding=1):
        super().__init__()
        self.arithmetic = arithmetic
        self.conv = nn.Conv2d(channels, 3, 3, padding=padding)
        self.norm = nn.BatchNorm2d(2)
        self.norm.running_mean.copy_(torch.tensor([1.0, -0.5]))
        self.norm.running_var.copy_(torch.tensor([2.0, 0.5]))
        self.extra = nn.Parameter(torch.randn(1, 1, 4, 6))
        self.head = nn.Linear(3 * cells // 2, 2)

    def forward(self, x):
        return self.head(self.conv(self.arithmetic(self, x)).relu().flatten(1))


def _with_channel(module, x):
    return torch.cat([x, module.extra.expand(x.shape[0], -1, -1, -1)], 1)


STEPS = {
    "times two": Before(lambda m, x: x * 2.0),
    "times a negative mask": Before(lambda m, x: x * -torch.ones(4, 6).tril()),
    "less a tenth": Before(lambda m, x: x - 0.1),
    "one less it": Before(lambda m, x: 1 - x),
    "batch norm": Before(lambda m, x: m.norm(x)),
    "relu": Before(lambda m, x: x.relu()),
    "average": Before(lambda m, x: functional.avg_pool2d(x, 2), cells=12),
    "largest": Before(lambda m, x: functional.max_pool2d(x, 2), cells=12),
    "twice as fine": Before(lambda m, x: functional.interpolate(x, scale_factor=2), cells=192),
    "bilinear": Before(
        lambda m, x: functional.interpolate(x, scale_factor=2, mode="bilinear"), cells=192
    ),
    "bicubic": Before(
        lambda m, x: functional.interpolate(x, scale_factor=2, mode="bicubic"), cells=192
    ),
    "added to itself": Before(lambda m, x: x + 0.5 * x),
    "padded with five": Before(lambda m, x: functional.pad(x, (1, 1, 1, 1), value=5.0), padding=0),
    "a constant channel": Before(_with_channel, channels=3),
}


def on_land(module, rule, convention="climxai"):
    module = seeded(module)
    x = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1)).double() * VALID
    if module is STEPS["largest"]:
        x = x.abs()  # the zero of land may be the largest of a window, and takes it then
    start = torch.zeros(4, 2).double()
    start[:, 0] = 1
    network = trace(module, SHAPE, torch.float64)
    context = Context(VALID, training=MemoryRows(x))
    method = LayerwiseRelevance(
        rule={"name": "map", "default": "zero", "first": rule, "kinds": {"sum": "zero"}},
        convention=convention,
    )
    return module, x, start, method, network, context


@pytest.mark.parametrize("rule", ["w_square", "flat", "z_box"])
@pytest.mark.parametrize("step", STEPS)
def test_no_relevance_reaches_land(step, rule):
    _, x, start, method, network, context = on_land(STEPS[step], rule)
    method.check(network, context)
    found = method.attribute(network, x, start, context).values
    assert found.abs().amax() > 0
    assert float((found * ~VALID).abs().sum()) <= 1e-12 * float(found.abs().sum())


class Alone(nn.Module):
    """Arithmetic and a convolution, nothing after it."""

    def __init__(self, before):
        super().__init__()
        self.before = before
        self.conv = nn.Conv2d(2, 3, 3)

    def forward(self, x):
        return self.conv(self.before(x))


def by_hand(before, valid, low, high, rule, x, start, conv):
    """Return relevance of the convolution's input: the formula on its matrix, valid cells only."""
    unit = torch.eye(valid.numel()).double().reshape(-1, *valid.shape)
    matrix = functional.conv2d(unit, conv.weight).flatten(1).T.detach()  # [out, in]
    counted, a = valid.flatten().double(), before(x).flatten(1)
    relevance = start.flatten(1)
    if rule == "w_square":
        parts = (matrix**2 * counted)[None].expand(len(x), -1, -1)
    elif rule == "flat":
        parts = ((matrix != 0) * counted)[None].expand(len(x), -1, -1)
    else:
        up, down = matrix.clamp(min=0), matrix.clamp(max=0)
        parts = counted * (a[:, None] * matrix - low.flatten() * up - high.flatten() * down)
    sums = parts.sum(2)
    shares = torch.where(sums[..., None] != 0, parts / sums[..., None], 0.0)
    return (shares * relevance[..., None]).sum(1)


@pytest.mark.parametrize("rule", ["w_square", "flat", "z_box"])
@pytest.mark.parametrize("step", ["scaled", "padded", "both"])
def test_the_formula_holds_on_valid_cells_behind_arithmetic(step, rule):
    """Relevance crosses a scaling unchanged and a padding by cutting it off."""
    factor = torch.tensor([-2.0, 0.5]).double()[:, None, None]

    def scale(x):
        return x * factor if step != "padded" else x

    def before(x):
        return functional.pad(scale(x), (1, 1, 1, 1), value=5.0) if step != "scaled" else scale(x)

    class Arithmetic(nn.Module):
        def forward(self, x):
            return before(x)

    torch.manual_seed(0)
    module = Alone(Arithmetic()).double()
    x = torch.randn(4, *SHAPE).double() * VALID
    network = trace(module, SHAPE, torch.float64)
    start = torch.randn_like(network(x))
    method = LayerwiseRelevance(rule=rule, convention={"start": "score"})
    context = Context(VALID, training=MemoryRows(x))
    found = method.attribute(network, x, start, context).values
    margin = 0 if step == "scaled" else 1
    valid = functional.pad(VALID, [margin] * 4)
    ends = torch.stack((before(x.amin(0)), before(x.amax(0))))
    expected = by_hand(
        before, valid, ends.amin(0), ends.amax(0), rule, x, start * network(x), module.conv
    ).reshape(4, 2, 4 + 2 * margin, 6 + 2 * margin)
    inner = expected[:, :, margin : margin + 4, margin : margin + 6]
    np.testing.assert_allclose(found, inner.detach(), atol=1e-10)


def test_bounds_that_cannot_be_followed_are_refused_with_the_reason():
    module = Before(lambda m, x: functional.gelu(x))
    _, _, _, method, network, context = on_land(module, "z_box")
    from climxai.core.errors import ModelError

    with pytest.raises(ModelError, match="keep order"):
        method.check(network, context)
