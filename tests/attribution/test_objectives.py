"""Objectives against weights and gradients worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace
from climxai.attribution.objectives import OBJECTIVES, AnyObjective, Grid
from climxai.core.errors import ModelError

CLASSES = ("la_nina", "neutral", "el_nino")
LOGITS = torch.tensor([[1.0, 3.0, -1.0], [0.5, 0.1, 2.0]], dtype=torch.float64)
objective = TypeAdapter(AnyObjective).validate_python


def weights(value, labels=None, logits=LOGITS, grid=None):
    return objective(value).weights(logits, labels, CLASSES, grid)


def test_classes():
    assert weights("predicted_class").tolist() == [[0, 1, 0], [0, 0, 1]]
    assert weights("true_class", torch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    given = {"name": "class", "class_name": "la_nina"}
    assert weights(given).tolist() == [[1, 0, 0], [1, 0, 0]]
    difference = {"name": "logit_difference", "positive": "el_nino", "negative": "la_nina"}
    assert weights(difference).tolist() == [[-1, 0, 1], [-1, 0, 1]]


def test_log_odds_weights_are_the_derivatives_of_the_log_odds():
    logits = LOGITS.clone().requires_grad_()
    p = torch.softmax(logits, 1)[:, 2]
    (expected,) = torch.autograd.grad(torch.log(p / (1 - p)).sum(), logits)
    found = weights({"name": "log_odds", "class_name": "el_nino"})
    torch.testing.assert_close(found, expected)


def test_none_of_them_for_no_sample():
    for name in ("predicted_class", "log_odds", "regression"):
        assert weights(name, logits=LOGITS[:0]).shape == (0, 3)


@pytest.mark.parametrize(
    ("value", "labels", "message"),
    [
        ("true_class", None, "labels"),
        ({"name": "class", "class_name": "el_nina"}, None, "Did you mean"),
        ("true_class", torch.tensor([3, 0]), "3 outputs"),
        ({"name": "regression", "output": 3}, None, "output 3"),
        ({"name": "output_cell", "lat": 0, "lon": 0}, None, "output field"),
    ],
)
def test_what_does_not_suit(value, labels, message):
    with pytest.raises(ModelError, match=message):
        weights(value, labels)


def test_equal_classes_are_refused():
    with pytest.raises(ValidationError, match="always zero"):
        objective({"name": "logit_difference", "positive": "a", "negative": "a"})


GRID = Grid(np.array([-30.0, 0.0, 60.0]), np.array([0.0, 90.0, 180.0, 270.0]))


def test_one_cell_and_the_mean_of_a_region():
    fields = torch.zeros(2, 2, 3, 4).double()
    cell = weights({"name": "output_cell", "lat": 5, "lon": -80, "channel": 1}, None, fields, GRID)
    assert cell.nonzero().tolist() == [[0, 1, 1, 3], [1, 1, 1, 3]]
    region = weights({"name": "output_region", "region": [-10, 70, 80, 200]}, None, fields, GRID)
    inside = region[0, 0, 1:, 1:3]
    torch.testing.assert_close(inside[0], torch.full((2,), 1 / 3).double())  # cos 0 = 1
    torch.testing.assert_close(inside[1], torch.full((2,), 1 / 6).double())  # cos 60 = 1/2
    assert region[1].sum() == pytest.approx(1)
    with pytest.raises(ModelError, match="no cell"):
        weights({"name": "output_region", "region": [70, 80, 0, 9]}, None, fields, GRID)


@pytest.mark.parametrize("minus", [0.7, "zero_input"])
def test_a_regression_minus_a_reference_conserves_the_difference(minus):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    network = trace(module, (6,), torch.float64)
    x = torch.randn(3, 6).double()
    wanted = objective({"name": "regression", "minus": minus})
    start = wanted.weights(network(x), None, ())
    reference = wanted.reference(network)
    method = LayerwiseRelevance(rule="zero", convention={"bias": "spread"})
    found = method.attribute(network, x, start, Context(torch.ones(6).bool(), reference))
    subtracted = 0.7 if minus == 0.7 else module(torch.zeros(1, 6).double()).item()
    expected = module(x)[:, 0].detach() - subtracted
    torch.testing.assert_close(found.output, expected)
    torch.testing.assert_close(found.values.sum(1), expected)
    torch.testing.assert_close(found.reference, torch.full((3,), subtracted).double())


def test_the_start_of_the_walk():
    module = nn.Linear(6, 3, bias=False).double()
    network = trace(module, (6,), torch.float64)
    x = torch.randn(2, 6, generator=torch.Generator().manual_seed(0)).double()
    start = torch.zeros(2, 3).double()
    start[:, 0] = 2
    sums = {}
    for kind in ("score", "one", "log_odds"):
        method = LayerwiseRelevance(rule="zero", convention={"start": kind})
        found = method.attribute(network, x, start, Context(torch.ones(6).bool()))
        sums[kind] = found.values.sum(1)
    z = module(x).detach()
    torch.testing.assert_close(sums["score"], 2 * z[:, 0])
    torch.testing.assert_close(sums["one"], torch.full((2,), 2.0).double())
    rest = (torch.softmax(z[:, 1:], 1) * z[:, 1:]).sum(1)
    torch.testing.assert_close(sums["log_odds"], 2 * (z[:, 0] - rest))


def test_the_table_names_every_objective():
    for name, cls in OBJECTIVES.items():
        assert cls.model_fields["name"].default == name
