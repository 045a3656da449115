"""Dates written out by hand are the reference; pandas for long standard-calendar series."""

from __future__ import annotations

import cftime
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from climxai.core.period import Period, as_period
from climxai.data.time import (
    calendar_of,
    days,
    decimal_years,
    iso,
    months,
    rows_in_period,
    span,
    years,
)


def period(text: str) -> Period:
    return Period.model_validate(as_period(text))


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_parts_equal_pandas_in_the_standard_calendar(unit: str) -> None:
    index = pd.date_range("1896-02-27", periods=1500, freq="37h", unit=unit)
    time = index.to_numpy()
    np.testing.assert_array_equal(years(time), index.year)
    np.testing.assert_array_equal(months(time), index.month)
    np.testing.assert_array_equal(days(time), index.day)
    assert years(time).dtype == months(time).dtype == days(time).dtype == np.int64


def test_parts_of_a_360_day_calendar_and_of_a_coordinate() -> None:
    time = np.array([cftime.Datetime360Day(2001, 2, 30), cftime.Datetime360Day(2001, 12, 30)])
    coordinate = xr.DataArray(time, dims="sample")
    assert years(coordinate).tolist() == [2001, 2001]
    assert months(time).tolist() == [2, 12]
    assert days(time).tolist() == [30, 30]


def test_decimal_years_use_the_length_of_the_year() -> None:
    leap = np.array(["2000-01-01", "2000-12-31", "2001-12-31"], "datetime64[ns]")
    np.testing.assert_allclose(
        decimal_years(leap), [2000, 2000 + 365 / 366, 2001 + 364 / 365], rtol=0, atol=1e-9
    )
    half = np.array([cftime.Datetime360Day(1900, 7, 1)])
    assert decimal_years(half).tolist() == [1900.5]
    noleap = np.array([cftime.DatetimeNoLeap(2000, 12, 31)])
    np.testing.assert_allclose(decimal_years(noleap), [2000 + 364 / 365], rtol=0, atol=1e-9)


def test_a_period_holds_its_first_and_last_day_whole() -> None:
    time = np.array(
        ["1998-04-30T23", "1998-05-01T00", "1999-02-28T23", "1999-03-01T00"], "datetime64[ns]"
    )
    assert rows_in_period(time, period("1998-05/1999-02")).tolist() == [False, True, True, False]
    assert rows_in_period(time, period("1998-04-30")).tolist() == [True, False, False, False]
    assert rows_in_period(time, Period(start="1999")).tolist() == [False, False, True, True]
    assert rows_in_period(time, Period()).all()


def test_a_period_in_a_360_day_calendar_includes_30_february() -> None:
    time = np.array([cftime.Datetime360Day(2001, 2, 30), cftime.Datetime360Day(2001, 3, 1)])
    assert rows_in_period(time, period("2001-02")).tolist() == [True, False]


def test_iso_text() -> None:
    assert iso(np.datetime64("1998-05-16T12:30:00")) == "1998-05-16"
    assert iso(np.datetime64("1998-05-16T12:30:00"), clock=True) == "1998-05-16T12:30"
    assert iso(cftime.Datetime360Day(850, 2, 30, 6)) == "0850-02-30"
    assert iso(cftime.Datetime360Day(850, 2, 30, 6), clock=True) == "0850-02-30T06:00"
    coordinate = xr.DataArray(np.array(["2010-01-01", "2010-02-01"], "datetime64[ns]"), dims="t")
    assert iso(coordinate[1]) == "2010-02-01"
    assert span(coordinate) == "2010-01-01 to 2010-02-01"
    assert span(coordinate[:0]) == "no time at all"


def test_calendar_names() -> None:
    assert calendar_of(np.array(["2010-01-01"], "datetime64[s]")) == "proleptic_gregorian"
    assert calendar_of(np.array([cftime.DatetimeNoLeap(2000, 1, 1)])) == "noleap"


def test_numbers_are_not_times() -> None:
    with pytest.raises(TypeError, match="datetime64 or cftime"):
        years(np.arange(3.0))
