"""Series from files matched by time; the matches are written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from climxai.core.errors import DataError
from climxai.data.labels import TimeSeries

SIGNS = {"cold": {"below": -0.5}, "warm": {"above": 0.5}}


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def series(file, **settings):
    return TimeSeries(**{"file": str(file), "classes": SIGNS, **settings})


def test_csv_by_month_in_any_order_and_day(make, tmp_path):
    file = write(
        tmp_path / "enso.csv",
        "time,oni\n# a comment\n1998-03-15,-1.5\n1998-01-31,2.0\n1997-12-01,9\n1998-02-10,0.1\n",
    )
    made = series(file).label(make([0.0] * 3))
    assert list(made.numbers) == [1, -1, 0]
    assert made.index is not None
    assert list(made.index.values) == [2.0, 0.1, -1.5]
    assert made.index.attrs == {"long_name": "oni", "units": "1"}
    assert made.warnings == ()


def test_year_and_month_columns_split_by_blanks_with_a_missing_value(make, tmp_path):
    file = write(
        tmp_path / "oni.txt",
        "YEAR  MONTH  ANOM\n1998  1   2.2\n1998  2  -99.9\n1998  3  -0.9\n",
    )
    made = series(file, separator=" ", missing=-99.9).label(make([0.0] * 4))
    assert list(made.numbers) == [1, -1, 0, -1]
    assert made.warnings == (
        f"label series: 2 of 4 rows have no value in {file} (first 1998-02) and are dropped",
    )


def test_daily_data_match_the_date(make, tmp_path):
    file = write(
        tmp_path / "s.csv", "date,x\n1998-01-02,1\n1998-01-03 12:00,-1\n1998-01-04T06:00,2\n"
    )
    made = series(file).label(make([0.0] * 4, freq="D"))
    assert list(made.numbers) == [-1, 1, 0, 1]


def test_annual_data_match_the_year(make, tmp_path):
    file = write(tmp_path / "s.csv", "year,x\n1998,1\n1999,-1\n2000,0\n")
    made = series(file).label(make([0.0] * 3, start="1998-07-01", freq="YS-JUL"))
    assert list(made.numbers) == [1, 0, -1]


def test_january_data_match_january_of_a_monthly_series(make, tmp_path):
    lines = [f"{y}-{m:02d},{1 if m == 1 else -1}" for y in (1998, 1999) for m in range(1, 13)]
    file = write(tmp_path / "s.csv", "time,x\n" + "\n".join(lines) + "\n")
    made = series(file).label(make([0.0] * 2, freq="YS"))
    assert list(made.numbers) == [1, 1]


def test_dates_of_a_360_day_calendar(make, tmp_path):
    file = write(tmp_path / "s.csv", "time,x\n2000-02-29,1\n2000-02-30,-1\n")
    fields = make([0.0] * 2, start="2000-02-29", freq="D", calendar="360_day")
    assert list(series(file).label(fields).numbers) == [1, 0]


def test_netcdf_with_units(make, tmp_path):
    time = xr.date_range("1998-01-16", periods=3, freq="D") + np.array(
        [0, 31, 59], "timedelta64[D]"
    ).astype("timedelta64[ns]")
    data = xr.Dataset(
        {
            "oni": (("time", "box"), [[1.0], [np.nan], [-1.0]], {"units": "K", "long_name": "ONI"}),
            "other": ("box", [3.0]),
        },
        {"time": time},
    )
    data.to_netcdf(tmp_path / "oni.nc")
    made = series(tmp_path / "oni.nc").label(make([0.0] * 3))
    assert list(made.numbers) == [1, -1, 0]
    assert made.index is not None
    assert made.index.attrs == {"long_name": "ONI", "units": "K"}


def test_texts_as_categories(make, tmp_path):
    file = write(
        tmp_path / "types.csv",
        "time,kind,note\n1998-01,EP,a\n1998-02,CP,b\n1998-03,,c\n1998-04,mixed,d\n1998-05,EP,e\n",
    )
    classes = {"central": {"equals": "CP"}, "eastern": {"equals": ["EP", "mixed"]}}
    made = series(file, classes=classes, variable="kind").label(make([0.0] * 5))
    assert list(made.numbers) == [1, 0, -1, 1, 1]
    assert made.index is None
    assert "first 1998-03" in made.warnings[0]


def test_integers_as_categories_with_a_rest(make, tmp_path):
    xr.Dataset(
        {"kind": ("time", np.array([2, 0, 1], np.int8))},
        {"time": xr.date_range("1998-01-01", periods=3, freq="MS")},
    ).to_netcdf(tmp_path / "k.nc")
    classes = {"none": {}, "one": {"equals": 1}, "two": {"equals": 2}}
    made = series(tmp_path / "k.nc", classes=classes).label(make([0.0] * 3))
    assert list(made.numbers) == [2, 0, 1]
    file = write(tmp_path / "k.csv", "time,kind\n1998-01,2\n1998-02,0\n1998-03,\n")
    assert list(series(file, classes=classes).label(make([0.0] * 3)).numbers) == [2, 0, -1]


def test_changing_any_setting_changes_a_label(make, tmp_path):
    file = write(tmp_path / "s.csv", "time,when,a,b\n1998-01,1998-02,1,-1\n1998-02,1998-01,-1,1\n")
    fields = make([0.0] * 2)
    assert list(series(file, variable="a", time="time").label(fields).numbers) == [1, 0]
    assert list(series(file, variable="b", time="time").label(fields).numbers) == [0, 1]
    assert list(series(file, variable="a", time="when").label(fields).numbers) == [0, 1]


@pytest.mark.parametrize(
    ("text", "settings", "problem"),
    [
        ("time,a,b\n1998-01,1,1\n", {}, r"which variable is meant \(found: a, b\)"),
        ("time,a\n1998-01,1\n", {"variable": "aa"}, "no variable 'aa'. Did you mean 'a'"),
        ("when,a\n1998-01,1\n", {}, r"which time is meant \(found: when, a\)"),
        ("time,a\n1998-01,high\n", {}, "holds 'high' in a, where a number is expected"),
        ("time,a\n01/05/1998,1\n", {}, "value 1: '01/05/1998' is not a date like"),
        ("time,a\n1997-01,1\n1997-02,1\n", {}, r"\(1997-01 to 1997-02\) matches a row of the data"),
        ("time,a\n1998-01-01,1\n1998-01-02,1\n", {}, "2 values for 1998-01, where the data have"),
        ("time,a\n1998,1\n", {}, "name only the year, the data have one row a month"),
        ("time,a\n1998-01,\n1998-02,\n", {}, "every value of a .* is missing"),
        ("", {}, "cannot be read as a table"),
        ("time,a\n", {}, "holds no line of values"),
    ],
)
def test_bad_tables(make, tmp_path, text, settings, problem):
    file = write(tmp_path / "s.csv", text)
    with pytest.raises(DataError, match=problem):
        series(file, **settings).label(make([0.0] * 3))


def test_missing_and_damaged_files(make, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        series(tmp_path / "none.csv").label(make([0.0]))
    with pytest.raises(DataError, match="cannot be read as netCDF"):
        series(write(tmp_path / "x.nc", "no netcdf")).label(make([0.0]))
    xr.Dataset({"a": ("x", [1.0, 2.0])}).to_netcdf(tmp_path / "y.nc")
    with pytest.raises(DataError, match=r"which time is meant \(found: none\)"):
        series(tmp_path / "y.nc").label(make([0.0]))


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        ({"a": {"equals": 1}, "b": {"equals": [2, 1]}}, "1 belongs to both a and b"),
        ({"a": {"equals": 1}, "b": {"above": 2}}, "b is a range while others"),
        ({"a": {"equals": 1, "above": 0}, "b": {}}, "not both"),
        ({"a": {"above": 0}, "b": {"above": 1}}, "a and b overlap"),
        ({"a": {"equals": 1}}, "at least two"),
        ({"a": {}, "b": {}}, "neither"),
    ],
)
def test_wrong_classes(classes, problem):
    with pytest.raises(ValidationError, match=problem):
        series("x.csv", classes=classes)


def test_round_trip_keeps_order(tmp_path):
    label = series("x.csv", classes={"b": {"equals": ["x", 2]}, "a": {}})
    again = TimeSeries.model_validate_json(label.model_dump_json())
    assert again == label
    assert list(again.classes) == ["b", "a"]
