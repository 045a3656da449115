"""How finely records are spaced, in calendars where it is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climxai.data.resolution import resolution, short_date, short_span, time_keys


@pytest.mark.parametrize(
    ("freq", "rows", "calendar", "expected", "span"),
    [
        ("YS", 30, "standard", "year", "1998 to 2027"),
        ("MS", 30, "standard", "month", "1998-01 to 2000-06"),
        ("D", 40, "standard", "day", "1998-01-01 to 1998-02-09"),
        ("6h", 9, "noleap", "day", "1998-01-01 to 1998-01-03"),
        ("MS", 14, "360_day", "month", "1998-01 to 1999-02"),
        ("MS", 1, "standard", "year", "1998"),
    ],
)
def test_records(freq, rows, calendar, expected, span):
    time = np.asarray(xr.date_range("1998-01-01", periods=rows, freq=freq, calendar=calendar))
    assert resolution(time) == expected
    assert short_span(time) == span
    # Members repeat the times, in any order.
    assert resolution(np.random.default_rng(0).permutation(np.tile(time, 3))) == expected


def test_dates_and_keys():
    assert [short_date("1998-05-16", unit) for unit in ("year", "month", "day")] == [
        "1998",
        "1998-05",
        "1998-05-16",
    ]
    assert short_span(np.array([], "datetime64[s]")) == "no time at all"
    time = np.array(["1998-05-16", "1998-05-31T12", "1998-06-01", "1999-05-16"], "datetime64[s]")
    for unit, groups in (("year", [0, 0, 0, 1]), ("month", [0, 0, 1, 2]), ("day", [0, 1, 2, 3])):
        assert list(np.unique(time_keys(time, unit), return_inverse=True)[1]) == groups
