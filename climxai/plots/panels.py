"""A page of small maps: methods by classes, seeds, seasons or clusters, with shared colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from climxai.core.errors import DataError
from climxai.plots.maps import Frame, check_grids, framed, limit_of, paint
from climxai.plots.pages import SIDE, all_ends, colour_bar, heading, note, with_shared_contours
from climxai.plots.stippling import Marks
from climxai.plots.style import WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.plots.settings import Maps

_COUNTED: Final = re.compile(r" \([\d,]+ of [\d,]+ cells\)$")
# Inches.
GAP: Final = 0.10
NAME: Final = 0.20
ROW_NAME: Final = 0.20
HEAD: Final = 0.50
BAR: Final = 0.10
BAR_BELOW: Final = 0.58
BAR_BESIDE: Final = 0.72
WIDEST: Final = 3.6
TALLEST: Final = 9.6
"""Height of a page, a journal's page less its caption."""


@dataclass(frozen=True)
class Panel:
    """One small map."""

    relevance: xr.DataArray
    """(lat, lon)"""
    name: str
    """what stands above it"""
    field: xr.DataArray | None = None
    """(lat, lon), contoured"""
    marks: Marks | None = None
    """where it is significant"""


@dataclass(frozen=True)
class Row:
    """Maps side by side; None leaves a place empty."""

    panels: tuple[Panel | None, ...]
    signed: bool
    """whether relevance of both signs is expected: diverging colours"""
    name: str = ""
    """what stands at the left, turned"""
    label: str = "relevance (1)"
    """text of its colour bar"""


def draw_panels(
    rows: Sequence[Row],
    settings: Maps,
    *,
    title: str,
    subtitle: str = "",
    scale: Literal["page", "row"] = "page",
) -> Figure:
    """Draw rows of small maps, relevance shaded and the field contoured with one interval.

    Parameters
    ----------
    rows
        The maps; all on grids that suit one projection.
    settings
        Projection, region, colours.
    title, subtitle
        Lines above the maps.
    scale
        ``page``: one colour scale for all maps, its bar below; ``row``: one per row, its bar beside
        it, where methods differ in units or signs. A page with both kinds of methods needs ``row``.

    Raises
    ------
    DataError
        When there is no map to draw, or one holds no finite value, or grids differ.
    """
    settings.check()
    held = [panel for row in rows for panel in row.panels if panel is not None]
    if not held:
        raise DataError("there is nothing to draw: no panel has a map")
    if scale == "page" and len({row.signed for row in rows}) > 1:
        raise DataError("maps with and without signs cannot share one colour scale: use `row`")
    for panel in held:
        check_grids(panel.relevance, panel.field)
    with our_style():
        return _draw(rows, settings, (title, subtitle), scale)


def _draw(rows: Sequence[Row], settings: Maps, titles: tuple[str, str], scale: str) -> Figure:
    figure = new_figure(4.0, settings.dpi)
    frames: dict[tuple[int, int], Frame] = {}
    for i, row in enumerate(rows):
        for j, panel in enumerate(row.panels):
            if panel is not None:
                frames[i, j] = framed(figure, panel.relevance, settings)
    shape = max(frame.shape for frame in frames.values())
    columns = max(len(row.panels) for row in rows)
    left = SIDE + (ROW_NAME if any(row.name for row in rows) else 0)
    right = SIDE + (BAR_BESIDE if scale == "row" else 0)
    width = min((WIDTH - left - right - (columns - 1) * GAP) / columns, WIDEST)
    # Two lines of notes; a page that is too high gets smaller maps.
    foot = (BAR_BELOW if scale == "page" else 0.1) + 0.32
    room = TALLEST - HEAD - foot - NAME * len(rows)
    width = min(width, room / (len(rows) * shape))
    look = with_shared_contours(
        ((frame, *_layers(rows, at)) for at, frame in frames.items()), settings
    )
    limits = _limits(rows, frames, settings, scale)
    shadings: dict[int, list[tuple[Any, str]]] = {}
    notes: list[str] = []
    for (i, j), frame in frames.items():
        panel = rows[i].panels[j]
        if panel is None:
            continue
        shading, text = paint(
            frame, panel.relevance, panel.field, panel.marks, look,
            limit=limits[i], signed=rows[i].signed, width=width, labels=False,
        )  # fmt: skip
        shadings.setdefault(i, []).append(shading)
        # How many cells are significant differs from map to map: the page says what dots are.
        lines = [_COUNTED.sub("", line) for line in text.splitlines()]
        notes += [line for line in lines if line not in notes]
    notes = _one_per_kind(notes)

    foot -= 0.12 * (2 - len(notes))
    step = NAME + width * shape
    total = HEAD + step * len(rows) + foot
    figure.set_size_inches(WIDTH, total)
    indent = left + (WIDTH - left - right - columns * width - (columns - 1) * GAP) / 2
    for (i, j), frame in frames.items():
        x, top = indent + j * (width + GAP), HEAD + i * step + NAME
        high = width * frame.shape
        frame.axes.set_position((x / WIDTH, 1 - (top + high) / total, width / WIDTH, high / total))
        frame.axes.set_title(_name(rows, i, j), size=7.5, pad=2.5)
    for i, row in enumerate(rows):
        middle = total - (HEAD + i * step + NAME + width * shape / 2)
        if row.name:
            size = 7.5 * min(1, width * shape / (0.062 * max(len(row.name), 1)))
            figure.text(
                (indent - 0.06) / WIDTH, middle / total, row.name, size=max(size, 5.5),
                rotation=90, va="center", ha="right",
            )  # fmt: skip
        if scale == "row" and i in shadings:
            high = 0.84 * width * shape
            x = indent + columns * width + (columns - 1) * GAP + 0.10
            place = (x, middle - high / 2, BAR, high)
            colour_bar(figure, _merged(shadings[i]), place, row.label, vertical=True)
    if scale == "page":
        every = [each for found in shadings.values() for each in found]
        place = (0.19 * WIDTH, foot - BAR - 0.1, 0.62 * WIDTH, BAR)
        colour_bar(figure, _merged(every), place, rows[0].label)
    heading(figure, *titles)
    note(figure, "\n".join(notes))
    return figure


def _name(rows: Sequence[Row], i: int, j: int) -> str:
    """Return what stands above a panel: nothing where the row above says it already."""
    panel = rows[i].panels[j]
    above = rows[i - 1].panels[j] if i and j < len(rows[i - 1].panels) else None
    if panel is None or (above is not None and rows[i].name and above.name == panel.name):
        return ""
    return panel.name


def _layers(rows: Sequence[Row], at: tuple[int, int]) -> tuple[xr.DataArray, xr.DataArray | None]:
    panel = rows[at[0]].panels[at[1]]
    if panel is None:
        raise DataError(f"there is no panel at {at}")
    return panel.relevance, panel.field


def _limits(
    rows: Sequence[Row], frames: dict[tuple[int, int], Frame], settings: Maps, scale: str
) -> dict[int, float]:
    """Return the end of the colour scale per row: the largest that any of its maps asks for."""
    if settings.limit is not None:
        return dict.fromkeys(range(len(rows)), settings.limit)
    found: dict[int, float] = {}
    for at, frame in frames.items():
        own = limit_of(frame, _layers(rows, at)[0])
        # A map of zeros asks for a scale up to 1 by itself: it takes that of the others.
        if not _layers(rows, at)[0].fillna(0).values.any():
            own = 0.0
        found[at[0]] = max(found.get(at[0], 0.0), own)
    if scale == "page":
        found = dict.fromkeys(found, max(found.values()))
    return {i: value or 1.0 for i, value in found.items()}


def _merged(shadings: Sequence[tuple[Any, str]]) -> tuple[Any, str]:
    return shadings[0][0], all_ends(extend for _, extend in shadings)


def _one_per_kind(notes: Sequence[str]) -> list[str]:
    """Return the notes without those that say the same of fewer signs.

    A map whose field has one sign only says nothing of dashes: the longer line says it for all.
    """
    return [
        line
        for line in notes
        if not any(other != line and other.startswith(line) for other in notes)
    ]
