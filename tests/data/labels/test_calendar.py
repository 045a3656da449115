"""Classes by month and season, written out."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from climxai.core.errors import DataError
from climxai.data.labels import CalendarLabel


def test_each_season_is_a_class_by_default(make):
    made = CalendarLabel().label(make([0.0] * 12))
    assert made.classes == ("DJF", "MAM", "JJA", "SON")
    assert list(made.numbers) == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0]
    assert made.index is None


def test_each_month_is_a_class(make):
    made = CalendarLabel(per="month").label(make([0.0] * 14, start="1998-12-01"))
    assert made.classes[0] == "January"
    assert list(made.numbers) == [11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0]


def test_named_classes_drop_the_rest(make):
    label = CalendarLabel(per="month", classes={"wet": [6, 7, 8], "dry": [12, 1], "hot": 4})
    assert list(label.label(make([0.0] * 12)).numbers) == [1, -1, -1, 2, -1, 0, 0, 0, -1, -1, -1, 1]
    halves = CalendarLabel(classes={"summer": ["MAM", "JJA"], "winter": ["DJF", "SON"]})
    assert list(halves.label(make([0.0] * 4)).numbers) == [1, 1, 0, 0]


def test_round_trip_keeps_order():
    label = CalendarLabel(classes={"summer": "JJA", "winter": "DJF"})
    again = CalendarLabel.model_validate_json(label.model_dump_json())
    assert again == label
    assert list(again.classes or ()) == ["summer", "winter"]
    assert CalendarLabel.model_validate_json(CalendarLabel().model_dump_json()) == CalendarLabel()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"classes": {"a": ["JJA"]}}, "at least two"),
        ({"classes": {"a": ["JJA"], "b": ["JJA", "DJF"]}}, "JJA belongs to both a and b"),
        ({"classes": {"a": ["JJA"], "b": [1]}}, "class b: 1 is no season"),
        ({"classes": {"a": ["JJX"], "b": ["DJF"]}}, "'JJX' is no season"),
        ({"per": "month", "classes": {"a": [13], "b": [1]}}, "13 is no month"),
        ({"per": "month", "classes": {"a": ["DJF"], "b": [1]}}, "'DJF' is no month"),
        ({"classes": {"a": [], "b": ["DJF"]}}, "at least 1"),
    ],
)
def test_wrong_classes(settings, problem):
    with pytest.raises(ValidationError, match=problem):
        CalendarLabel(**settings)


def test_no_row_in_a_class(make):
    label = CalendarLabel(classes={"summer": "JJA", "autumn": "SON"})
    with pytest.raises(DataError, match="the data have only DJF, the classes are summer, autumn"):
        label.label(make([0.0, 0.0]))
