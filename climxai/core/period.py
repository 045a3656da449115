"""Stretches of time, written as people write them: ``1991``, ``1991-2020``, ``1998-05/1999-02``."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.record import Record

_DATE = re.compile(r"^(-?\d{1,6})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$")


def date_parts(text: str) -> tuple[int, int | None, int | None]:
    """Return (year, month or None, day or None) of a partial ISO date; no calendar is assumed."""
    match = _DATE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date like 1998, 1998-05 or 1998-05-16")
    year, month, day = (int(part) if part else None for part in match.groups())
    if (
        year is None
        or (month is not None and not 1 <= month <= 12)
        or (day is not None and not 1 <= day <= 31)
    ):
        raise ValueError(f"{text!r} is not a date like 1998, 1998-05 or 1998-05-16")
    return year, month, day


class Period(Record):
    """From the beginning of ``start`` to the end of ``end``, both included; either may be open."""

    start: str | None = None
    """partial ISO date: 1998, 1998-05 or 1998-05-16; None is the beginning of the record"""
    end: str | None = None
    """partial ISO date, its whole year, month or day included; None is the end of the record"""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _is_date(cls, value: Any) -> Any:
        if value is None:
            return None
        text = str(value)
        try:
            date_parts(text)
        except ValueError as error:
            raise PydanticCustomError("date", "{problem}", {"problem": str(error)}) from None
        return text

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.start is not None and self.end is not None and self.first() > self.last():
            raise PydanticCustomError(
                "period",
                "the start {start} lies after the end {end}",
                {"start": self.start, "end": self.end},
            )
        return self

    def first(self) -> tuple[int, int, int]:
        """Return (year, month, day) of the first day; an open start is year -10**6."""
        if self.start is None:
            return (-(10**6), 1, 1)
        year, month, day = date_parts(self.start)
        return (year, month or 1, day or 1)

    def last(self) -> tuple[int, int, int]:
        """Return (year, month, day) of the last day; a month's end is 31 in every calendar."""
        if self.end is None:
            return (10**6, 12, 31)
        year, month, day = date_parts(self.end)
        return (year, month or 12, day or 31)

    def describe(self) -> str:
        """Return ``start to end``, an open side as ``…``."""
        return f"{self.start or '…'} to {self.end or '…'}"


def as_period(value: Any) -> Any:
    """Turn ``1991``, ``"1991-2020"``, ``"1998-05/1999-02"`` or ``[start, end]`` into a period."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"start": str(value), "end": str(value)}
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"start": value[0], "end": value[1]}
    if isinstance(value, str):
        years = re.match(r"^(\d{4})-(\d{4})$", value)
        if years:
            return {"start": years.group(1), "end": years.group(2)}
        start, slash, end = value.partition("/")
        return {"start": start or None, "end": (end or None) if slash else start}
    return value


AnyPeriod = Annotated[Period, BeforeValidator(as_period)]
"""A `Period` written as a year, ``"1998-05/1999-02"``, ``"1991-2020"`` or ``[start, end]``."""
