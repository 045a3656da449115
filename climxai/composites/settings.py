"""What a composite is made of: the `composite` section of a configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from climxai.composites.conditions import checked
from climxai.composites.expression import names_in
from climxai.composites.groupings import GROUPINGS, Grouping
from climxai.composites.significance.settings import Significance
from climxai.composites.statistics import STATISTICS, Statistic
from climxai.core.period import AnyPeriod
from climxai.core.record import OneOf, Record

Normalisation = Literal["none", "max", "sum", "l2", "rank"]
Only = Literal["all", "correct", "incorrect"]
Season = Literal["DJF", "MAM", "JJA", "SON"]


def _as_list(value: Any) -> Any:
    """Turn one entry into a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _as_names(value: Any) -> Any:
    """Turn one name into a list of one; a name may be a number."""
    return tuple(str(name) if isinstance(name, int) else name for name in _as_list(value))


def _as_pairs(value: Any) -> Any:
    """Turn one pair of names into a list of one pair."""
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        return (value,)
    return value


Names = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_names)]
Numbers = Annotated[tuple[int, ...], Field(min_length=1), BeforeValidator(_as_list)]
Month = Annotated[int, Field(ge=1, le=12)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Select(Record):
    """Which maps count: all of these must hold; what is not given selects nothing."""

    labels: Names | None = None
    """true classes"""
    predictions: Names | None = None
    """classes that the network gave"""
    clusters: Numbers | None = None
    """numbers of clusters that `climxai strategies` found, from 1; 0 are maps in none"""
    seasons: Annotated[
        tuple[Season, ...], Field(min_length=1), BeforeValidator(_as_list)
    ] | None = None  # fmt: skip
    """seasons: DJF, MAM, JJA, SON"""
    months: Annotated[
        tuple[Month, ...], Field(min_length=1), BeforeValidator(_as_list)
    ] | None = None  # fmt: skip
    """months of the year, 1 to 12"""
    period: AnyPeriod | None = None
    """a year, 1961-1990 or 1998-05/1999-02"""
    members: Names | None = None
    """members of the ensemble"""
    models: Names | None = None
    """climate models"""
    seeds: Numbers | None = None
    """seeds of the networks"""
    parts: Annotated[
        tuple[Literal["train", "validation", "test", "none"], ...],
        Field(min_length=1),
        BeforeValidator(_as_list),
    ] | None = None  # fmt: skip
    """parts of the split"""
    confidence: tuple[Fraction, Fraction] | None = None
    """least and largest probability that the network gave its own answer, both included"""

    @model_validator(mode="after")
    def _ordered(self) -> Select:
        if self.confidence is not None and self.confidence[0] > self.confidence[1]:
            raise PydanticCustomError(
                "order", "`confidence` is [least, largest], the least is the larger one"
            )
        return self


class Composite(Record):
    """Which maps are averaged, by which class, and what each map is divided by beforehand.

    The defaults are the published choice for ENSO: every map divided by its own maximum, averaged
    per class (Toms, Barnes & Ebert-Uphoff 2020).
    """

    id: str | None = None
    """names the files of one of several composites; one without writes `composites/<method>.nc`"""
    normalise: Normalisation = "max"
    """what each map is divided by before averaging: its largest absolute relevance (max), the sum
    of its absolute relevance (sum), the root of its sum of squares (l2), or nothing (none: maps of
    confident samples weigh more); rank replaces relevance by its rank among the map's cells"""
    by: Annotated[
        tuple[Annotated[Grouping, OneOf(GROUPINGS, "grouping")], ...], BeforeValidator(_as_list)
    ] = Field(default=("label",), validate_default=True)
    """what maps are grouped by: the true class (label), the one the network gave (prediction), …;
    several are crossed"""
    only: Only = "all"
    """which maps count: all, those of correctly classified samples, or those of the others"""
    select: Select = Field(default_factory=Select)
    """further conditions on which maps count"""
    where: str | None = None
    """a condition on variables of the samples, such as `nino34 > 1 and month in [11, 12, 1]`"""
    seeds: Literal["after", "before"] = "after"
    """whether maps of several networks are averaged with all others (after), or first, sample by
    sample, before they are divided and averaged over samples (before)"""
    statistics: Annotated[
        tuple[Annotated[Statistic, OneOf(STATISTICS, "statistic")], ...],
        BeforeValidator(_as_list),
    ] = ()
    """statistics beside mean and standard deviation"""
    differences: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_as_pairs)] = ()
    """pairs of groups whose means are subtracted: the first less the second"""
    anomaly: bool = False
    """whether each group's mean less that of all maps in any group is written, too"""
    clusters: str | None = None
    """name of the file of clusters that `by`, `select` and `where` mean; all of the method by
    default"""
    draw: bool = True
    """whether maps are drawn"""
    significance: Significance = Field(default_factory=Significance)
    """tests of the composite, and how it compares with networks trained on shuffled labels"""

    @field_validator("by", mode="after")
    @classmethod
    def _something(cls, by: tuple[Grouping, ...]) -> tuple[Grouping, ...]:
        if not by:
            raise PydanticCustomError("empty", "found nothing to group by; `all` is one group")
        return by

    @field_validator("where", mode="after")
    @classmethod
    def _readable(cls, where: str | None) -> str | None:
        return None if where is None else checked(where)

    @field_validator("statistics", mode="after")
    @classmethod
    def _each_once(cls, statistics: tuple[Statistic, ...]) -> tuple[Statistic, ...]:
        names = [each.name for each in statistics]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise PydanticCustomError("twice", "{name} is asked for twice", {"name": twice[0]})
        return statistics

    def reads(self, name: str) -> bool:
        """Return whether a variable on sample, such as ``cluster``, takes part in the selection."""
        texts = [] if self.where is None else [self.where]
        for each in self.by:
            texts += getattr(each, "groups", {}).values()
        asked = getattr(self.select, f"{name}s", None) is not None
        grouped = any(each.name == name for each in self.by)
        return asked or grouped or any(name in names_in(text) for text in texts)

    def statistic(self, name: str) -> Any:
        """Return the record of a statistic that is asked for, or None."""
        return next((each for each in self.statistics if each.name == name), None)


def _as_written(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    """Write one composite as a block, several as a list."""
    written = handler(value)
    return written[0] if len(written) == 1 else written


Composites = Annotated[
    tuple[Composite, ...],
    Field(min_length=1),
    BeforeValidator(_as_list),
    WrapSerializer(_as_written),
]
"""One or several composites; a block alone is short for a list of one."""
