"""Numbers, shares, sizes and settings as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from climxai.core.region import NAMED_REGIONS, Region

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""Stands where there is no number."""


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with so many decimals; a dash where it is undefined."""
    if value is None or not math.isfinite(value):
        return NONE
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}").replace("-", MINUS)
    text = f"{value:.{digits}f}"
    return text.replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits."""
    return f"{value:.{digits}g}".replace("-", MINUS) if math.isfinite(value) else NONE


def percent(value: float | None) -> str:
    """Return a share as per cent; what rounds to 0 or 100 but is not says so."""
    if value is None or not math.isfinite(value):
        return NONE
    if 0 < abs(value) < 0.005:
        return f"{100 * value:.1g} %".replace("-", MINUS)
    if 0.995 < value < 1:
        return f"{math.floor(1000 * value) / 10:.1f} %"
    return f"{100 * value:.0f} %".replace("-", MINUS)


def span(values: Sequence[float], digits: int = 2) -> str:
    """Return the lowest and highest of some numbers, one where they are alike."""
    held = [value for value in values if value is not None and math.isfinite(value)]
    if not held:
        return NONE
    low, high = number(min(held), digits), number(max(held), digits)
    return low if low == high else f"{low} to {high}"


def size(count: float) -> str:
    """Return a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def degrees(value: float, letters: str) -> str:
    """Return 30°N or 120°W; ``letters`` are those of positive and negative values."""
    if letters == "EW":
        value = (value + 180) % 360 - 180
    return f"{abs(value):g}°{letters[value < 0]}"


def settings(value: Any, top: bool = True) -> str:
    """Return settings in one line, what is not set left out: ``hidden: 8, 8; activation: relu``."""
    if isinstance(value, Mapping):
        if {"south", "north", "west", "east"} <= set(value):
            return place(value)
        held = {key: each for key, each in value.items() if each not in (None, [], {}, ())}
        if "name" in held and not top:
            name = str(held.pop("name"))
            rest = settings(held)
            return f"{name} ({rest})" if rest else name
        joint = "; " if top else ", "
        return joint.join(f"{key}: {settings(each, top=False)}" for key, each in held.items())
    if isinstance(value, list | tuple):
        return ", ".join(settings(each, top=False) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def place(box: Mapping[str, Any]) -> str:
    """Return a box by its edges, and by its name where it has one."""
    region = Region(**{key: box[key] for key in ("south", "north", "west", "east")})
    named = [name for name, known in NAMED_REGIONS.items() if known == region]
    return f"{named[0]} ({region.describe()})" if named else region.describe()


def plural(count: int, word: str) -> str:
    """Return a count with its noun."""
    return f"{number(count)} {word}" + ("" if count == 1 else "s")
