"""Groups of maps: each record says which map belongs to which group, and how groups are called.

Groups take the place of classes in a composite: they stand along its dimension ``class``. They may
overlap, as sliding windows do, and need not hold every map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, PositiveInt, field_validator

from climxai.composites.calendar import MONTHS, SEASONS
from climxai.composites.conditions import checked, holds, in_period
from climxai.composites.samples import NO_CLUSTER, Samples
from climxai.core.errors import ConfigError, did_you_mean
from climxai.core.period import AnyPeriod
from climxai.core.record import Record


@dataclass(frozen=True)
class Groups:
    """Names of groups, and which map belongs to which: bool [map, group]."""

    names: tuple[str, ...]
    member: npt.NDArray[np.bool_]


class Grouping(Record):
    """What maps are grouped by."""

    name: str

    def assign(self, samples: Samples) -> Groups:
        """Return the groups of the maps.

        Raises
        ------
        ConfigError
            When the maps lack what they are to be grouped by.
        """
        raise NotImplementedError

    def words(self) -> str:
        """Return what the groups are, for attributes and titles."""
        raise NotImplementedError


class ByLabel(Grouping):
    """One group per true class."""

    name: Literal["label"] = "label"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per class."""
        return _numbered(samples.classes, samples.label)

    def words(self) -> str:
        """Return what the groups are."""
        return "true class"


class ByPrediction(Grouping):
    """One group per class that the network gave."""

    name: Literal["prediction"] = "prediction"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per class."""
        return _numbered(samples.classes, samples.prediction)

    def words(self) -> str:
        """Return what the groups are."""
        return "class the network gave"


class ByOutcome(Grouping):
    """True and false positives and negatives of one class; samples without a class are in none."""

    name: Literal["outcome"] = "outcome"
    of: str
    """name of the class"""

    def assign(self, samples: Samples) -> Groups:
        """Return true positives, false positives, false negatives and true negatives."""
        if self.of not in samples.classes:
            hint = did_you_mean(self.of, samples.classes)
            raise ConfigError(f"composite: there is no class {self.of!r} to judge.{hint}")
        number = samples.classes.index(self.of)
        there = samples.label >= 0
        is_one, said = samples.label == number, samples.prediction == number
        columns = (is_one & said, ~is_one & said, is_one & ~said, ~is_one & ~said)
        member = np.stack([there & column for column in columns], axis=1)
        return Groups(OUTCOMES, member)

    def words(self) -> str:
        """Return what the groups are."""
        return f"outcome for the class {self.of}"


OUTCOMES: Final = ("true_positive", "false_positive", "false_negative", "true_negative")


class ByCluster(Grouping):
    """One group per cluster that `climxai strategies` found; maps in none are left out."""

    name: Literal["cluster"] = "cluster"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per cluster, by number."""
        cluster = samples.column("cluster")
        known = np.unique(cluster[cluster > NO_CLUSTER])
        return Groups(tuple(f"cluster_{k}" for k in known), cluster[:, None] == known)

    def words(self) -> str:
        """Return what the groups are."""
        return "cluster"


class BySeason(Grouping):
    """One group per season: DJF, MAM, JJA and SON."""

    name: Literal["season"] = "season"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per season."""
        names = np.array(list(SEASONS), dtype=object)
        return Groups(tuple(SEASONS), samples.column("season")[:, None] == names)

    def words(self) -> str:
        """Return what the groups are."""
        return "season"


class ByMonth(Grouping):
    """One group per month of the year."""

    name: Literal["month"] = "month"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per month."""
        return _numbered(MONTHS, samples.column("month") - 1)

    def words(self) -> str:
        """Return what the groups are."""
        return "month"


class ByPeriod(Grouping):
    """Named periods, which may overlap; maps outside all of them are left out."""

    name: Literal["periods"] = "periods"
    periods: Mapping[str, AnyPeriod] = Field(min_length=1)
    """name -> a year, 1961-1990, 1998-05/1999-02 or a block with start and end"""

    def assign(self, samples: Samples) -> Groups:
        """Return a group per period."""
        member = [in_period(samples, period) for period in self.periods.values()]
        return Groups(tuple(self.periods), np.stack(member, axis=1))

    def words(self) -> str:
        """Return what the groups are."""
        return "period (" + ", ".join(
            f"{name}: {period.describe()}" for name, period in self.periods.items()
        ) + ")"  # fmt: skip


class ByWindow(Grouping):
    """Sliding windows of whole years: 2 ``half_width`` + 1 years about every ``step``-th year.

    Windows that the maps' years do not fill are left out.
    """

    name: Literal["window"] = "window"
    half_width: Annotated[int, Field(ge=0)] = 5
    """years on either side of the window's middle"""
    step: PositiveInt = 1
    """years from one window's middle to the next"""

    def assign(self, samples: Samples) -> Groups:
        """Return a group per window, called by its first and last year."""
        year = samples.column("year")
        first, last = (int(year.min()), int(year.max())) if year.size else (0, -1)
        middles = list(range(first + self.half_width, last - self.half_width + 1, self.step))
        if not middles:
            raise ConfigError(
                f"composite: windows of {2 * self.half_width + 1} years do not fit into the maps' "
                f"years, {first} to {last}: make `half_width` smaller"
            )
        h = self.half_width
        names = tuple(f"{y - h:04d}-{y + h:04d}" if h else f"{y:04d}" for y in middles)
        return Groups(names, np.abs(year[:, None] - np.array(middles)) <= h)

    def words(self) -> str:
        """Return what the groups are."""
        return f"sliding window of {2 * self.half_width + 1} years, every {self.step}"


class ByMember(Grouping):
    """One group per member of the ensemble."""

    name: Literal["member"] = "member"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per member."""
        return _named(samples.column("member"))

    def words(self) -> str:
        """Return what the groups are."""
        return "member"


class ByModel(Grouping):
    """One group per climate model."""

    name: Literal["model"] = "model"

    def assign(self, samples: Samples) -> Groups:
        """Return a group per model."""
        return _named(samples.column("model"))

    def words(self) -> str:
        """Return what the groups are."""
        return "climate model"


class ByCondition(Grouping):
    """Groups of one's own: a condition on variables of the samples for each; they may overlap."""

    name: Literal["conditions"] = "conditions"
    groups: Mapping[str, str] = Field(min_length=1)
    """name -> condition, such as ``nino34 > 1.5`` (see `where`)"""

    @field_validator("groups", mode="after")
    @classmethod
    def _readable(cls, groups: Mapping[str, str]) -> Mapping[str, str]:
        for text in groups.values():
            checked(text)
        return groups

    def assign(self, samples: Samples) -> Groups:
        """Return a group per condition."""
        member = [holds(text, samples) for text in self.groups.values()]
        return Groups(tuple(self.groups), np.stack(member, axis=1))

    def words(self) -> str:
        """Return what the groups are."""
        return "condition (" + ", ".join(
            f"{name}: {text}" for name, text in self.groups.items()
        ) + ")"  # fmt: skip


class All(Grouping):
    """All maps in one group."""

    name: Literal["all"] = "all"

    def assign(self, samples: Samples) -> Groups:
        """Return one group of everything."""
        return Groups(("all",), np.ones((len(samples), 1), dtype=bool))

    def words(self) -> str:
        """Return what the groups are."""
        return "all maps together"


GROUPINGS: Final[dict[str, type[Grouping]]] = {
    "label": ByLabel,
    "prediction": ByPrediction,
    "outcome": ByOutcome,
    "cluster": ByCluster,
    "season": BySeason,
    "month": ByMonth,
    "periods": ByPeriod,
    "window": ByWindow,
    "member": ByMember,
    "model": ByModel,
    "conditions": ByCondition,
    "all": All,
}
"""Name -> record of what maps can be grouped by."""


def crossed(groupings: Sequence[Grouping], samples: Samples) -> Groups:
    """Return every combination of the groups of several groupings, the last running fastest."""
    found = Groups(("",), np.ones((len(samples), 1), dtype=bool))
    for grouping in groupings:
        other = grouping.assign(samples)
        names = tuple(f"{one}_{two}" if one else two for one in found.names for two in other.names)
        member = (found.member[:, :, None] & other.member[:, None, :]).reshape(
            len(samples), len(names)
        )
        found = Groups(names, member)
    return found


def _numbered(names: Sequence[str], number: npt.NDArray[np.integer]) -> Groups:
    return Groups(tuple(names), np.asarray(number)[:, None] == np.arange(len(names)))


def _named(values: npt.NDArray[Any]) -> Groups:
    text = values.astype(str)
    known = np.unique(text)
    return Groups(tuple(str(name) for name in known), text[:, None] == known)
