"""Classes as a configuration names them: ranges of an index, or values of a category."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BeforeValidator, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.record import Record
from climxai.data.labels.label import DROPPED

_T = TypeVar("_T")


class ClassRange(Record):
    """The open range of an index that makes a class; with neither bound, everything else."""

    above: float | None = None
    """the index lies above this, not on it; units of the index"""
    below: float | None = None
    """the index lies below this, not on it; units of the index"""

    @model_validator(mode="after")
    def _ordered(self) -> ClassRange:
        check_bounds(self.above, self.below)
        return self


class SeriesClass(Record):
    """The range or the values of a series that make a class; with none, everything else."""

    above: float | None = None
    """the series lies above this, not on it; units of the series"""
    below: float | None = None
    """the series lies below this, not on it; units of the series"""
    equals: int | str | tuple[int | str, ...] | None = None
    """the series is this value, or one of these values"""

    @model_validator(mode="after")
    def _consistent(self) -> SeriesClass:
        check_bounds(self.above, self.below)
        if self.equals is not None and (self.above is not None or self.below is not None):
            raise PydanticCustomError(
                "class", "a class is a range (`above`, `below`) or `equals` values, not both"
            )
        return self

    @property
    def values(self) -> tuple[int | str, ...]:
        """The values of ``equals``, none where it is not given."""
        if self.equals is None:
            return ()
        return self.equals if isinstance(self.equals, tuple) else (self.equals,)


def check_bounds(above: float | None, below: float | None) -> None:
    """Check that an open range holds something.

    Raises
    ------
    PydanticCustomError
        When ``above`` is not less than ``below``.
    """
    if above is not None and below is not None and above >= below:
        raise PydanticCustomError(
            "range",
            "no value lies above {above} and below {below}: `above` must be less than `below`",
            {"above": above, "below": below},
        )


def from_list(value: Any) -> Any:
    """Turn ``[{class: warm, above: 0}, …]``, as saved, into ``{warm: {above: 0}, …}``."""
    if not isinstance(value, list | tuple):
        return value
    named: dict[str, Any] = {}
    for item in value:
        if not isinstance(item, Mapping) or "class" not in item:
            return value
        rest = {key: part for key, part in item.items() if key != "class"}
        named[str(item["class"])] = rest.pop("members", rest)
    return named


def to_list(classes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return classes as a list: their order gives their numbers, and sorted keys would lose it."""
    listed = []
    for name, content in classes.items():
        if isinstance(content, Record):
            listed.append({"class": name, **content.model_dump(mode="json")})
        else:
            listed.append({"class": name, "members": list(content)})
    return listed


def at_least_two(classes: dict[str, _T]) -> dict[str, _T]:
    """Check that there is something to tell apart.

    Raises
    ------
    PydanticCustomError
        When there are fewer than two classes.
    """
    if len(classes) < 2:
        raise PydanticCustomError(
            "classes",
            "a label needs at least two classes, found {n}: {names}",
            {"n": len(classes), "names": ", ".join(classes) or "none"},
        )
    return classes


def ranges_apart(classes: dict[str, Any]) -> dict[str, Any]:
    """Check that no value lies in two ranges and that one class at most is everything else.

    Raises
    ------
    PydanticCustomError
        Naming the two classes.
    """
    bounded, rest = [], []
    for name, part in classes.items():
        if getattr(part, "values", ()):
            continue
        if part.above is None and part.below is None:
            rest.append(name)
        else:
            low = -np.inf if part.above is None else part.above
            bounded.append((low, np.inf if part.below is None else part.below, name))
    if len(rest) > 1:
        raise PydanticCustomError(
            "classes",
            "{names} have neither `above` nor `below`: only one class can be everything else",
            {"names": " and ".join(rest)},
        )
    bounded.sort()
    for (_, high, name), (low, _, other) in pairwise(bounded):
        if low < high:
            raise PydanticCustomError(
                "classes",
                "{name} and {other} overlap: values above {low} and below {high} are in both",
                {"name": name, "other": other, "low": float(low), "high": float(high)},
            )
    return classes


def values_apart(classes: dict[str, SeriesClass]) -> dict[str, SeriesClass]:
    """Check that no value belongs to two classes, and that ranges and values are not mixed.

    Raises
    ------
    PydanticCustomError
        Naming the classes.
    """
    owner: dict[str, str] = {}
    for name, part in classes.items():
        for value in part.values:
            other = owner.setdefault(str(value), name)
            if other != name:
                raise PydanticCustomError(
                    "classes",
                    "{value} belongs to both {other} and {name}",
                    {"value": repr(value), "other": other, "name": name},
                )
    ranged = [n for n, p in classes.items() if p.above is not None or p.below is not None]
    if owner and ranged:
        raise PydanticCustomError(
            "classes",
            "{name} is a range while others are `equals` values: use one kind for all classes",
            {"name": ranged[0]},
        )
    if not owner and not ranged:
        raise PydanticCustomError(
            "classes", "no class says what it is: give `above`, `below` or `equals`"
        )
    return classes


Ranges = Annotated[
    dict[str, ClassRange],
    BeforeValidator(from_list),
    AfterValidator(at_least_two),
    AfterValidator(ranges_apart),
    PlainSerializer(to_list, when_used="json"),
]
"""Class name -> `ClassRange`; their order gives the numbers of the classes."""

SeriesClasses = Annotated[
    dict[str, SeriesClass],
    BeforeValidator(from_list),
    AfterValidator(at_least_two),
    AfterValidator(ranges_apart),
    AfterValidator(values_apart),
    PlainSerializer(to_list, when_used="json"),
]
"""Class name -> `SeriesClass`; their order gives the numbers of the classes."""


def number_ranges(
    index: npt.NDArray[np.float64], classes: Mapping[str, ClassRange | SeriesClass]
) -> npt.NDArray[np.int64]:
    """Return the class of each value [sample]; on a threshold or NaN it is -1.

    The class without a bound takes every other finite value, those on a threshold included.
    """
    numbers = np.full(index.shape, DROPPED, np.int64)
    rest = DROPPED
    for number, part in enumerate(classes.values()):
        if part.above is None and part.below is None:
            rest = number
            continue
        inside = np.isfinite(index)
        if part.above is not None:
            inside &= index > part.above
        if part.below is not None:
            inside &= index < part.below
        numbers[inside] = number
    numbers[(numbers == DROPPED) & np.isfinite(index)] = rest
    return numbers
