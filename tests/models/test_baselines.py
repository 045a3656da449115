"""Baselines: class frequencies by hand, the linear model against a primal fit by scipy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize

from climxai.core.errors import ModelError
from climxai.models.baselines import baselines, linear_model


def _data(n: int, cells: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, cells)) * 3 + 5
    centres = random.normal(size=(classes, cells))
    return x, ((x - 5) @ centres.T + 4 * random.normal(size=(n, classes))).argmax(1)


def _primal(x: np.ndarray, y: np.ndarray, classes: int) -> np.ndarray:
    """Softmax regression with ½Σw², written out and minimised over all weights: the logits."""
    z = (x - x.mean(0)) / np.sqrt(x.var(0).mean())
    one_hot = np.eye(classes)[y]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = theta[: z.shape[1] * classes].reshape(-1, classes), theta[-classes:]
        logits = z @ w + b
        logits = logits - logits.max(1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        error = np.exp(log_p) - one_hot
        value = -(log_p * one_hot).sum() + 0.5 * (w**2).sum()
        return value, np.concatenate([(z.T @ error + w).ravel(), error.sum(0)])

    start = np.zeros((z.shape[1] + 1) * classes)
    best = minimize(loss, start, jac=True, options={"gtol": 1e-9, "maxiter": 5000}).x
    return z @ best[: -classes or None].reshape(-1, classes) + best[-classes:]


@pytest.mark.parametrize(("n", "cells"), [(60, 5), (12, 30)], ids=["samples", "cells"])
def test_linear_model_is_the_penalised_optimum(n: int, cells: int) -> None:
    # With 30 cells and 12 samples the fit runs in the samples' span: the optimum must not move.
    x, y = _data(n, cells, 3)
    expected = _primal(x, y, 3)
    predict, about = linear_model(x, y, 3)
    found = predict(x)
    assert about == {"converged": True}
    np.testing.assert_allclose(
        found - found.mean(1, keepdims=True),
        expected - expected.mean(1, keepdims=True),
        atol=5e-3,
    )


def test_linear_model_does_not_depend_on_the_unit() -> None:
    x, y = _data(40, 6, 2)
    kelvin, _ = linear_model(x, y, 2)
    tiny, _ = linear_model(x * 1e-6, y, 2)
    np.testing.assert_allclose(tiny(x * 1e-6), kelvin(x), atol=1e-6)


def test_majority_class_knows_frequencies_alone() -> None:
    x = np.zeros((4, 2))
    x[0] = 1.0
    y = np.array([0, 0, 0, 1])
    parts = {"train": (x, y), "test": (x[:2], np.array([1, 1]))}
    found = baselines(x, y, parts, ("a", "b"))["majority"]
    assert found["class_number"] == 0
    assert found["train"]["accuracy"] == 0.75
    # The entropy of frequencies 3/4 and 1/4; a test of class b alone costs log 4 per sample.
    assert found["train"]["cross_entropy"] == pytest.approx(
        -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    )
    assert found["test"]["cross_entropy"] == pytest.approx(np.log(4))


def test_results_are_json_and_cover_every_part() -> None:
    x, y = _data(30, 4, 3)
    y[y == 1] = 0  # one of three classes never occurs
    empty = (np.empty((0, 4)), np.empty(0, dtype=np.int64))
    found = baselines(x, y, {"train": (x, y), "validation": empty}, ("a", "b", "c"))
    assert set(found) == {"majority", "linear"}
    for result in found.values():
        assert result["validation"]["n"] == 0
        assert result["train"]["recall"]["b"] is None
    assert found["linear"]["train"]["accuracy"] > found["majority"]["train"]["accuracy"]
    json.dumps(found, allow_nan=False)


def test_constant_input_is_no_division_by_zero() -> None:
    y = np.array([0, 1, 1, 1])
    found = baselines(np.ones((4, 3)), y, {"train": (np.ones((4, 3)), y)}, ("a", "b"))
    assert found["linear"]["train"]["accuracy"] == 0.75


def test_one_class_is_an_error() -> None:
    x = np.ones((3, 2))
    with pytest.raises(ModelError, match="all 3 training samples are of class number 1"):
        baselines(x, np.array([1, 1, 1]), {}, ("a", "b"))
    with pytest.raises(ModelError, match="no training sample"):
        baselines(x[:0], np.empty(0, dtype=np.int64), {}, ("a", "b"))
