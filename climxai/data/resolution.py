"""How finely a record is spaced in time, and the order of its times."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from climxai.data.time import days, iso, months, years

Resolution = Literal["year", "month", "day"]
"""The coarsest calendar unit that holds at most one distinct time of a record."""

_LETTERS = {"year": 4, "month": 7, "day": 10}


def resolution(time: Any) -> Resolution:
    """Return whether each year, each month or only each day holds at most one time [sample].

    Rows of several members at one time count once. Finer records (hours) are ``"day"``.
    """
    distinct = np.unique(np.asarray(getattr(time, "values", time)))
    return spacing(years(distinct), months(distinct))


def spacing(year: npt.NDArray[np.int64], month: npt.NDArray[np.int64]) -> Resolution:
    """Return the `resolution` of times given as years and months [sample], each time once."""
    if np.unique(year).size == year.size:
        return "year"
    if np.unique(year * 12 + month).size == year.size:
        return "month"
    return "day"


def short_date(value: Any, unit: Resolution) -> str:
    """Return one time as ``1998``, ``1998-05`` or ``1998-05-16``, as fine as ``unit``."""
    text = value if isinstance(value, str) else iso(value)
    return text[: text.index("-", 1)] if unit == "year" else text[: _LETTERS[unit]]


def short_span(time: Any) -> str:
    """Return the earliest and latest time, as fine as the record: ``2010-01 to 2020-08``."""
    values = np.asarray(getattr(time, "values", time))
    if not values.size:
        return "no time at all"
    unit = resolution(values)
    first, last = (short_date(value, unit) for value in (values.min(), values.max()))
    return first if first == last else f"{first} to {last}"


def time_keys(time: Any, unit: Resolution) -> npt.NDArray[np.int64]:
    """Return one number per time [sample] that is equal for times in the same ``unit``."""
    return date_keys(years(time), months(time), days(time), unit)


def date_keys(
    year: npt.NDArray[np.int64],
    month: npt.NDArray[np.int64],
    day: npt.NDArray[np.int64],
    unit: Resolution,
) -> npt.NDArray[np.int64]:
    """Return `time_keys` of dates given as three arrays [sample]."""
    if unit == "year":
        return np.asarray(year, np.int64)
    if unit == "month":
        return np.asarray(year * 12 + month, np.int64)
    return np.asarray((year * 12 + month) * 31 + day, np.int64)
