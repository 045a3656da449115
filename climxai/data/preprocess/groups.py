"""Groups of the calendar over which a climatology is taken: months, days, seasons, or all rows."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from climxai.data.time import calendar_of, days, months

Grouping = Literal["month", "day", "season", "all"]

SEASONS: Final = ("DJF", "MAM", "JJA", "SON")
"""The seasons of the northern winter, spring, summer and autumn, numbered 1 to 4."""

_WITH_LEAP_DAYS = ("standard", "gregorian", "proleptic_gregorian", "julian")


def season_numbers(time: Any) -> npt.NDArray[np.int64]:
    """Return the season, 1 (DJF) to 4 (SON), of each time [sample]."""
    return months(time) % 12 // 3 + 1


def group_numbers(time: Any, by: Grouping) -> npt.NDArray[np.int64]:
    """Return the group of each time [sample].

    A month is 1 to 12, a season 1 to 4, a day ``100 * month + day``, everything together 0. In
    calendars with leap years 29 February joins 28 February: alone it would rest on a quarter of
    the years, or on none.
    """
    if by == "month":
        return months(time)
    if by == "season":
        return season_numbers(time)
    if by == "day":
        numbers = 100 * months(time) + days(time)
        if calendar_of(time) in _WITH_LEAP_DAYS:
            numbers[numbers == 229] = 228
        return numbers
    return np.zeros(len(time), np.int64)


def group_name(number: int, by: Grouping) -> str:
    """Return a group in words: ``month 2``, ``season DJF``, ``day 02-28`` or ``all rows``."""
    if by == "month":
        return f"month {number}"
    if by == "season":
        return f"season {SEASONS[number - 1]}"
    if by == "day":
        return f"day {number // 100:02d}-{number % 100:02d}"
    return "all rows"
