"""Periods as people write them; both ends included, no calendar assumed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from climxai.core.period import AnyPeriod

ANY = TypeAdapter(AnyPeriod)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        (1998, (1998, 1, 1), (1998, 12, 31)),
        ("1998", (1998, 1, 1), (1998, 12, 31)),
        ("1991-2020", (1991, 1, 1), (2020, 12, 31)),
        ("1998-05/1999-02", (1998, 5, 1), (1999, 2, 31)),
        ("1998-05", (1998, 5, 1), (1998, 5, 31)),
        ([1991, "2020-06"], (1991, 1, 1), (2020, 6, 31)),
        ({"start": 2017}, (2017, 1, 1), (10**6, 12, 31)),
        ("2017/", (2017, 1, 1), (10**6, 12, 31)),
        ("/2016", (-(10**6), 1, 1), (2016, 12, 31)),
    ],
)
def test_ways_to_write_a_period(written: Any, first: tuple, last: tuple) -> None:
    period = ANY.validate_python(written)
    assert (period.first(), period.last()) == (first, last)


@pytest.mark.parametrize("bad", ["199x", "1998-13", "1998-01-40", [2000, 1990], "may 1998"])
def test_what_is_no_period(bad: Any) -> None:
    with pytest.raises(ValidationError):
        ANY.validate_python(bad)


def test_it_loads_back_to_itself() -> None:
    period = ANY.validate_python("1998-05/1999-02")
    assert ANY.validate_json(ANY.dump_json(period)) == period
