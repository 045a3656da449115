"""Starts: the input from which the optimisation sets out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from climxai.core.errors import ClimxaiError, ModelError
from climxai.core.period import AnyPeriod, Period, date_parts
from climxai.core.record import Record
from climxai.core.text import AnyText

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context, TrainingRows

ReadSample = Callable[[Period, str | None], "Tensor"]
"""Gives the sample [channel, lat, lon] of a date (and member) as the network sees it."""

FindSample = Callable[[Period, str | None], object]
"""Raises `ClimxaiError` where the record has not one sample of a date (and member)."""


class Start(Record):
    """The input from which the optimisation sets out."""

    @abstractmethod
    def map(self, context: Context, read: ReadSample) -> Tensor:
        """Return the map [channel, lat, lon] in the network's units, 0 on invalid cells.

        Parameters
        ----------
        context
            Valid cells and training rows.
        read
            Reads a sample of the record by its date.

        Raises
        ------
        ClimxaiError
            When there are no such rows.
        """

    def check(self, context: Context, find: FindSample) -> None:
        """Raise what `map` would raise for want of rows, without reading any.

        Parameters
        ----------
        context
            Valid cells and training rows.
        find
            Raises where the record has no such sample.

        Raises
        ------
        ClimxaiError
            When there are no such rows.
        """
        del context, find

    def describe(self) -> str:
        """Return the start in plain words."""
        return str(self.model_dump()["name"])


class Zero(Start):
    """A map of zeros: the training mean, where the inputs are anomalies."""

    name: Literal["zero"] = "zero"

    def map(self, context: Context, read: ReadSample) -> Tensor:
        """Return zeros."""
        import torch

        del read
        return torch.zeros(tuple(context.valid.shape))


class Climatology(Start):
    """The mean of the training samples, of a class or of a period of them."""

    name: Literal["climatology"] = "climatology"
    class_name: str | None = None
    """the class whose training samples are averaged; none takes all"""
    period: AnyPeriod | None = None
    """the years that are averaged; none takes all training samples"""

    def map(self, context: Context, read: ReadSample) -> Tensor:
        """Return the mean."""
        del read
        return training(context).mean(self.class_name, self.period)

    def check(self, context: Context, find: FindSample) -> None:
        """Raise where no training sample belongs to the class or the period."""
        del find
        try:
            training(context).check(self.class_name, self.period)
        except ClimxaiError as error:
            raise type(error)(f"optimal_input.start: {error}") from error

    def describe(self) -> str:
        """Return which samples are averaged."""
        of = [self.class_name, self.period.describe() if self.period else None]
        named = ", ".join(part for part in of if part)
        return f"mean of {named}" if named else "climatology"


class Sample(Start):
    """A sample of the record, by its date: shows what would have to change in it."""

    name: Literal["sample"] = "sample"
    date: AnyText
    """the date, as 1998-05 or 1998-05-16; rows without a class may be named too"""
    member: str | None = None
    """the member, where an ensemble has several of that date"""

    @field_validator("date", mode="after")
    @classmethod
    def _is_date(cls, value: str) -> str:
        try:
            date_parts(value)
        except ValueError as error:
            raise PydanticCustomError("date", "{problem}", {"problem": str(error)}) from None
        return value

    def map(self, context: Context, read: ReadSample) -> Tensor:
        """Return the sample."""
        return read(Period(start=self.date, end=self.date), self.member) * context.valid

    def check(self, context: Context, find: FindSample) -> None:
        """Raise where the record has no such sample, or several."""
        del context
        find(Period(start=self.date, end=self.date), self.member)

    def describe(self) -> str:
        """Return the date."""
        return f"{self.date}, {self.member}" if self.member else self.date


class Noise(Start):
    """Independent noise on every valid cell."""

    name: Literal["noise"] = "noise"
    seed: int = 0
    """the same seed gives the same noise"""
    scale: float = Field(0.1, gt=0, description="standard deviation, in the network's input units")

    def map(self, context: Context, read: ReadSample) -> Tensor:
        """Return the noise."""
        import torch

        del read
        generator = torch.Generator().manual_seed(self.seed)
        draws = torch.randn(tuple(context.valid.shape), generator=generator, dtype=torch.float64)
        return (self.scale * draws * context.valid).float()

    def describe(self) -> str:
        """Return the noise's spread and seed."""
        return f"noise of {self.scale:g}, seed {self.seed}"


def training(context: Context) -> TrainingRows:
    """Return the training rows.

    Raises
    ------
    ModelError
        When the optimisation is done without them.
    """
    if context.training is None:
        raise ModelError(
            "the start or the bounds come from the training samples, and there are "
            "none at hand: choose another start and no bounds"
        )
    return context.training
