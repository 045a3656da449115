"""LRP on dense networks against the matrix restatement in tests/oracles/matrix_lrp.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace

_PATH = Path(__file__).parents[1] / "oracles" / "matrix_lrp.py"
_SPEC = importlib.util.spec_from_file_location("matrix_lrp", _PATH)
oracle = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(oracle)

RULES = {
    "zero": ("epsilon", 0.0),
    "epsilon": ("epsilon", 1e-6),
    "alpha1beta0": ("alpha_beta", 1.0, 0.0),
    "z_plus": ("alpha_beta", 1.0, 0.0),
    "alpha2beta1": ("alpha_beta", 2.0, 1.0),
    "alpha3beta2": ("alpha_beta", 3.0, 2.0),
}
SETTINGS = {
    **{name: (name, rule) for name, rule in RULES.items()},
    "large epsilon": ({"name": "epsilon", "epsilon": 0.3}, ("epsilon", 0.3)),
    "any alpha": ({"name": "alpha_beta", "alpha": 1.7, "beta": 0.7}, ("alpha_beta", 1.7, 0.7)),
}


def layers_of(module):
    pairs = [m for m in module if isinstance(m, torch.nn.Linear)]
    return [(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in pairs]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("objective", ["one-hot", "difference"])
def test_matches_the_matrix_restatement(setting, objective, dense, dense_network, fields):
    rule, restated = SETTINGS[setting]
    start = torch.zeros(6, 3, dtype=torch.float64)
    start[:, 1] = 1
    if objective == "difference":
        start[:, 2] = -1
    method = LayerwiseRelevance(rule=rule)
    found = method.attribute(dense_network, fields, start, Context(torch.ones(1, 3, 4).bool()))
    for i in range(6):
        expected = oracle.relevance(
            layers_of(dense), fields[i].numpy().ravel(), start[i].numpy(), restated
        )
        np.testing.assert_allclose(found.values[i].numpy().ravel(), expected, atol=1e-10, rtol=0)
    scores = dense(fields)
    torch.testing.assert_close(found.output, (scores * start).sum(1), atol=1e-12, rtol=0)


@pytest.mark.parametrize("rule", RULES)
def test_one_sample_and_none(rule, dense_network, fields):
    method = LayerwiseRelevance(rule=rule)
    valid = torch.ones(1, 3, 4).bool()
    start = torch.ones(6, 3, dtype=torch.float64)
    whole = method.attribute(dense_network, fields, start, Context(valid)).values
    one = method.attribute(dense_network, fields[2:3], start[:1], Context(valid)).values
    torch.testing.assert_close(one[0], whole[2], atol=1e-12, rtol=0)
    none = method.attribute(dense_network, fields[:0], start[:0], Context(valid))
    assert none.values.shape == (0, 1, 3, 4)
    assert none.output.shape == (0,)


def test_network_and_input_stay_as_they_were(dense, fields):
    dense.train()
    before = {k: v.clone() for k, v in dense.state_dict().items()}
    seen = fields.clone()
    network = trace(dense, (1, 3, 4), torch.float64)
    for rule in RULES:
        LayerwiseRelevance(rule=rule).attribute(
            network, fields, torch.ones(6, 3).double(), Context(torch.ones(1, 3, 4).bool())
        )
    assert dense.training
    assert all(p.requires_grad for p in dense.parameters())
    for key, value in dense.state_dict().items():
        torch.testing.assert_close(value, before[key], atol=0, rtol=0)
    torch.testing.assert_close(fields, seen, atol=0, rtol=0)
