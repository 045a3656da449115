"""Scores: against scikit-learn's metrics, and by hand where scikit-learn has no answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics

from climxai.models.scores import score


def test_scores_equal_scikit_learn() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=(200, 3)) * 3
    targets = random.choice(3, size=200, p=[0.6, 0.3, 0.1])
    predicted = logits.argmax(1)
    found = score(logits, targets, ("a", "b", "c"))
    assert found["n"] == 200
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(targets, predicted))
    assert found["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(targets, predicted)
    )
    assert found["confusion"] == metrics.confusion_matrix(targets, predicted).tolist()
    recall = metrics.recall_score(targets, predicted, average=None)
    assert list(found["recall"].values()) == pytest.approx(list(recall))
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert found["cross_entropy"] == pytest.approx(metrics.log_loss(targets, probability))


def test_absent_class_has_no_recall_and_does_not_count() -> None:
    # By hand: class a has 1 of 2 right, c has 1 of 1, b never occurs: (1/2 + 1) / 2.
    logits = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    found = score(logits, np.array([0, 0, 2]), ("a", "b", "c"))
    assert found["recall"] == {"a": 0.5, "b": None, "c": 1.0}
    assert found["balanced_accuracy"] == 0.75
    assert found["confusion"] == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_no_samples_give_none() -> None:
    found = score(np.empty((0, 2)), np.empty(0, dtype=np.int64), ("a", "b"))
    assert found["n"] == 0
    assert found["accuracy"] is found["balanced_accuracy"] is found["cross_entropy"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_huge_logits_do_not_overflow() -> None:
    # By hand: the wrong class is 2000 nats ahead in one of two samples.
    found = score(np.array([[1000.0, -1000.0], [1000.0, -1000.0]]), np.array([0, 1]), ("a", "b"))
    assert found["cross_entropy"] == pytest.approx(1000.0)


def test_excluded_class_has_no_finite_cross_entropy() -> None:
    found = score(np.array([[0.0, -np.inf]]), np.array([1]), ("a", "b"))
    assert found["cross_entropy"] is None
    json.dumps(found, allow_nan=False)


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\), expected \(2, 2\)"):
        score(np.zeros((2, 3)), np.array([0, 1]), ("a", "b"))
    with pytest.raises(ValueError, match="expected 0 to 1"):
        score(np.zeros((2, 2)), np.array([0, 2]), ("a", "b"))
