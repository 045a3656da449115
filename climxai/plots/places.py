"""Regions with a name, as tables and bars call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from climxai.core.record import Record
from climxai.core.region import NAMED_REGIONS, AnyRegion, Region, as_region


class Place(Record):
    """A region and what it is called."""

    name: Literal["place"] = "place"
    called: str = Field(min_length=1, max_length=80)
    """name in tables and pictures"""
    region: AnyRegion
    """the box"""


def as_places(value: Any) -> Any:
    """Turn names, boxes and ``{name: box}`` into what places are made of."""
    if isinstance(value, str) or (isinstance(value, Mapping) and not _is_place(value)):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    found: list[Any] = []
    for each in value:
        if isinstance(each, str):
            region = as_region(each)
            found.append({"called": name_of(region) or each, "region": region})
        elif isinstance(each, Mapping) and not _is_place(each):
            found += [{"called": str(name), "region": box} for name, box in each.items()]
        else:
            found.append(each)
    return found


def _is_place(value: Mapping[Any, Any]) -> bool:
    return "called" in value and "region" in value


def name_of(region: Region) -> str | None:
    """Return the name under which a box is known."""
    return next((name for name, box in NAMED_REGIONS.items() if box == region), None)
