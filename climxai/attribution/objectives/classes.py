"""Objectives of a classifier: a class's score, the difference of two, log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from climxai.attribution.objectives.objective import Grid, Objective, class_number, one_hot
from climxai.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


class PredictedClass(Objective):
    """The score of the class the network predicts, before the softmax."""

    name: Literal["predicted_class"] = "predicted_class"

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return one-hot weights [sample, output] of the largest output."""
        del labels, classes, grid
        return one_hot(logits, logits.argmax(1) if logits.ndim == 2 else logits)


class TrueClass(Objective):
    """The score of the class the sample belongs to, before the softmax."""

    name: Literal["true_class"] = "true_class"

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return one-hot weights [sample, output] of the labelled class."""
        del classes, grid
        if labels is None:
            raise ModelError(
                "objective true_class needs labels, found none: explain labelled samples, or "
                "choose objective predicted_class"
            )
        return one_hot(logits, labels)


class GivenClass(Objective):
    """The score of one named class for every sample, before the softmax."""

    name: Literal["class"] = "class"
    class_name: str = Field(description="the class, as the label section names it")

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return one-hot weights [sample, output] of the named class."""
        del labels, grid
        return one_hot(logits, _everywhere(logits, class_number(self.class_name, classes)))


class LogitDifference(Objective):
    """The score of one class minus the score of another, before the softmax.

    For two classes this is the log-odds of the first: zero where the network is undecided.
    """

    name: Literal["logit_difference"] = "logit_difference"
    positive: str = Field(description="the class relevance speaks for")
    negative: str = Field(description="the class relevance speaks against")

    @model_validator(mode="after")
    def _distinct(self) -> LogitDifference:
        if self.positive == self.negative:
            raise PydanticCustomError(
                "logit_difference",
                "positive and negative are both {name}: the difference is always zero",
                {"name": repr(self.positive)},
            )
        return self

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return weights [sample, output]: 1 for the positive class, -1 for the negative."""
        del labels, grid
        positive = one_hot(logits, _everywhere(logits, class_number(self.positive, classes)))
        negative = one_hot(logits, _everywhere(logits, class_number(self.negative, classes)))
        return positive - negative


class LogOdds(Objective):
    """A class's score minus the softmax-weighted mean of the other classes' scores.

    The weights are the derivatives of the log-odds ``log(p / (1 - p))``. For two classes the scalar
    is the log-odds; for more it exceeds them by the entropy of the softmax over the other classes,
    which no single score holds: ``z_c - sum q_j z_j = log(p / (1 - p)) + H(q)``.

    Source: Samek et al. (2021), Proc. IEEE 109(3), section on explaining log-probability ratios.
    """

    name: Literal["log_odds"] = "log_odds"
    class_name: str | None = None
    """The class; None takes the predicted one of each sample."""

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return weights [sample, output]: 1 for the class, less the softmax over the others."""
        del labels, grid
        if self.class_name is None:
            numbers = logits.argmax(1) if logits.ndim == 2 else logits
        else:
            numbers = _everywhere(logits, class_number(self.class_name, classes))
        return against_the_rest(one_hot(logits, numbers), logits)


def against_the_rest(weights: Tensor, logits: Tensor) -> Tensor:
    """Turn weights [sample, output] of scores into weights of scores against the other outputs'.

    Every output ``c`` of weight w becomes ``w * (z_c - softmax-weighted mean of the others)``.
    """
    import torch

    rest = torch.full_like(weights, 0.0)
    for c in range(logits.shape[1]):
        others = logits.clone()
        others[:, c] = -torch.inf
        rest += weights[:, c : c + 1] * torch.softmax(others, 1).nan_to_num(0.0)
    return weights - rest


def _everywhere(logits: Tensor, number: int) -> Tensor:
    import torch

    return torch.full(logits.shape[:1], number, dtype=torch.int64, device=logits.device)
