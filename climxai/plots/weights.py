"""Panels of weights: one small map per unit of a dense layer, one window per kernel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.plots.colours import colour_limit, colour_map, round_up
from climxai.plots.layers import draw_land, shade
from climxai.plots.maps import centre_of, view_of
from climxai.plots.projections import fit_view, make_projection
from climxai.plots.style import FAINT, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.core.region import Region
    from climxai.plots.settings import Maps

MOST: Final = 24
"""Panels on one page; of more units those with the largest weights are drawn."""
# Inches.
SIDE: Final = 0.12
GAP: Final = 0.10
NAME: Final = 0.20
HEAD: Final = 0.62
FOOT: Final = 0.62
BAR: Final = 0.10
LARGEST: Final = 1.15


def draw_weights(weights: xr.DataArray, settings: Maps, *, title: str) -> Figure:
    """Draw the weights of a dense layer, a map per unit, all with the same colours.

    Parameters
    ----------
    weights
        (unit, lat, lon), NaN where there is no data; coordinates ``unit`` and, with maxout,
        ``piece``.
    settings
        Projection, region, colours, coastlines.
    title
        Line above the panels.

    Raises
    ------
    DataError
        When no weight is finite.
    """
    settings.check()
    weights = weights.transpose("unit", "lat", "lon")
    if not np.isfinite(weights.values).any():
        raise DataError("there are no weights to draw: none is a finite number")
    shown = _strongest(weights.values)
    lat, lon = (weights[name].values.astype(float) for name in ("lat", "lon"))
    view = view_of(lat, lon, settings.region)
    centre = centre_of(view, settings)
    limit = settings.limit or max(
        colour_limit(weights.values[number], lat) for number in shown.tolist()
    )
    with our_style():
        columns = min(4, max(1, math.ceil(math.sqrt(len(shown)))), len(shown))
        figure = new_figure(4.0, settings.dpi)
        middle = None if view is None else (view.south + view.north) / 2
        projection = make_projection(settings.projection, centre, middle)
        panels, mappable, ends = [], None, set()
        for number in shown.tolist():
            axes: Any = figure.add_axes(
                (0.1, 0.1, 0.8, 0.8), projection=projection, label=str(number)
            )
            _frame(axes, view, centre)
            values = weights.isel(unit=number)
            mappable, extend = shade(axes, values, centre, limit, True, settings)
            ends |= _ends(extend)
            draw_land(axes, values, centre, settings, None)
            axes.spines["geo"].set_linewidth(0.5)
            axes.spines["geo"].set_edgecolor(FAINT)
            panels.append((axes, _name(weights, number)))
        (west, east), (south, north) = panels[0][0].get_xlim(), panels[0][0].get_ylim()
        _place(figure, panels, columns, (north - south) / (east - west))
        _head(figure, title, _count(len(shown), weights.sizes["unit"]))
        _bar(figure, mappable, ends, "weight of a cell, per preprocessed input")
    return figure


def draw_kernels(weights: xr.DataArray, *, title: str, dpi: int = 200) -> Figure:
    """Draw the windows of a convolution: a row per channel, a column per unit; north is up.

    A single channel's windows fill as many rows as they need.

    Parameters
    ----------
    weights
        (unit, channel, row, column), rows from south to north.
    title
        Line above the panels.
    dpi
        Dots per inch when saved as PNG.

    Raises
    ------
    DataError
        When a weight is not finite.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    weights = weights.transpose("unit", "channel", "row", "column")
    if not np.isfinite(weights.values).all():
        raise DataError("there are weights that are no finite numbers: nothing can be drawn")
    largest = float(np.abs(weights.values).max())
    limit = round_up(largest) if largest > 0 else 1.0
    shown = _strongest(weights.values)
    channels = [str(name) for name in weights["channel"].values]
    with our_style():
        figure = new_figure(4.0, dpi)
        norm, colours = Normalize(-limit, limit), colour_map(signed=True)
        panels = []
        columns = min(8, len(shown)) if len(channels) == 1 else min(8, len(channels))
        order = (
            [(0, number) for number in shown.tolist()]
            if len(channels) == 1
            else [
                (channel, number) for number in shown.tolist() for channel in range(len(channels))
            ]
        )
        for channel, number in order:
            axes: Any = figure.add_axes((0.1, 0.1, 0.8, 0.8), label=f"{channel}-{number}")
            axes.imshow(
                weights.values[number, channel], norm=norm, cmap=colours, origin="lower",
                interpolation="nearest", aspect="auto",
            )  # fmt: skip
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_visible(True)
            name = _name(weights, number)
            panels.append((axes, name if len(channels) == 1 else f"{name}, {channels[channel]}"))
        _place(figure, panels, columns, weights.sizes["row"] / weights.sizes["column"])
        _head(figure, title, f"{_count(len(shown), weights.sizes['unit'])}; north is up")
        _bar(figure, ScalarMappable(norm, colours), set(), "weight of a cell of the window")
    return figure


def _strongest(values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Return the units [unit, ...] to draw, in their order: all, or those of largest weights."""
    strength = np.nansum(values.astype(float) ** 2, axis=tuple(range(1, values.ndim)))
    return np.sort(np.argsort(-strength, kind="stable")[:MOST])


def _name(weights: xr.DataArray, number: int) -> str:
    unit = int(weights["unit"].values[number]) + 1
    if "piece" not in weights.coords:
        return f"unit {unit}"
    return f"unit {unit}, piece {int(weights['piece'].values[number]) + 1}"


def _count(shown: int, units: int) -> str:
    if shown < units:
        return f"the {shown} of {units} units with the largest weights"
    return f"{units} unit{'s' if units > 1 else ''}"


def _frame(axes: Any, view: Region | None, centre: float) -> None:
    if view is None:
        axes.set_global()
        return
    span = 360.0 if view.whole_circle else (view.east - view.west) % 360
    west = centre - 180 if view.whole_circle else view.west
    fit_view(axes, (view.south, view.north), (west, west + span))


def _ends(extend: str) -> set[str]:
    return {"both": {"min", "max"}, "neither": set()}.get(extend, {extend})


def _place(figure: Figure, panels: list[tuple[Any, str]], columns: int, shape: float) -> None:
    """Set the figure's height, and put panels of height/width ``shape`` in rows of ``columns``."""
    columns = max(columns, 1)
    width = (WIDTH - 2 * SIDE - (columns - 1) * GAP) / columns
    if not hasattr(panels[0][0], "projection"):
        width = min(width, LARGEST)
    height = width * shape
    rows = math.ceil(len(panels) / columns)
    total = HEAD + rows * (height + NAME) + FOOT
    figure.set_size_inches(WIDTH, total)
    indent = (WIDTH - columns * width - (columns - 1) * GAP) / 2
    for place, (axes, name) in enumerate(panels):
        row, column = divmod(place, columns)
        left = indent + column * (width + GAP)
        top = HEAD + row * (height + NAME) + NAME
        axes.set_position((left / WIDTH, 1 - (top + height) / total, width / WIDTH, height / total))
        axes.set_title(name, size=7.5, pad=2.5)


def _head(figure: Figure, title: str, subtitle: str) -> None:
    total = figure.get_size_inches()[1]
    size = 10.5 * min(1, 70 / max(len(title), 1))
    figure.text(SIDE / WIDTH, 1 - 0.12 / total, title, size=size, weight="bold", va="top")
    figure.text(SIDE / WIDTH, 1 - 0.33 / total, subtitle, size=8.5, color=FAINT, va="top")


def _bar(figure: Figure, mappable: Any, ends: set[str], label: str) -> None:
    total = figure.get_size_inches()[1]
    place = (0.2, (FOOT - BAR - 0.1) / total, 0.6, BAR / total)
    extend = "both" if len(ends) == 2 else next(iter(ends), "neither")
    bar: Any = figure.colorbar(
        mappable, cax=figure.add_axes(place), orientation="horizontal", extend=extend
    )
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2.5, pad=2)
    bar.formatter.set_powerlimits((-3, 4))
    bar.formatter.set_useMathText(True)
    bar.set_label(label, size=8, labelpad=3)
