"""Scores of a classification, from logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def score(
    logits: NDArray[np.floating[Any]], targets: NDArray[np.integer[Any]], classes: Sequence[str]
) -> dict[str, Any]:
    """Return the scores of a part of the samples, ready for JSON.

    Parameters
    ----------
    logits
        [sample, class], before the softmax. −inf rules a class out.
    targets
        [sample] class numbers.
    classes
        Names of the classes.

    Returns
    -------
    ``n`` samples; ``accuracy``; ``balanced_accuracy``, the mean recall of the classes present;
    ``cross_entropy``, the mean in nats; ``recall`` by class name, None for a class without sample;
    ``confusion[true][predicted]``, counts in class order. Scores that are not finite numbers, as
    all of them without samples, are None.

    Raises
    ------
    ValueError
        When shapes or class numbers do not fit together.
    """
    values: NDArray[np.float64] = np.asarray(logits, dtype=np.float64)
    targets = np.asarray(targets)
    n, k = len(targets), len(classes)
    if values.shape != (n, k):
        raise ValueError(f"logits have shape {values.shape}, expected {(n, k)}")
    if n and not (targets.min() >= 0 and targets.max() < k):
        raise ValueError(f"targets span {targets.min()} to {targets.max()}, expected 0 to {k - 1}")
    confusion = np.zeros((k, k), dtype=np.int64)
    if n:
        np.add.at(confusion, (targets, values.argmax(axis=1)), 1)
    present = confusion.sum(axis=1)
    recall = [int(confusion[c, c]) / int(present[c]) if present[c] else None for c in range(k)]
    known = [value for value in recall if value is not None]
    return {
        "n": n,
        "accuracy": int(np.trace(confusion)) / n if n else None,
        "balanced_accuracy": sum(known) / len(known) if known else None,
        "cross_entropy": _cross_entropy(values, targets) if n else None,
        "recall": dict(zip(classes, recall, strict=True)),
        "confusion": confusion.tolist(),
    }


def _cross_entropy(logits: NDArray[np.float64], targets: NDArray[Any]) -> float | None:
    # The largest logit is taken off first, so that no exponential overflows.
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    mean = float((log_sum - shifted[np.arange(len(targets)), targets]).mean())
    return mean if np.isfinite(mean) else None
