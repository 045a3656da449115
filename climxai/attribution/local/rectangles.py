"""Rectangles that groups of cells lie in, and which of them are computed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from climxai.attribution.groups.cover import Cover, Numbers
from climxai.attribution.local.layers import Local, Span, spans

Memory = dict[tuple[int, int, int], "tuple[Span, ...] | None"]
"""Axis, first and last cell -> what they reach."""

WORTH: Final = 0.5
"""Share of the last map up to which a window is computed by itself, rather than the whole."""


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Cells of one group inside a rectangle, with what a change of them reaches.

    Parameters
    ----------
    group
        Its number.
    rows, columns
        First and last row and column, the last exclusive; columns beyond the grid where it closes.
    lat, lon
        What is reached along both axes, layer by layer.
    inside
        Which cells of the rectangle are the group's [channel, lat, lon].
    """

    group: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    lat: tuple[Span, ...]
    lon: tuple[Span, ...]
    inside: Tensor


@dataclass(frozen=True, eq=False)
class Plan:
    """Rectangles of equal geometry, that are computed together; and groups left to others."""

    alike: tuple[tuple[Rectangle, ...], ...]
    left: tuple[int, ...]


def plan_of(local: Local, cover: Cover) -> Plan:
    """Return how the groups of a cover are computed."""
    alike: dict[Any, list[Rectangle]] = {}
    left = []
    begins = np.concatenate([[0], np.cumsum(cover.sizes)])
    memory: Memory = {}
    for group in range(len(cover)):
        cells = cover.cell[begins[group] : begins[group + 1]]
        found = _rectangles(local, group, cells, cover.shape, memory)
        if found is None:
            left.append(group)
        for each in found or ():
            alike.setdefault(_geometry(local, each), []).append(each)
    return Plan(tuple(tuple(each) for each in alike.values()), tuple(left))


def _geometry(local: Local, each: Rectangle) -> tuple[Any, ...]:
    """Return what rectangles that are computed together have in common."""
    found: list[Any] = []
    for size, reached in ((each.rows, each.lat), (each.columns, each.lon)):
        starts = {local.source: size[0]}
        found.append(size[1] - size[0])
        for layer, span in zip(local.layers, reached, strict=True):
            length, needed = span.last - span.first, span.needed_last - span.needed_first
            within = tuple(starts[source] - span.needed_first for source in layer.sources)
            found.append((length, needed, span.low, span.high, within))
            starts[layer.node] = span.first
    return tuple(found)


def _rectangles(
    local: Local,
    group: int,
    cells: Numbers,
    shape: tuple[int, int, int],
    memory: Memory,
) -> list[Rectangle] | None:
    """Return the rectangles a group lies in, or None where whole maps are better."""
    height, width = shape[1:]
    rows, columns = np.unique(cells // width % height), np.unique(cells % width)
    lat = _spans(local, 0, int(rows[0]), int(rows[-1]) + 1, memory)
    sides = [(int(columns[0]), int(columns[-1]) + 1)]
    gaps = np.diff(columns)
    if gaps.size and gaps.max() > width - (columns[-1] - columns[0]):
        # Shorter across the seam than the other way.
        cut = int(gaps.argmax())
        sides = [(int(columns[cut + 1]) - width, int(columns[cut]) + 1)]
    lon = [_spans(local, 1, *side, memory) for side in sides]
    if lon == [None] and sides[0][0] < 0:
        sides = [(0, sides[0][1]), (sides[0][0] + width, width)]
        lon = [_spans(local, 1, *side, memory) for side in sides]
    if lat is None or any(each is None for each in lon):
        return None
    whole = [each for each in lon if each is not None]
    if len(whole) == 2 and any(a.last > b.first for a, b in zip(whole[0], whole[1], strict=True)):
        return None
    height_last, width_last = (int(n) for n in local.last.meta["val"].shape[2:])
    share = sum((lat[-1].last - lat[-1].first) * (each[-1].last - each[-1].first) for each in whole)
    if share > WORTH * height_last * width_last:
        return None
    top = (int(rows[0]), int(rows[-1]) + 1)
    return [
        Rectangle(group, top, side, lat, each, _inside(cells, shape, top, side))
        for side, each in zip(sides, whole, strict=True)
    ]


def _spans(
    local: Local,
    axis: int,
    first: int,
    last: int,
    memory: Memory,
) -> tuple[Span, ...] | None:
    key = (axis, first, last)
    if key not in memory:
        memory[key] = spans(local, axis, first, last)
    return memory[key]


def _inside(
    cells: Numbers, shape: tuple[int, int, int], rows: tuple[int, int], columns: tuple[int, int]
) -> Tensor:
    """Return which cells of a rectangle are among ``cells``."""
    depth, height, width = shape
    found = torch.zeros((depth, rows[1] - rows[0], columns[1] - columns[0]), dtype=torch.bool)
    across = (cells % width - columns[0]) % width
    here = across < columns[1] - columns[0]
    channel, row = cells // (height * width), cells // width % height - rows[0]
    found[channel[here], row[here], across[here]] = True
    return found
