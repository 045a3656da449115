"""Files of one variable in time order, and the checks that they make one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.data.grids.axes import grid_difference
from climxai.data.readers.source import Source, decode_times
from climxai.data.time import iso, span


@dataclass(frozen=True)
class Series:
    """One variable from one or many files, in time order."""

    sources: tuple[Source, ...]

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """First row of each source, and the number of all rows at the end."""
        return np.cumsum([0, *(len(source) for source in self.sources)])

    @cached_property
    def times(self) -> npt.NDArray[Any]:
        """All times [time], ascending."""
        return np.concatenate([source.times for source in self.sources])

    @property
    def variable(self) -> str:
        """Name of the variable."""
        return self.sources[0].location.variable


def join_sources(sources: Sequence[Source]) -> Series:
    """Return the sources of one variable as one series, in time order.

    Raises
    ------
    DataError
        When they differ in grid, units or calendar, or overlap in time; it names the two files.
    """
    first = sources[0]
    for other in sources[1:]:
        _same_units(first, other)
        _same_grid(first, other)
    sources = _same_times(sources)
    ordered = sorted(sources, key=lambda source: source.times[0])
    for one, other in pairwise(ordered):
        if one.times[-1] >= other.times[0]:
            raise DataError(_overlap(one, other))
    return Series(tuple(ordered))


def check_channels(channels: Sequence[Series]) -> None:
    """Check that the variables share times and grid.

    Raises
    ------
    DataError
        Naming two variables, and how they differ.
    """
    first = channels[0]
    for other in channels[1:]:
        _same_grid(first.sources[0], other.sources[0])
        one, two = first.times, other.times
        if one.dtype.kind != two.dtype.kind or (
            one.dtype.kind == "O" and one[0].calendar != two[0].calendar
        ):
            raise DataError(_calendars(first.sources[0], other.sources[0]))
        if one.size == two.size and (one == two).all():
            continue
        size = min(one.size, two.size)
        apart = np.flatnonzero(one[:size] != two[:size])
        at = int(apart[0]) if apart.size else size
        found = [
            iso(times[at], clock=True) if at < times.size else "nothing" for times in (one, two)
        ]
        raise DataError(
            f"{first.variable!r} ({one.size} times, {span(one)}) and {other.variable!r}"
            f" ({two.size} times, {span(two)}) have different times, first at place {at + 1}:"
            f" {found[0]} against {found[1]}; give files that cover the same times"
        )


def _same_grid(first: Source, other: Source) -> None:
    difference = grid_difference((first.lat, first.lon), (other.lat, other.lon))
    if difference is not None:
        raise DataError(
            f"{first.path} and {other.path} are on different grids: {difference}; regrid them to"
            " one grid first"
        )


def _same_units(first: Source, other: Source) -> None:
    if first.units != other.units:
        raise DataError(
            f"{first.path} and {other.path} give {first.location.variable!r} in different units:"
            f" {first.units!r} against {other.units!r}; convert one of them first"
        )


def _same_times(sources: Sequence[Source]) -> list[Source]:
    kinds = {source.times.dtype.kind for source in sources}
    if len(kinds) > 1:
        # A record that begins before 1582 in the mixed calendar: one kind of time for all of it.
        sources = [
            replace(
                source,
                times=decode_times(source.raw_time, source.path, source.location.time, cftime=True),
            )
            for source in sources
        ]
    if kinds != {"M"}:
        for other in sources[1:]:
            if other.calendar != sources[0].calendar:
                raise DataError(_calendars(sources[0], other))
    return list(sources)


def _calendars(first: Source, other: Source) -> str:
    return (
        f"{first.path} and {other.path} have different calendars: {first.calendar!r} against"
        f" {other.calendar!r}; convert one of them first"
    )


def _overlap(one: Source, other: Source) -> str:
    shared = np.isin(other.times, one.times) if one.times.dtype.kind == "M" else _shared(one, other)
    spans = f"{one.path} ({span(one.times)}) and {other.path} ({span(other.times)}) overlap in time"
    if shared.any():
        time = iso(other.times[int(np.argmax(shared))], clock=True)
        return f"{spans}: both hold {time}; give every time in one file only"
    return f"{spans}, though they share none: join them into one file first"


def _shared(one: Source, other: Source) -> npt.NDArray[np.bool_]:
    held = set(one.times)
    return np.array([time in held for time in other.times], bool)
