"""The audit's books against sums worked out by hand, and the advice."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.lrp.advice import advise
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
    given = advise(network, scores=network(x) * 0.5, first_layer_penalty=0.0)
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
    assert advise(network, scores=network(torch.randn(8, 1, 3, 3)), first_layer_penalty=0.1) == ()
