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
    torch.testing.assert_close(sums["one"], torch.ones(2).double())
    rest = (torch.softmax(z[:, 1:], 1) * z[:, 1:]).sum(1)
    torch.testing.assert_close(sums["log_odds"], 2 * (z[:, 0] - rest))


def test_log_odds_of_several_classes_exceed_the_true_ones_by_an_entropy():
    """With q the softmax over the other classes, z_c - sum q z = log(p / (1 - p)) + H(q)."""
    scalar = (weights({"name": "log_odds", "class_name": "el_nino"}) * LOGITS).sum(1)
    p = torch.softmax(LOGITS, 1)[:, 2]
    q = torch.softmax(LOGITS[:, :2], 1)
    entropy = -(q * q.log()).sum(1)
    torch.testing.assert_close(scalar, torch.log(p / (1 - p)) + entropy)
    two = LOGITS[:, :2]
    scalar = (weights({"name": "log_odds", "class_name": "la_nina"}, logits=two) * two).sum(1)
    p = torch.softmax(two, 1)[:, 0]
    torch.testing.assert_close(scalar, torch.log(p / (1 - p)))


def explained_from(start_rule, wanted, outputs=3):
    """Return a bias-free linear network's scores, and the map's sum and what it started from."""
    module = nn.Linear(6, outputs, bias=False).double()
    network = trace(module, (6,), torch.float64)
    x = torch.randn(2, 6, generator=torch.Generator().manual_seed(0)).double()
    z = module(x).detach()
    method = LayerwiseRelevance(rule="zero", convention={"start": start_rule})
    found = method.attribute(network, x, weights(wanted, logits=z), Context(torch.ones(6).bool()))
    return module, x, z, found


DIFFERENCE = {"name": "logit_difference", "positive": "el_nino", "negative": "la_nina"}


@pytest.mark.parametrize("wanted", [DIFFERENCE, "log_odds"])
def test_the_start_log_odds_does_not_double_a_difference(wanted):
    with pytest.raises(ModelError, match="start log_odds"):
        explained_from("log_odds", wanted)


def test_what_is_handed_out_is_what_the_map_adds_up_to():
    for start_rule, wanted in (
        ("log_odds", {"name": "class", "class_name": "el_nino"}),
        ("one", "predicted_class"),
        ("one", DIFFERENCE),
        ("one", "log_odds"),
    ):
        _, _, _, found = explained_from(start_rule, wanted)
        torch.testing.assert_close(found.values.sum(1), found.handed)
        if start_rule == "one":
            torch.testing.assert_close(found.handed, torch.ones(2).double())
    assert explained_from("score", DIFFERENCE)[3].handed is None


def test_a_difference_that_starts_from_one_is_the_map_of_the_difference_over_it():
    module, x, z, found = explained_from("one", DIFFERENCE)
    rows = module.weight.detach()
    expected = x * (rows[2] - rows[0]) / (z[:, 2] - z[:, 0])[:, None]
    torch.testing.assert_close(found.values, expected)


def test_a_region_that_starts_from_one_is_weighed_by_area():
    """As from zennit: every output cell starts from its weight."""
    module = nn.Conv2d(1, 1, 1, bias=False).double()
    network = trace(module, (1, 3, 4), torch.float64)
    x = torch.randn(1, 1, 3, 4).double()
    area = weights({"name": "output_region", "region": [-10, 70, 80, 200]}, None, x, GRID)
    method = LayerwiseRelevance(rule="zero", convention={"start": "one"})
    found = method.attribute(network, x, area, Context(torch.ones(1, 3, 4).bool()))
    torch.testing.assert_close(found.values, area)


@pytest.mark.parametrize(
    ("lat", "lon", "message"),
    [
        (70, 0, "40 degrees of latitude"),
        (0, 100, "20 degrees of longitude"),
        (-31, 0, "1 degrees of latitude and 80 degrees of longitude"),
    ],
)
def test_a_cell_outside_the_grid_is_refused(lat, lon, message):
    regional = Grid(np.array([-30.0, -29.5, 29.5, 30.0]), np.array([120.0, 121.0, 279.0, 280.0]))
    fields = torch.zeros(1, 1, 4, 4).double()
    with pytest.raises(ModelError, match=message):
        weights({"name": "output_cell", "lat": lat, "lon": lon}, None, fields, regional)
    inside = weights({"name": "output_cell", "lat": 30.2, "lon": -79.6}, None, fields, regional)
    assert inside[0, 0].nonzero().tolist() == [[3, 3]]


def test_a_place_between_the_last_and_the_first_longitude_lies_on_the_grid():
    fields = torch.zeros(1, 1, 3, 4).double()
    found = weights({"name": "output_cell", "lat": 0, "lon": 330}, None, fields, GRID)
    assert found[0, 0].nonzero().tolist() == [[1, 0]]


def test_the_table_names_every_objective():
    for name, cls in OBJECTIVES.items():
        assert cls.model_fields["name"].default == name
