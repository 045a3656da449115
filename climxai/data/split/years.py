"""Parts given as sets of years."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Discriminator, NonNegativeInt, PositiveInt, Tag
from pydantic import model_validator as check
from pydantic_core import PydanticCustomError

from climxai.core.errors import DataError
from climxai.core.period import Period, as_period
from climxai.core.record import Record
from climxai.data.split.rule import PARTS, Rows, Split, SplitRule, keep_apart, row_times
from climxai.data.time import rows_in_period, span
from climxai.data.time import years as years_of

if TYPE_CHECKING:
    import xarray as xr


class EveryNth(Record):
    """Every n-th year, counted from the first year of the record."""

    every: PositiveInt
    """distance in years; 5 takes every fifth"""
    offset: NonNegativeInt = 0
    """years after the first year of the record at which to begin"""

    @check(mode="after")
    def _possible(self) -> EveryNth:
        if self.every < 2 or self.offset >= self.every:
            raise PydanticCustomError(
                "every",
                "`every` is 2 or more and `offset` less than `every`, found {every} and {offset}",
                {"every": self.every, "offset": self.offset},
            )
        return self


def _as_years(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, str) and value != "rest":
        return as_period(value)
    return value


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "rest"
    if isinstance(value, EveryNth) or (isinstance(value, dict) and "every" in value):
        return "every"
    if isinstance(value, Period) or (isinstance(value, dict) and {"start", "end"} & set(value)):
        return "period"
    return "every" if isinstance(value, dict) else "list"


_Sets = Annotated[
    Annotated[Literal["rest"], Tag("rest")]
    | Annotated[EveryNth, Tag("every")]
    | Annotated[Period, Tag("period")]
    | Annotated[tuple[int, ...], Tag("list")],
    Discriminator(_kind),
]

YearSet = Annotated[_Sets, BeforeValidator(_as_years)]
"""Years as a list, a period such as 1961-1990, ``{every: 5, offset: 0}``, or ``rest``."""


class Years(SplitRule):
    """Whole calendar years for each part: listed, a period, every n-th, or the rest."""

    name: Literal["years"] = "years"
    test: YearSet
    """a list of years, a period such as 1961-1990, or {every, offset}"""
    train: YearSet = "rest"
    """likewise; rest takes the years that no other part has"""
    validation: YearSet | None = None
    """likewise, if any"""
    gap: NonNegativeInt = 0
    """samples left unused between any two parts, taken from training first"""

    @check(mode="after")
    def _one_rest(self) -> Years:
        resting = [part for part in PARTS if getattr(self, part) == "rest"]
        if len(resting) > 1:
            raise PydanticCustomError(
                "rest", "{parts} are both `rest`: name years", {"parts": " and ".join(resting)}
            )
        return self

    def split(self, fields: xr.DataArray) -> Split:
        """Return the rows of each set of years."""
        time = row_times(fields)
        given = {part: getattr(self, part) for part in PARTS if getattr(self, part) is not None}
        inside = {part: _rows(time, years) for part, years in given.items() if years != "rest"}
        for part, years in given.items():
            if years == "rest":
                taken = np.logical_or.reduce(list(inside.values()))
                inside[part] = ~taken
        wanted: dict[str, Rows] = {part: np.flatnonzero(inside[part]) for part in given}
        for part, rows in wanted.items():
            if not rows.size:
                raise DataError(
                    f"split years: {part} ({_describe(given[part])}) holds no row of the record, "
                    f"which has {span(np.sort(time))}: choose years inside it"
                )
        told = ", ".join(f"{part} {_describe(years)}" for part, years in given.items())
        return keep_apart(time, wanted, self.gap, f"by years: {told}")


def _rows(
    time: npt.NDArray[Any], years: EveryNth | Period | tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    if isinstance(years, Period):
        return rows_in_period(time, years)
    year = years_of(time)
    if isinstance(years, EveryNth):
        return np.asarray((year - year.min()) % years.every == years.offset)
    return np.isin(year, years)


def _describe(years: str | EveryNth | Period | tuple[int, ...]) -> str:
    if isinstance(years, str):
        return "the rest"
    if isinstance(years, Period):
        return years.describe()
    if isinstance(years, EveryNth):
        return f"one year in {years.every}, from year {years.offset} of the record"
    return ", ".join(str(year) for year in years)
