"""The audit's books against sums worked out by hand, and the advice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.lrp.advice import advise, scores_and_biases
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace


def test_what_bias_and_stabiliser_took():
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    module[0].weight.data = torch.tensor([[1.0, 2.0], [-1.0, 1.0]]).double()
    module[0].bias.data = torch.tensor([1.0, 0.0]).double()
    module[2].weight.data = torch.tensor([[2.0, 1.0]]).double()
    module[2].bias.data = torch.tensor([3.0]).double()
    network = trace(module, (2,), torch.float64)
    x = torch.tensor([[1.0, 3.0], [0.0, 0.0]]).double()
    method = LayerwiseRelevance(rule={"name": "epsilon", "epsilon": 1.0})
    audit = method.audit(
        network, x, torch.ones(2, 1).double(), Context(torch.tensor([True, False]))
    )
    # First sample: hidden sums 8 and 2, score 2*8 + 2 + 3 = 21; over 21 + 1.
    assert audit.layers == ("2", "0")
    assert audit.kinds == ("dense", "dense")
    np.testing.assert_allclose(audit.score, [21, 5])
    np.testing.assert_allclose(audit.bias[0], [21 * 3 / 22, 5 * 3 / 6])
    np.testing.assert_allclose(audit.stabiliser[0], [21 / 22, 5 / 6])
    hidden = np.array([21 * 16 / 22, 21 * 2 / 22])
    np.testing.assert_allclose(audit.passed[0, 0], hidden.sum())
    np.testing.assert_allclose(audit.bias[1, 0], hidden[0] / 9)
    np.testing.assert_allclose(audit.stabiliser[1, 0], hidden[0] / 9 + hidden[1] / 3)
    at_input = [hidden[0] / 9 - hidden[1] / 3, hidden[0] * 6 / 9 + hidden[1]]
    np.testing.assert_allclose(audit.total[0], sum(at_input))
    np.testing.assert_allclose(audit.land[0], at_input[1])
    np.testing.assert_allclose(audit.other, 0, atol=1e-12)
    assert audit.zero_map.tolist() == [False, True]
    assert audit.zero_fraction == 0.5


class Troubled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, stride=2)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(8, 2)
        self.head.bias.data = torch.tensor([50.0, 0.0])

    def forward(self, x):
        return self.head(torch.sigmoid(self.pool(self.conv(x))).flatten(1))


def test_advice_has_a_place_and_a_reason():
    network = trace(Troubled(), (1, 9, 9))
    x = torch.randn(4, 1, 9, 9) * 0.01
    start = torch.eye(2)[:1].repeat(4, 1)
    scores = scores_and_biases(network, network(x), start, Context(torch.ones(1, 9, 9).bool()))
    given = advise(network, scores=[scores], first_layer_penalty=0.0)
    assert len(given) == 5
    for words, text in zip(
        ("Max pooling at 'pool'", "Sigmoid", "Strided convolution at 'conv'", "Biases", "penalty"),
        given,
        strict=True,
    ):
        assert words in text


def test_no_advice_for_a_plain_network():
    module = nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2))
    module[1].bias.data.zero_()
    module[3].bias.data.zero_()
    network = trace(module, (1, 3, 3))
    x, start = torch.randn(8, 1, 3, 3), torch.eye(2)[:1].repeat(8, 1)
    scores = scores_and_biases(network, network(x), start, Context(torch.ones(1, 3, 3).bool()))
    assert advise(network, scores=[scores], first_layer_penalty=0.1) == ()


def test_a_bias_is_compared_with_what_the_field_adds_to_the_explained_score():
    """One output of 0.4 x + 1 and one of 9 x + 100: only the second's score is mostly bias."""
    module = nn.Linear(1, 2)
    module.weight.data = torch.tensor([[40.0], [9.0]])
    module.bias.data = torch.tensor([1.0, 100.0])
    network = trace(module, (1,))
    x, valid = torch.full((3, 1), -1.0), torch.ones(1).bool()
    told = []
    for output in (0, 1):
        start = torch.eye(2)[output : output + 1].repeat(3, 1)
        scores, alone = scores_and_biases(network, network(x), start, Context(valid))
        assert alone.tolist() == [[1.0] * 3, [100.0] * 3][output]
        told.append(advise(network, scores=[(scores, alone)]))
    assert told[0] == ()
    assert "Biases alone give an explained score of 100, the field moves it by 9" in told[1][0]
    context = Context(valid, reference=network(torch.zeros(1, 1)))
    assert advise(network, scores=[scores_and_biases(network, network(x), start, context)]) == ()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (lambda m, x: torch.sigmoid(m.conv(x)), []),
        (lambda m, x: torch.sigmoid(m.conv(x).mean((2, 3))).squeeze(-1), []),
        (lambda m, x: m.conv(torch.sigmoid(m.conv(x))), ["Sigmoid inside"]),
        (lambda m, x: m.conv(x).amax((2, 3)), ["Max pooling"]),
        (lambda m, x: m.conv(x).flatten(2).unflatten(1, (1, 1)).amax(1), []),
        (lambda m, x: m.up(x), ["Transposed convolution at 'up'"]),
        (lambda m, x: m.even(x), []),
        (lambda m, x: m.odd(x), ["Strided convolution at 'odd'"]),
    ],
)
def test_advice_fits_the_architecture(run, expected):
    module = Advised(run)
    given = advise(trace(module, (1, 9, 9)))
    assert [words in text for words, text in zip(expected, given, strict=True)] == [True] * len(
        expected
    )


class Advised(nn.Module):
    def __init__(self, run):
        super().__init__()
        self.run = run
        self.conv = nn.Conv2d(1, 1, 3)
        self.up = nn.ConvTranspose2d(1, 1, 3, stride=2)
        self.even = nn.Conv2d(1, 1, 4, stride=2)
        self.odd = nn.Conv2d(1, 1, 5, stride=(2, 1))

    def forward(self, x):
        return self.run(self, x)
