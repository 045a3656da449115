"""The audit's books close: what every line took and the map add up to the start.

Whatever drops relevance on the way has a line, layer or not. The oracle is the map of `attribute`.
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
from tests.attribution.small import SHAPE, samples, seeded
from tests.attribution.test_lrp_calls import CALLS, Written, flat

MASK = torch.ones(6, 8).tril().double()
DROPS = {
    "a mask with zeros": Written(lambda m, x: flat(m, torch.sigmoid(m.conv(x)) * MASK)),
    "a padding with numbers": Written(
        lambda m, x: m.head(functional.pad(m.conv(x), (1, 1, 1, 1), value=3.0).flatten(1)), 160
    ),
    "zeros that an activation lifts": Written(
        lambda m, x: m.head(functional.pad(m.conv(x), (1, 1)).sigmoid().flatten(1)), 120
    ),
    "a constant channel": Written(
        lambda m, x: flat(m, torch.cat([m.conv(x), m.map.expand(x.shape[0], -1, -1, -1)], 1)), 192
    ),
    "a maximum with a constant": Written(lambda m, x: flat(m, torch.maximum(m.conv(x), m.map))),
    "a softmax inside": Written(lambda m, x: flat(m, torch.softmax(m.conv(x), 1))),
    "a proportional maximum": Written(
        lambda m, x: flat(m, functional.max_pool2d(m.conv(x).relu(), 2)), 24
    ),
    "residual and pooled": Written(
        lambda m, x: flat(m, functional.avg_pool2d(x + m.conv(x).relu(), 2)), 24
    ),
    **CALLS,
}


def audited(module, rule, convention, x=None, valid=None):
    network = trace(seeded(module), SHAPE, torch.float64)
    x = samples() if x is None else x
    start = torch.zeros(len(x), network.outputs).double()
    start[:, 0] = 1
    context = Context(torch.ones(SHAPE).bool() if valid is None else valid)
    method = LayerwiseRelevance(rule=rule, convention=convention)
    return method.audit(network, x, start, context), method.attribute(network, x, start, context)


@pytest.mark.parametrize("rule", ["zero", "alpha1beta0", "flat"])
@pytest.mark.parametrize("name", DROPS)
def test_the_books_close(name, rule):
    convention = {"max_pooling": "proportional", "epsilon": 0.01}
    books, found = audited(DROPS[name], rule, convention)
    taken = (books.bias + books.stabiliser + books.other).sum(0)
    total = found.values.flatten(1).sum(1).numpy()
    np.testing.assert_allclose(books.total, total, atol=1e-9)
    np.testing.assert_allclose(books.start - taken, total, atol=1e-9 * (1 + abs(taken).max()))


def test_a_mask_has_a_line_of_its_own():
    """Closed form: the sigmoid of a masked cell is one half, times the dense layer's weight."""
    module = Written(lambda m, x: m.head(torch.sigmoid(x * MASK).sum((2, 3))), cells=2)
    books, _ = audited(module, "zero", {})
    line = books.kinds.index("multiplication")
    assert books.rules[line] == ""
    masked = float((MASK == 0).sum())
    expected = 0.5 * masked * float(module.head.weight[0].detach().sum())
    np.testing.assert_allclose(books.other[line], expected, atol=1e-12)


def test_inputs_beyond_the_bounds_of_z_box_are_counted():
    module = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    network = trace(module, (4,), torch.float64)
    valid = torch.tensor([True, True, True, False])
    training = torch.tensor([[-1.0, -1, 0, 0], [1, 1, 2, 0]]).double()
    x = torch.tensor([[0.0, 0.5, 1, 0], [1.5, 0, 2, 0], [-2, 3, 2.1, 0], [-1, 1, 2, 0]]).double()
    method = LayerwiseRelevance(rule={"name": "map", "default": "alpha1beta0", "first": "z_box"})
    start = torch.tensor([[1.0, 0]]).double().repeat(4, 1)
    books = method.audit(network, x, start, Context(valid, training=MemoryRows(training)))
    assert books.outside.tolist() == [[0, 0, 0, 0], [0, 1, 3, 0]]


@pytest.mark.parametrize("start", ["score", "one", "log_odds"])
def test_the_start_of_the_books_is_what_the_map_is_measured_by(start):
    books, found = audited(
        Written(lambda m, x: flat(m, m.conv(x))), "zero", {"start": start, "bias": "ignored"}
    )
    handed = found.output if found.handed is None else found.handed
    np.testing.assert_allclose(books.start, handed.numpy(), atol=1e-12)
    np.testing.assert_allclose(books.total / books.start, 1, atol=1e-9)
