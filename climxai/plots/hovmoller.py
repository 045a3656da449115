"""Sections through time: relevance and field by longitude and time, or by latitude and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.colours import colour_limit, colour_map
from climxai.plots.layers import degrees
from climxai.plots.mesh import edges_of
from climxai.plots.pages import colour_bar, heading, note
from climxai.plots.style import INK, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from climxai.plots.settings import Maps

MOST: Final = 2000
"""Steps of time that are drawn: of more, neighbours are averaged."""
MISSING: Final = "#dcdcdc"
# Inches.
HEAD: Final = 0.72
FOOT: Final = 1.02
LEFT: Final = 0.62
RIGHT: Final = 0.16
GAP: Final = 0.34
BAR: Final = 0.10
LONG: Final = 5.6
"""Height of time going down the page."""
FLAT: Final = 1.65
"""Height of a panel with time going to the right."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """One quantity along time and a coordinate."""

    values: npt.NDArray[Any]
    """[time, place], NaN where there is nothing"""
    name: str
    """what stands above the panel"""
    label: str
    """text of the colour bar"""
    signed: bool
    limit: float | None = None
    """value at the end of the colour bar, None: a round one"""
    colours: str | None = None
    """a colour map of matplotlib, None: as for maps of relevance"""


def draw_sections(
    sections: Sequence[Section],
    years: npt.NDArray[Any],
    places: npt.NDArray[Any],
    settings: Maps,
    *,
    along: Literal["lon", "lat"],
    title: str,
    subtitle: str = "",
    text: str = "",
) -> Figure:
    """Draw sections, each with a colour bar of its own.

    Longitudes stand across and time goes down, panels side by side; latitudes stand upright and
    time goes to the right, panels below each other. Times without a sample are grey.

    Parameters
    ----------
    sections
        One or two; their values have the shape of ``years`` and ``places``.
    years
        Decimal years, ascending.
    places
        Degrees: latitudes, or longitudes ascending without a jump.
    settings
        Dots per inch.
    along
        Which coordinate ``places`` are.
    title, subtitle, text
        Lines above the panels, and the note below.

    Raises
    ------
    DataError
        When there is no sample, or no value is finite.
    """
    if not len(years) or not any(np.isfinite(each.values).any() for each in sections):
        raise DataError("there is nothing to draw: the section holds no finite value")
    with our_style():
        flat = along == "lat"
        count = len(sections)
        if flat:
            body = count * FLAT + (count - 1) * (GAP + 0.08)
            total = HEAD + body + 0.42
        else:
            body = LONG
            total = HEAD + body + FOOT
        figure = new_figure(total, settings.dpi)
        for number, section in enumerate(sections):
            if flat:
                wide = WIDTH - LEFT - RIGHT - 0.62
                low = total - HEAD - FLAT - number * (FLAT + GAP + 0.08)
                box = (LEFT, low, wide, FLAT)
                bar = (LEFT + wide + 0.1, low + 0.06 * FLAT, BAR, 0.88 * FLAT)
            else:
                wide = (WIDTH - LEFT - RIGHT - (count - 1) * GAP) / count
                x = LEFT + number * (wide + GAP)
                box = (x, FOOT, wide, LONG)
                bar = (x + 0.06 * wide, FOOT - 0.42, 0.88 * wide, BAR)
            left, low, wide, high = box
            axes: Any = figure.add_axes((left / WIDTH, low / total, wide / WIDTH, high / total))
            shading = _panel(axes, section, years, places, along)
            axes.set_title(section.name, size=8.5, color=INK, loc="left", pad=4)
            last = number == count - 1
            if flat and not last:
                axes.set_xticklabels([])
            if not flat and number:
                axes.set_yticklabels([])
            colour_bar(figure, shading, bar, section.label, vertical=flat)
        heading(figure, title, subtitle)
        note(figure, text)
    return figure


def cells_in_time(years: npt.NDArray[Any], values: npt.NDArray[Any]) -> tuple[Array, Array]:
    """Return edges [time + 1] and values [time, place] with a missing step wherever time jumps.

    Samples stand in cells as long as the usual distance between them; where the next one is more
    than one and a half times as far away, a cell without values lies between. Of more than `MOST`
    samples those that fall into one of so many equal stretches of time are averaged.
    """
    years, values = np.asarray(years, dtype=float), np.asarray(values, dtype=float)
    if len(years) > MOST:
        years, values = _averaged(years, values)
    if len(years) == 1:
        return np.array([years[0] - 0.5 / 12, years[0] + 0.5 / 12]), values
    steps = np.diff(years)
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    edges, rows = [years[0] - usual / 2], []
    for number, year in enumerate(years.tolist()):
        rows.append(values[number])
        after = years[number + 1] if number + 1 < len(years) else None
        if after is None or after - year > 1.5 * usual:
            edges.append(year + usual / 2)
            if after is not None:
                rows.append(np.full(values.shape[1], np.nan))
                edges.append(after - usual / 2)
        else:
            edges.append((year + after) / 2)
    return np.array(edges), np.array(rows)


def _averaged(years: Array, values: Array) -> tuple[Array, Array]:
    edges = np.linspace(years[0], years[-1], MOST + 1)
    number = np.clip(np.searchsorted(edges, years, side="right") - 1, 0, MOST - 1)
    held = np.isfinite(values)
    sums, counts = np.zeros((MOST, values.shape[1])), np.zeros((MOST, values.shape[1]))
    np.add.at(sums, number, np.where(held, values, 0))
    np.add.at(counts, number, held)
    mean = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    filled = np.unique(number)
    return ((edges[:-1] + edges[1:]) / 2)[filled], mean[filled]


def _panel(
    axes: Any, section: Section, years: npt.NDArray[Any], places: npt.NDArray[Any], along: str
) -> tuple[Any, str]:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import MaxNLocator

    lat = np.zeros(len(years))
    limit = section.limit or colour_limit(section.values, lat)
    lowest = -limit if section.signed else 0.0
    norm, colours = Normalize(lowest, limit), colour_map(section.signed, section.colours)
    time, values = cells_in_time(years, section.values)
    edges = edges_of(places)
    flat = along == "lat"
    x, y, shown = (time, edges, values.T) if flat else (edges, time, values)
    axes.set_facecolor(MISSING)
    axes.pcolormesh(
        x, y, np.ma.masked_invalid(shown), cmap=colours, norm=norm, rasterized=True, zorder=1
    )
    ticks, names = _degrees(edges, along)
    if flat:
        axes.set_yticks(ticks, names)
        axes.set_xlim(time[0], time[-1])
    else:
        axes.set_xticks(ticks, names)
        axes.set_ylim(time[-1], time[0])
    time_axis = axes.xaxis if flat else axes.yaxis
    time_axis.set_major_locator(MaxNLocator(10 if flat else 12, integer=True))
    time_axis.get_major_formatter().set_useOffset(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    axes.tick_params(length=2.5, pad=2, labelsize=7)
    axes.grid(color="#000000", alpha=0.12, linewidth=0.4)
    finite = section.values[np.isfinite(section.values)]
    above = bool((finite > limit * (1 + 1e-6)).any())
    # Rounding leaves unsigned methods specks below zero.
    below = bool((finite < lowest - 1e-2 * limit).any())
    extend = {(0, 0): "neither", (0, 1): "max", (1, 0): "min", (1, 1): "both"}[(below, above)]
    return ScalarMappable(norm, colours), extend


def _degrees(edges: Array, along: str) -> tuple[Array, list[str]]:
    """Return round degrees within the edges, and how they are written."""
    span = edges[-1] - edges[0]
    step = next(s for s in (90, 60, 30, 20, 10, 5, 2, 1, 0.5, 0.1) if span / s >= 2.5 or s == 0.1)
    ticks = np.arange(np.ceil(edges[0] / step - 1e-6) * step, edges[-1] + 1e-6, step)
    if along == "lat":
        return ticks, [degrees(float(f"{tick:.6g}"), "NS") for tick in ticks.tolist()]
    turned = [(tick + 180) % 360 - 180 for tick in ticks.tolist()]
    return ticks, [degrees(180.0 if t == -180 else float(f"{t:.6g}"), "EW") for t in turned]
