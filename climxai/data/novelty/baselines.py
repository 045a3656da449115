"""Baselines: the samples that count as known."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.core.errors import DataError, did_you_mean
from climxai.core.period import AnyPeriod, Period
from climxai.core.record import Record
from climxai.data.labels.label import DROPPED
from climxai.data.time import rows_in_period, span

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RecordRows:
    """What is known of every row of the record.

    Parameters
    ----------
    numbers
        Class of each row [sample], -1 where it has none.
    classes
        Names of the classes.
    time
        Time of each row [sample].
    training
        Positions of the training rows.
    """

    numbers: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    time: npt.NDArray[Any]
    training: Rows


class Baseline(Record):
    """The samples that count as known; what they have in common is not novel."""

    def rows(self, record: RecordRows) -> Rows:
        """Return the positions of the baseline's rows, ascending.

        Raises
        ------
        DataError
            When there are fewer than two.
        """
        chosen = np.flatnonzero(self.chosen(record)).astype(np.int64)
        if chosen.size < 2:
            raise DataError(
                f"novelty.baseline ({self.describe()}): found {chosen.size} rows of the record "
                f"({span(np.sort(record.time))}), at least 2 are needed: choose another baseline"
            )
        return chosen

    @abstractmethod
    def chosen(self, record: RecordRows) -> npt.NDArray[np.bool_]:
        """Return which rows belong to the baseline [sample]."""

    @abstractmethod
    def describe(self) -> str:
        """Return the baseline in plain words."""


class TrainingPart(Baseline):
    """The samples the networks are trained on."""

    name: Literal["training"] = "training"

    def chosen(self, record: RecordRows) -> npt.NDArray[np.bool_]:
        """Return the rows of the training part that have a class."""
        training = np.zeros(record.numbers.size, dtype=bool)
        training[record.training] = True
        return np.asarray(training & (record.numbers != DROPPED))

    def describe(self) -> str:
        """Return the baseline in plain words."""
        return "training samples"


class ClassRows(Baseline):
    """The rows of one class, in whatever part of the split."""

    name: Literal["class"] = "class"
    class_name: str = Field(description="the class, as the label section names it")
    period: AnyPeriod | None = None
    """the years taken; none takes all"""

    def chosen(self, record: RecordRows) -> npt.NDArray[np.bool_]:
        """Return the rows of the class."""
        if self.class_name not in record.classes:
            raise DataError(
                f"novelty.baseline: there is no class {self.class_name!r}."
                f"{did_you_mean(self.class_name, record.classes)}"
            )
        of_class = record.numbers == record.classes.index(self.class_name)
        return np.asarray(of_class & within(record, self.period))

    def describe(self) -> str:
        """Return the baseline in plain words."""
        return f"rows of class {self.class_name}{_of(self.period)}"


class NoClass(Baseline):
    """The rows that belong to no class, such as neutral months between two thresholds."""

    name: Literal["no_class"] = "no_class"
    period: AnyPeriod | None = None
    """the years taken; none takes all"""

    def chosen(self, record: RecordRows) -> npt.NDArray[np.bool_]:
        """Return the rows without a class."""
        return np.asarray((record.numbers == DROPPED) & within(record, self.period))

    def describe(self) -> str:
        """Return the baseline in plain words."""
        return f"rows of no class{_of(self.period)}"


class PeriodRows(Baseline):
    """All rows of some years, whether they have a class or not."""

    name: Literal["period"] = "period"
    period: AnyPeriod = Field(description="the years taken, such as 1961-1990")

    def chosen(self, record: RecordRows) -> npt.NDArray[np.bool_]:
        """Return the rows of the period."""
        return within(record, self.period)

    def describe(self) -> str:
        """Return the baseline in plain words."""
        return f"rows{_of(self.period)}"


def within(record: RecordRows, period: Period | None) -> npt.NDArray[np.bool_]:
    """Return which rows lie in a period; all where there is none."""
    if period is None:
        return np.ones(record.numbers.size, dtype=bool)
    return rows_in_period(record.time, period)


def _of(period: Period | None) -> str:
    return f" of {period.describe()}" if period else ""
