"""What relevance does at activations, maxima, routes and sums, against formulas by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution.small import explain, samples, seeded

ACTIVATIONS = [
    nn.ReLU(), nn.LeakyReLU(0.1), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Sigmoid(), nn.Tanh(),
    nn.Softplus(), nn.ReLU6(), nn.Hardtanh(), nn.SELU(), nn.ReLU(inplace=True), nn.Dropout(0.5),
]  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: type(a).__name__)
def test_activations_pass_relevance_unchanged(activation):
    """Two dense layers by hand: relevance of the hidden units does not see the activation."""
    first, second = nn.Linear(6, 5), nn.Linear(5, 2)
    module = seeded(nn.Sequential(first, activation, second))
    x = samples((6,))
    found = explain(module, {"name": "epsilon", "epsilon": 0.01}, x).values
    z = first(x)
    a = activation(z.clone())
    scores = second(a)
    s = scores[:, :1] / _stable(scores[:, :1])
    hidden = a * (s @ second.weight[:1])
    expected = x * ((hidden / _stable(z)) @ first.weight)
    torch.testing.assert_close(found, expected.detach(), atol=1e-10, rtol=1e-10)


def _stable(z):
    return z + torch.where(z >= 0, z.new_tensor(0.01), z.new_tensor(-0.01))


class Maxout(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 12), nn.Linear(4, 2)

    def forward(self, x):
        return self.second(self.first(x).view(-1, 4, 3).max(-1).values)


def test_maxout_gives_all_to_the_winner():
    module = seeded(Maxout(), bias=False)
    x = samples((6,))
    found = explain(module, "zero", x).values
    z = module.first(x)
    groups = z.view(4, 4, 3)
    winner = (groups == groups.amax(-1, keepdim=True)).double()
    hidden = groups.amax(-1) * module.second.weight[0]
    back = (hidden[..., None] * winner).view(4, 12)
    expected = x * ((back / z) @ module.first.weight)
    torch.testing.assert_close(found, expected.detach(), atol=1e-10, rtol=1e-10)


def test_max_pooling_winner_and_proportional():
    x = torch.tensor([[[[1.0, 3, -2, 5]]]]).double()
    module = nn.MaxPool2d((1, 2))
    start = torch.ones(1, 1, 1, 2).double()
    winner = explain(module, "zero", x, start=start).values
    assert winner.flatten().tolist() == [0, 3, 0, 5]
    found = explain(module, "zero", x, {"max_pooling": "proportional"}, start).values
    expected = [3 * 1 / 4, 3 * 3 / 4, 0, 5]  # a negative value has no share of a maximum
    np.testing.assert_allclose(found.flatten(), expected, atol=1e-12)


def test_proportional_max_pooling_of_windows_that_nearly_cancel_or_have_nothing_positive():
    x = torch.tensor([[[[1.0, -0.999, 0.25, 0], [-3, -1, -2, -4], [0, 0, 0, 0]]]]).double()
    start = torch.ones(1, 1, 3, 1).double()
    module = nn.Sequential(nn.MaxPool2d((1, 4)), Shift())
    found = explain(module, "zero", x, {"max_pooling": "proportional"}, start).values
    # Outputs 1 + 2, -1 + 2, 0 + 2, of which the maximum gets its part; the sum of every window.
    expected = [[0.8, 0, 0.2, 0], [0, -1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-12)


class Shift(nn.Module):
    def forward(self, x):
        return x + 2.0


def test_ties_in_a_maximum():
    """A window's first largest value wins; a maximum over dimensions shares evenly."""

    class Largest(nn.Module):
        def forward(self, x):
            return x.amax((2, 3))

    x = torch.ones(1, 1, 2, 2).double()
    assert explain(nn.MaxPool2d(2), "zero", x).values.flatten().tolist() == [1, 0, 0, 0]
    assert explain(Largest(), "zero", x).values.flatten().tolist() == [0.25] * 4


class Shifted(nn.Module):
    def forward(self, x):
        return torch.flip(torch.roll(x * 2.0, 1, -1)[..., 1:], (-1,)) + 0.5


def test_routes_constants_and_what_the_added_constant_takes():
    x = torch.tensor([[1.0, -2, 3]]).double()
    start = torch.ones(1, 2).double()
    found = explain(Shifted(), "zero", x, start=start).values
    np.testing.assert_allclose(found, [[2.0, -4.0, 0.0]])
    kept = explain(Shifted(), "zero", x, {"bias": "ignored"}, start).values
    np.testing.assert_allclose(kept, [[2.5, -3.5, 0.0]])


class Added(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)

    def forward(self, x):
        return self.a(x) - self.b(x)


@pytest.mark.parametrize("rule", ["zero", "alpha2beta1", "flat"])
def test_sums_share_by_contribution(rule):
    module = seeded(Added())
    x = samples((3,))
    chosen = {"name": "map", "default": "zero", "kinds": {"sum": rule}}
    found = explain(module, chosen, x).values
    p, q = module.a(x)[:, 0], -module.b(x)[:, 0]
    total = p + q
    if rule == "zero":
        to_a, to_b = p, q
    elif rule == "flat":
        to_a, to_b = total / 2, total / 2
    else:
        up, down = p.clamp(min=0) + q.clamp(min=0), p.clamp(max=0) + q.clamp(max=0)
        safe_up, safe_down = torch.where(up == 0, 1.0, up), torch.where(down == 0, 1.0, down)
        to_a, to_b = (
            (2 * t.clamp(min=0) / safe_up - t.clamp(max=0) / safe_down) * total for t in (p, q)
        )
    through_a = x * module.a.weight[0] * (to_a / p)[:, None]
    through_b = -x * module.b.weight[0] * (to_b / q)[:, None]
    torch.testing.assert_close(found, (through_a + through_b).detach(), atol=1e-9, rtol=1e-9)
