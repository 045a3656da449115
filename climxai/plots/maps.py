"""One map: relevance shaded, the field contoured, land grey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.errors import ConfigError, DataError
from climxai.core.region import Region
from climxai.plots.colours import colour_limit
from climxai.plots.layers import contour_field, draw_land, grid_lines, shade
from climxai.plots.mesh import edges_of, goes_around
from climxai.plots.projections import PARTIAL, fit_view, make_projection
from climxai.plots.stippling import Marks, mark, only_significant
from climxai.plots.style import FAINT, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.plots.settings import Maps

# Inches.
SIDE: Final = 0.30
TOP_TITLE: Final = 0.30
TOP_SUBTITLE: Final = 0.19
UNDER_MAP: Final = 0.30
BAR: Final = 0.11
UNDER_BAR: Final = 0.52
TALLEST: Final = 6.5


def draw_map(
    relevance: xr.DataArray,
    field: xr.DataArray | None,
    settings: Maps,
    *,
    signed: bool,
    title: str,
    subtitle: str = "",
    label: str,
    marks: Marks | None = None,
) -> Figure:
    """Draw one map of relevance.

    Parameters
    ----------
    relevance
        (lat, lon), NaN where there is no data. Longitudes ascend, in any convention.
    field
        (lat, lon) on the same grid, drawn as contours: positive solid, negative dashed, zero grey.
        Its ``long_name`` and ``units`` go into the note under the map. None draws no contours.
    settings
        Projection, region, colours.
    signed
        Whether the method gives relevance of both signs: symmetric diverging colours if so,
        else white to red from zero.
    title, subtitle
        Lines above the map; the title should name the number of samples.
    label
        Text of the colour bar: units and normalisation.
    marks
        Where the map is significant, on the same grid; None marks nothing.

    Raises
    ------
    DataError
        When no cell holds data, the grids differ, or the coastline file cannot be read.
    ConfigError
        When a colour or the projection is unknown, or the projection cannot show so much.
    """
    settings.check()
    check_grids(relevance, field)
    if marks is not None:
        check_grids(relevance, marks.mask)
    with our_style():
        return _draw(relevance, field, settings, signed, (title, subtitle), label, marks)


def check_grids(relevance: xr.DataArray, field: xr.DataArray | None) -> None:
    """Refuse what is no map, holds no finite value, or lies on another grid than the field."""
    if relevance.dims != ("lat", "lon"):
        raise DataError(f"a map needs dimensions (lat, lon), found {relevance.dims}")
    if not np.isfinite(relevance.values).any():
        raise DataError("there is nothing to draw: the map of relevance holds no finite value")
    if field is not None and (
        field.dims != relevance.dims
        or not np.array_equal(field["lat"].values, relevance["lat"].values)
        or not np.array_equal(field["lon"].values, relevance["lon"].values)
    ):
        raise DataError(
            f"the field {dict(field.sizes)} and the relevance {dict(relevance.sizes)} are not on "
            "the same grid: contours and shading would not match"
        )


def _draw(
    relevance: xr.DataArray,
    field: xr.DataArray | None,
    settings: Maps,
    signed: bool,
    titles: tuple[str, str],
    label: str,
    marks: Marks | None,
) -> Figure:
    figure = new_figure(4.0, settings.dpi)
    frame = framed(figure, relevance, settings)
    limit = settings.limit or limit_of(frame, relevance)
    shading, note = paint(
        frame, relevance, field, marks, settings, limit=limit, signed=signed, width=_width(frame)
    )
    _lay_out(figure, frame, shading, titles, label, note)
    return figure


@dataclass(frozen=True)
class Frame:
    """An empty map: what part of the world it shows, around which longitude."""

    axes: Any
    view: Region | None
    """None for all of the globe"""
    centre: float
    partial: bool
    """whether the projection shows part of the globe only"""

    @property
    def shape(self) -> float:
        """Height over width."""
        (west, east), (south, north) = self.axes.get_xlim(), self.axes.get_ylim()
        return float((north - south) / (east - west))

    def shown(self, relevance: xr.DataArray) -> np.ndarray:
        """Return which cells [lat, lon] hold data inside the view."""
        finite: np.ndarray = np.isfinite(relevance.values)
        if self.view is None:
            return finite
        lat, lon = (relevance[name].values.astype(float) for name in ("lat", "lon"))
        return finite & self.view.contains(lat, lon)


def framed(figure: Figure, like: xr.DataArray, settings: Maps) -> Frame:
    """Add an empty map to a figure, framed for the grid of ``like`` (lat, lon).

    Raises
    ------
    ConfigError
        When the projection cannot show so much of the globe.
    """
    lat, lon = (like[name].values.astype(float) for name in ("lat", "lon"))
    view = view_of(lat, lon, settings.region)
    centre = centre_of(view, settings)
    latitude = None if view is None else (view.south + view.north) / 2
    partial = settings.projection in PARTIAL
    if partial and (view is None or (view.east - view.west) % 360 > 160 or view.whole_circle):
        raise ConfigError(
            f"maps.projection: {settings.projection} shows part of the globe only, and this map "
            "is wider than 160 degrees: set maps.region or choose another projection"
        )
    projection = make_projection(settings.projection, centre, latitude)
    axes: Any = figure.add_axes((0.1, 0.1, 0.8, 0.8), projection=projection)
    if view is None:
        axes.set_global()
    else:
        span = 360.0 if view.whole_circle else (view.east - view.west) % 360
        west = centre - 180 if view.whole_circle else view.west
        fit_view(axes, (view.south, view.north), (west, west + span))
    axes.spines["geo"].set_linewidth(0.6)
    axes.spines["geo"].set_edgecolor(FAINT)
    return Frame(axes, view, centre, partial)


def limit_of(frame: Frame, relevance: xr.DataArray) -> float:
    """Return the relevance at the end of the colour bar that suits what a map shows.

    Raises
    ------
    DataError
        When no cell in the view holds data.
    """
    shown = frame.shown(relevance)
    if not shown.any():
        where = frame.view.describe() if frame.view else "the map"
        raise DataError(f"there is nothing to draw in {where}")
    lat = relevance["lat"].values.astype(float)
    return colour_limit(np.where(shown, relevance.values, np.nan), lat)


def paint(
    frame: Frame,
    relevance: xr.DataArray,
    field: xr.DataArray | None,
    marks: Marks | None,
    settings: Maps,
    *,
    limit: float,
    signed: bool,
    width: float,
    labels: bool = True,
) -> tuple[tuple[Any, str], str]:
    """Draw everything that lies on a map.

    Parameters
    ----------
    frame
        The empty map.
    relevance, field, marks, settings, signed
        As for `draw_map`.
    limit
        Relevance at the end of the colour bar.
    width
        Inches that the map will be wide.
    labels
        Whether meridians and parallels are labelled.

    Returns
    -------
    shading, note
        What a colour bar needs, and at which ends values go beyond; the text under the map.
    """
    shown = frame.shown(relevance)
    if not shown.any():
        limit_of(frame, relevance)
    # What lies beyond a small region is left out where it would be folded into the map.
    kept = shown if frame.partial else np.ones_like(shown)
    axes, centre = frame.axes, frame.centre
    shaded = only_significant(relevance, marks)
    shading = shade(axes, shaded.where(kept), centre, limit, signed, settings)
    draw_land(axes, relevance, centre, settings, frame.view if frame.partial else None)
    note = ""
    if field is not None and settings.field_contours:
        note = contour_field(axes, field.where(kept), field.values[shown], centre, settings)
    if marks is not None:
        mark(axes, replace(marks, mask=marks.mask.where(kept, -1)), centre, width)
        note = "\n".join(filter(None, (note, marks.text)))
    grid_lines(axes, centre, settings, whole_globe=frame.view is None, labels=labels)
    return shading, note


def view_of(lat: np.ndarray, lon: np.ndarray, region: Region | None) -> Region | None:
    """Return the part of the world to show, None for all of it."""
    if region is not None:
        everything = region.whole_circle and region.north - region.south >= 180
        return None if everything else region
    south, north = np.clip(np.sort(edges_of(lat)[[0, -1]]), -90, 90)
    around = goes_around(lon)
    if around and south < -60 and north > 60:
        return None
    if around:
        return Region(south=south, north=north)
    west, east = edges_of(lon)[[0, -1]]
    west, east = (float((value + 180) % 360 - 180) for value in (west, east))
    return Region(south=south, north=north, west=west, east=east)


def centre_of(view: Region | None, settings: Maps) -> float:
    """Return the longitude of the map's middle."""
    if settings.central_longitude is not None:
        return float(settings.central_longitude)
    if view is None or view.whole_circle:
        return 180.0
    return float((view.west + (view.east - view.west) % 360 / 2) % 360)


def _width(frame: Frame) -> float:
    """Return how wide the map will be, in inches."""
    return float(min(WIDTH - 2 * SIDE - 0.12, TALLEST / frame.shape))


def _lay_out(
    figure: Figure,
    frame: Frame,
    shading: tuple[Any, str],
    titles: tuple[str, str],
    label: str,
    note: str,
) -> None:
    """Set the figure's height from the map's shape and place title, map, colour bar and note."""
    title, subtitle = titles
    left = SIDE + 0.12
    width = _width(frame)
    height = width * frame.shape
    if width < WIDTH - left - SIDE:
        left = (WIDTH - width) / 2
    top = TOP_TITLE + 0.1 + (TOP_SUBTITLE if subtitle else 0)
    under = UNDER_MAP + BAR + UNDER_BAR + (0.12 * len(note.splitlines()))
    total = top + height + under
    figure.set_size_inches(WIDTH, total)

    frame.axes.set_position((left / WIDTH, under / total, width / WIDTH, height / total))
    at = SIDE / WIDTH
    # Long lines get smaller letters: so many fit at full size.
    size = 10.5 * min(1, 70 / max(len(title), 1))
    figure.text(at, 1 - 0.12 / total, title, size=size, weight="bold", va="top", ha="left")
    if subtitle:
        size = 8.5 * min(1, 100 / len(subtitle))
        figure.text(at, 1 - 0.33 / total, subtitle, size=size, color=FAINT, va="top", ha="left")
    length = 0.62 * WIDTH
    bar_axes = figure.add_axes(
        (
            0.5 - length / 2 / WIDTH,
            (under - UNDER_MAP - BAR) / total,
            length / WIDTH,
            BAR / total,
        )
    )
    mappable, extend = shading
    bar: Any = figure.colorbar(mappable, cax=bar_axes, orientation="horizontal", extend=extend)
    bar.outline.set_linewidth(0.5)
    bar.ax.tick_params(length=2.5, pad=2)
    bar.formatter.set_powerlimits((-3, 4))
    bar.formatter.set_useMathText(True)
    bar.set_label(label, size=8, labelpad=3)
    if note:
        figure.text(0.5, 0.07 / total, note, size=7, color=FAINT, va="bottom", ha="center")
