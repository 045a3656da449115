"""Classes by a time series from a file, matched to the rows by time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from climxai.core.dims import SAMPLE, TIME
from climxai.core.errors import DataError
from climxai.core.paths import ConfigPath
from climxai.data.labels.classes import SeriesClass, SeriesClasses, number_ranges
from climxai.data.labels.label import DROPPED, Label, Labelling
from climxai.data.resolution import (
    Resolution,
    date_keys,
    resolution,
    short_date,
    short_span,
    spacing,
    time_keys,
)

if TYPE_CHECKING:
    import xarray as xr

    from climxai.data.labels.series_file import Series


_FINENESS: tuple[Resolution, ...] = ("year", "month", "day")


class TimeSeries(Label):
    """Values of a series in a netCDF or CSV file, cut into classes at thresholds or by value.

    A row takes the value of the same date; where the data have one row a month, that of the same
    year and month; where data and series both have one value a year, that of the same year. Rows
    without a value are dropped.
    """

    name: Literal["series"] = "series"
    file: ConfigPath
    """netCDF (.nc, .nc4, .cdf) or text table with a header line; # begins a comment"""
    classes: SeriesClasses
    """class name -> {above, below} or {equals}; one with none of them is everything else"""
    variable: str | None = None
    """variable or column that holds the values; may be left out when there is only one"""
    time: str | None = None
    """variable or column that holds the dates; by default time or date, or year, month and day"""
    separator: str = ","
    """what separates the columns of a table; a space stands for any white space"""
    missing: float | None = None
    """number that means no value, for example -99.9"""

    def label(self, fields: xr.DataArray) -> Labelling:
        """Return the classes and, where it is a number, the matched series.

        Raises
        ------
        DataError
            When the file cannot be read, holds two values for one time, or none for any row.
        """
        import xarray as xr

        from climxai.data.labels.series_file import read_series

        series = read_series(self.file, self.variable, self.time, self.separator)
        time = fields[TIME].values
        position = self._match(series, time)
        found = position >= 0
        values = np.full(position.shape, None, object)
        values[found] = series.values[position[found]]
        by_value = any(part.values for part in self.classes.values())
        if by_value and not series.numeric:
            absent = np.array([value is None for value in values])
            said = self._lacking(absent, time, series)
            numbers = number_values(values, absent, self.classes)
            return Labelling(numbers, tuple(self.classes), None, said)
        index = self._numbers(values, series)
        absent = ~np.isfinite(index)
        said = self._lacking(absent, time, series)
        if by_value:
            numbers = number_values(values, absent, self.classes)
        else:
            numbers = number_ranges(index, self.classes)
        matched = xr.DataArray(
            index,
            dims=SAMPLE,
            coords={TIME: (SAMPLE, time)},
            attrs={"long_name": series.long_name, "units": series.units},
            name="index",
        )
        return Labelling(numbers, tuple(self.classes), matched, said)

    def _match(self, series: Series, time: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
        """Return for each row [sample] the position of its value in the series, or -1."""
        unit = self._unit(series, time)
        year, month, day = series.dates.T
        known = date_keys(year, month, day, unit)
        distinct, first, counts = np.unique(known, return_index=True, return_counts=True)
        if (counts > 1).any():
            where = int(first[np.argmax(counts > 1)])
            raise DataError(
                f"label series: {self.file} holds {int(counts[counts > 1][0])} values for "
                f"{series.date(where, unit)}, where the data have one row a {unit}: one value per "
                f"{unit} is expected"
            )
        keys = time_keys(time, unit)
        position = np.searchsorted(distinct, keys).clip(max=distinct.size - 1)
        found = np.where(distinct[position] == keys, first[position], -1)
        if (found < 0).all():
            raise DataError(
                f"label series: no time of {self.file} ({series.span()}) matches a row of the data "
                f"({short_span(time)}, by {unit}): check the file and the period"
            )
        return found.astype(np.int64)

    def _unit(self, series: Series, time: npt.NDArray[np.generic]) -> Resolution:
        unit = resolution(time)
        if unit == "year" and spacing(*series.dates.T[:2]) != "year":
            unit = "month"
        if _FINENESS.index(series.coarsest) < _FINENESS.index(unit):
            raise DataError(
                f"label series: the dates in {self.file} name only the {series.coarsest}, the data "
                f"have one row a {unit}: dates as fine as the data are expected"
            )
        return unit

    def _numbers(self, values: npt.NDArray[np.object_], series: Series) -> npt.NDArray[np.float64]:
        numbers = np.full(values.shape, np.nan)
        for position, value in enumerate(values):
            if value is None:
                continue
            try:
                numbers[position] = float(value)
            except ValueError:
                raise DataError(
                    f"label series: {self.file} holds {value!r} in {series.name}, where a number "
                    "is expected: give the classes as `equals` values, or name another `variable`"
                ) from None
        if self.missing is not None:
            numbers[np.isclose(numbers, self.missing, rtol=1e-6, atol=0)] = np.nan
        return numbers

    def _lacking(
        self, absent: npt.NDArray[np.bool_], time: npt.NDArray[np.generic], series: Series
    ) -> tuple[str, ...]:
        if absent.all():
            raise DataError(
                f"label series: every value of {series.name} in {self.file} at the times of the "
                f"data ({short_span(time)}) is missing"
            )
        if not absent.any():
            return ()
        first = short_date(time[absent][0], resolution(time))
        return (
            f"label series: {int(absent.sum())} of {absent.size} rows have no value in "
            f"{self.file} (first {first}) and are dropped",
        )


def number_values(
    values: npt.NDArray[np.object_],
    absent: npt.NDArray[np.bool_],
    classes: dict[str, SeriesClass],
) -> npt.NDArray[np.int64]:
    """Return the class of each value [sample] by equality; a number equals its text (1 = "1")."""
    owner: dict[str, int] = {}
    rest = DROPPED
    for number, part in enumerate(classes.values()):
        owner.update({str(value): number for value in part.values})
        if not part.values:
            rest = number
    numbers = np.full(values.shape, DROPPED, np.int64)
    for position in np.flatnonzero(~absent):
        value = values[position]
        text = f"{value:g}" if isinstance(value, float | np.floating) else str(value)
        numbers[position] = owner.get(text, rest)
    return numbers
