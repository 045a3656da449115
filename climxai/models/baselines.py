"""Baselines every network is printed beside: the majority class and a linear model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from climxai.core.errors import ModelError
from climxai.models.scores import score

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Predictor = Callable[[Floats], NDArray[np.float64]]
Baseline = Callable[[Floats, Integers, int], tuple[Predictor, dict[str, Any]]]

PENALTY_C = 1.0
MOST_ITERATIONS = 1000


def majority_class(
    train_x: Floats,  # noqa: ARG001
    train_y: Integers,
    outputs: int,
) -> tuple[Predictor, dict[str, Any]]:
    """Return a predictor that ignores the input: the logits are the training log frequencies.

    Its cross-entropy is what knowing the frequencies alone achieves.
    """
    counts = np.bincount(train_y, minlength=outputs)
    with np.errstate(divide="ignore"):
        frequencies = np.log(counts / counts.sum())

    def predict(x: Floats) -> NDArray[np.float64]:
        return np.tile(frequencies, (len(x), 1))

    return predict, {"class_number": int(counts.argmax())}


def linear_model(
    train_x: Floats, train_y: Integers, outputs: int
) -> tuple[Predictor, dict[str, Any]]:
    """Return multinomial logistic regression by scikit-learn, penalty ½·Σw² at C = 1.

    Cells are centred, and all are divided by one number, their overall training standard deviation:
    the result does not depend on the field's unit. With more cells than samples the fit is done,
    exactly, in the space that the samples span.

    Raises
    ------
    ModelError
        When the training samples are all of one class.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known = np.unique(train_y)
    if len(known) < 2:
        raise ModelError(
            f"linear baseline: all {len(train_y)} training samples are of class number "
            f"{int(known[0])}; two classes are needed: check the split and label sections"
        )
    centre = train_x.mean(axis=0, dtype=np.float64)
    scale = float(np.sqrt(train_x.var(axis=0, dtype=np.float64).mean())) or 1.0

    def scaled(x: Floats) -> NDArray[np.float64]:
        return np.asarray((x - centre) / scale, dtype=np.float64)

    train = scaled(train_x)
    axes: NDArray[np.float64] | None = None
    if train.shape[1] > train.shape[0]:
        # The best weights are combinations of samples (Σw² punishes anything else), so coordinates
        # along orthonormal axes of the samples' span give the same model.
        axes = np.linalg.svd(train, full_matrices=False)[2].T
        train = train @ axes
    model = LogisticRegression(C=PENALTY_C, max_iter=MOST_ITERATIONS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model.fit(train, train_y)
    converged = not any(issubclass(w.category, ConvergenceWarning) for w in caught)

    def predict(x: Floats) -> NDArray[np.float64]:
        inputs = scaled(x) if axes is None else scaled(x) @ axes
        decision = model.decision_function(inputs)
        logits = np.full((len(x), outputs), -np.inf)
        if len(known) == 2:
            # scikit-learn gives one number: the log-odds of the second class.
            decision = np.stack([np.zeros_like(decision), decision], axis=1)
        logits[:, known] = decision
        return logits

    return predict, {"converged": converged}


BASELINES: dict[str, Baseline] = {
    "majority": majority_class,
    "linear": linear_model,
}


def baselines(
    train_x: Floats,
    train_y: Integers,
    parts: Mapping[str, tuple[Floats, Integers]],
    classes: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """Return the scores of every baseline on every part, ready for JSON.

    Parameters
    ----------
    train_x, train_y
        Training inputs [sample, cell], valid cells only, and class numbers [sample].
    parts
        Part's name -> its inputs and class numbers; may be empty.
    classes
        Names of the classes, in order.

    Returns
    -------
    Baseline's name -> {part's name: scores as of `climxai.models.scores.score`} and what the
    baseline says about itself: the majority's ``class_number``; whether the linear model
    ``converged``.

    Raises
    ------
    ModelError
        When there is no training sample, or only one class among them.
    """
    if len(train_y) == 0:
        raise ModelError("baselines: there is no training sample; check the split section")
    results: dict[str, dict[str, Any]] = {}
    for name, baseline in BASELINES.items():
        predict, about = baseline(train_x, train_y, len(classes))
        results[name] = dict(about)
        for part, (x, y) in parts.items():
            logits = predict(x) if len(x) else np.empty((0, len(classes)))
            results[name][part] = score(logits, y, classes)
    return results
