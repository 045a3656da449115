"""Records are frozen, strict and equal by content; tables pick the class by name."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from climxai.core.record import OneOf, Record


class Circle(Record):
    name: Literal["circle"] = "circle"
    radius: float = 1.0


class Square(Record):
    name: Literal["square"] = "square"
    side: float = 1.0


SHAPES: dict[str, type[Record]] = {"circle": Circle, "square": Square}
SHAPE = TypeAdapter(Annotated[Record, OneOf(SHAPES, "shape")])
DEFAULTED = TypeAdapter(Annotated[Record, OneOf(SHAPES, "shape", default="square")])


def test_the_name_picks_the_class() -> None:
    assert SHAPE.validate_python({"name": "circle", "radius": 2}) == Circle(radius=2)


def test_a_bare_name_is_short_for_the_block() -> None:
    assert SHAPE.validate_python("square") == Square()


def test_a_default_entry_needs_no_name() -> None:
    assert DEFAULTED.validate_python({"side": 3}) == Square(side=3)


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(ValidationError, match=r"no shape named 'cirle'\. Did you mean 'circle'"):
        SHAPE.validate_python("cirle")


def test_a_missing_name_lists_what_there_is() -> None:
    with pytest.raises(ValidationError, match="one of: circle, square"):
        SHAPE.validate_python({"radius": 1})


@pytest.mark.parametrize("bad", [{"radiu": 1}, {"radius": float("nan")}, {"radius": float("inf")}])
def test_unknown_keys_and_non_finite_numbers_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Circle(**bad)


def test_records_are_frozen_and_their_digest_is_their_content() -> None:
    circle = Circle(radius=2)
    with pytest.raises(ValidationError):
        circle.radius = 3  # type: ignore[misc]
    assert circle.digest() == Circle(radius=2.0).digest()
    assert circle.digest() != Circle(radius=2.5).digest()


def test_a_table_entry_round_trips_through_json() -> None:
    text = SHAPE.dump_json(Circle(radius=0.1))
    assert SHAPE.validate_json(text) == Circle(radius=0.1)
