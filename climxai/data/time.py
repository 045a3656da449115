"""Years, months and days of times in any CF calendar, and which of them a period holds.

Times are `datetime64` in the standard calendars and `cftime` objects in all others; every function
takes either, as a numpy array or as a coordinate of a field.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.core.period import Period

_STANDARD = "proleptic_gregorian"


def years(time: Any) -> npt.NDArray[np.int64]:
    """Return the calendar year of each time [sample]."""
    values = _values(time)
    if values.dtype.kind == "M":
        return values.astype("datetime64[Y]").astype(np.int64) + 1970
    return np.array([value.year for value in values.flat], np.int64).reshape(values.shape)


def months(time: Any) -> npt.NDArray[np.int64]:
    """Return the calendar month, 1 to 12, of each time [sample]."""
    values = _values(time)
    if values.dtype.kind == "M":
        return values.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return np.array([value.month for value in values.flat], np.int64).reshape(values.shape)


def days(time: Any) -> npt.NDArray[np.int64]:
    """Return the day of the month, from 1, of each time [sample]."""
    values = _values(time)
    if values.dtype.kind == "M":
        day = values.astype("datetime64[D]")
        number: npt.NDArray[np.int64] = (day - values.astype("datetime64[M]")).astype(np.int64) + 1
        return number
    return np.array([value.day for value in values.flat], np.int64).reshape(values.shape)


def decimal_years(time: Any) -> npt.NDArray[np.float64]:
    """Return the year with the elapsed part of it as a fraction [sample].

    The length of a year is that of the calendar: 360, 365 or 366 days.
    """
    values = _values(time)
    if values.dtype.kind == "M":
        year = values.astype("datetime64[Y]")
        start = year.astype("datetime64[us]")
        length = ((year + 1).astype("datetime64[us]") - start).astype(np.float64)
        part = (values.astype("datetime64[us]") - start).astype(np.float64) / length
        return np.asarray(part + year.astype(np.int64) + 1970.0, np.float64)

    def decimal(value: Any) -> float:
        start = value.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        length = start.replace(year=value.year + 1) - start
        return float(value.year + (value - start) / length)

    return np.array([decimal(value) for value in values.flat], np.float64).reshape(values.shape)


def rows_in_period(time: Any, period: Period) -> npt.NDArray[np.bool_]:
    """Return which times [sample] lie in the period, its first and last day included."""
    year, month, day = years(time), months(time), days(time)
    # One number per day that orders like the date does, in whatever calendar.
    number = (year * 16 + month) * 64 + day
    first, last = ((y * 16 + m) * 64 + d for y, m, d in (period.first(), period.last()))
    return (number >= first) & (number <= last)


def iso(value: Any, clock: bool = False) -> str:
    """Return one time as ISO text: ``1998-05-16``, or ``1998-05-16T12:00`` with ``clock``."""
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "values"):
        value = _values(value).reshape(-1)[0]
    if isinstance(value, np.datetime64):
        return str(np.datetime_as_string(value, unit="m" if clock else "D"))
    date = f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    return f"{date}T{value.hour:02d}:{value.minute:02d}" if clock else date


def span(time: Any) -> str:
    """Return the first and last time as text, for example ``1850-01-16 to 2005-12-16``."""
    values = _values(time)
    return f"{iso(values[0])} to {iso(values[-1])}" if values.size else "no time at all"


def calendar_of(time: Any) -> str:
    """Return the CF name of the calendar of the times.

    `datetime64` has always the proleptic Gregorian calendar.
    """
    values = _values(time)
    if values.dtype.kind == "M" or not values.size:
        return _STANDARD
    return str(values.flat[0].calendar)


def _values(time: Any) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = np.asarray(getattr(time, "values", time))
    if values.dtype.kind not in "MO":
        raise TypeError(f"times are datetime64 or cftime objects, found {values.dtype}")
    return values
