"""Schedules: the learning rate from epoch to epoch, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from climxai.core.record import OneOf, Record

Factor = Annotated[float, Field(gt=0, lt=1)]


class Schedule(Record):
    """What the learning rate is multiplied by in each epoch."""

    def factor(self, epoch: int, epochs: int, losses: Sequence[float]) -> float:
        """Return the factor for one epoch.

        Parameters
        ----------
        epoch
            Epochs finished so far; the first epoch has 0.
        epochs
            Epochs planned in all.
        losses
            The monitored loss of every finished epoch: the validation loss where there are
            validation samples, else the training loss.
        """
        raise NotImplementedError


class Constant(Schedule):
    """The learning rate stays."""

    name: Literal["constant"] = "constant"

    def factor(self, epoch: int, epochs: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Return 1."""
        return 1.0


class Step(Schedule):
    """The learning rate is multiplied by ``by`` after every ``every`` epochs."""

    name: Literal["step"] = "step"
    every: PositiveInt = 30
    """epochs between two steps"""
    by: Factor = 0.1
    """what each step multiplies by"""

    def factor(self, epoch: int, epochs: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Return by^⌊epoch / every⌋."""
        return float(self.by ** (epoch // self.every))


class Exponential(Schedule):
    """The learning rate is multiplied by the same number after every epoch."""

    name: Literal["exponential"] = "exponential"
    by: Factor = 0.95
    """what each epoch multiplies by"""

    def factor(self, epoch: int, epochs: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Return by^epoch."""
        return float(self.by**epoch)


class Cosine(Schedule):
    """Half a cosine from 1 towards ``last`` over the planned epochs (Loshchilov & Hutter 2017)."""

    name: Literal["cosine"] = "cosine"
    last: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """factor the curve would reach after the last epoch"""

    def factor(self, epoch: int, epochs: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Return last + (1 − last) · (1 + cos(π · epoch / epochs)) / 2."""
        return self.last + (1 - self.last) * (1 + cos(pi * epoch / epochs)) / 2


class Plateau(Schedule):
    """The learning rate is multiplied by ``by`` when the loss has stopped falling.

    The loss is the validation loss, or the training loss without validation samples.
    """

    name: Literal["plateau"] = "plateau"
    by: Factor = 0.1
    """what each reduction multiplies by"""
    patience: PositiveInt = 10
    """epochs in a row without a new lowest loss that are borne; the next one reduces the rate"""
    threshold: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    """share by which a loss must undercut the lowest one to count as lower"""

    def factor(self, epoch: int, epochs: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Return by^n with n reductions in the losses so far."""
        factor, lowest, waited = 1.0, float("inf"), 0
        for loss in losses:
            if loss < lowest * (1 - self.threshold):
                lowest, waited = loss, 0
            else:
                waited += 1
            if waited > self.patience:
                factor, waited = factor * self.by, 0
        return factor


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "exponential": Exponential,
    "cosine": Cosine,
    "plateau": Plateau,
}

AnySchedule = Annotated[Schedule, OneOf(SCHEDULES, "schedule")]
"""A schedule by name (``cosine``) or with its settings."""
