"""Marks of significance on a map: dots where a composite is significant, hatching where not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from climxai.plots.mesh import EDGE, closed
from climxai.plots.style import INK

if TYPE_CHECKING:
    import xarray as xr

How = Literal["dots", "hatching", "only"]

SPACING: Final = 0.078
"""Inches between dots, at least: they stay apart when a page shrinks the map to one column."""
DIAMETER: Final = 1.5
"""Points."""
HATCH: Final = "//////"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Marks:
    """Where a map is significant, and how that is shown."""

    mask: xr.DataArray
    """(lat, lon): 1 significant, 0 not, negative where nothing is tested"""
    how: How
    """dots on significant cells, hatching of the others, or only significant cells shaded"""
    text: str
    """what the marks say, for the note under the map"""
    shaded: xr.DataArray | None = None
    """like ``mask``: nothing is shaded where this is not 1; None shades as ``how`` says"""


def only_significant(relevance: xr.DataArray, marks: Marks | None) -> xr.DataArray:
    """Return what is shaded: zero wherever the marks say that nothing is."""
    if marks is None or (marks.shaded is None and marks.how != "only"):
        return relevance
    where = marks.mask if marks.shaded is None else marks.shaded
    significant = where.values == 1
    return relevance.copy(data=np.where(significant, relevance.values, relevance.values * 0))


def mark(axes: Any, marks: Marks, centre: float, width: float) -> None:
    """Draw the marks on a map.

    Parameters
    ----------
    axes
        Of the map, its limits already set.
    marks
        What is drawn.
    centre
        Longitude of the middle of the map.
    width
        Inches that the map is wide on the page: dots are thinned to what that can show.
    """
    if marks.how == "dots":
        _dots(axes, marks.mask, centre, width)
    elif marks.how == "hatching":
        _hatching(axes, marks.mask, centre)


def _plain(centre: float) -> Any:
    """Return the coordinate system of longitudes counted from the middle of the map."""
    import cartopy.crs

    return cartopy.crs.PlateCarree(central_longitude=centre)


def _dots(axes: Any, mask: xr.DataArray, centre: float, width: float) -> None:
    (west, east), transform = axes.get_xlim(), _plain(centre)
    inches = width / (east - west)

    def apart(lon: Array, lat: Array) -> Array:
        """Return the inches between successive points of the map."""
        points = axes.projection.transform_points(transform, lon, lat)[:, :2]
        return np.asarray(np.hypot(*np.diff(points, axis=0).T) * inches)

    lon, lat = dot_places(mask.values, mask["lat"].values, mask["lon"].values, centre, apart)
    axes.scatter(
        lon - centre,
        lat,
        s=DIAMETER**2,
        c=INK,
        edgecolors="white",
        linewidths=0.25,
        transform=transform,
        zorder=3.2,
    )


def dot_places(
    mask: npt.NDArray[Any], lat: Array, lon: Array, centre: float, apart: Any
) -> tuple[Array, Array]:
    """Return longitudes and latitudes of the dots.

    Cells that lie closer than `SPACING` on the page share a dot: neighbouring ones are put together
    into blocks, of more columns where meridians draw together, and a block gets a dot when more
    than half of its tested cells are significant. So dots cover about as much of the map as
    significant cells do, on any grid.

    Parameters
    ----------
    mask
        [lat, lon]: 1 significant, 0 not, negative where nothing is tested.
    lat, lon
        Centres of the cells, degrees.
    centre
        Longitude of the middle of the map.
    apart
        (lon - centre, lat) of points -> inches between successive ones.
    """
    lat, lon = lat.astype(float), lon.astype(float)
    west = centre - 180 + EDGE
    frame = (lon - west) % 360 + west
    order = np.argsort(frame)
    frame, mask = frame[order], np.asarray(mask)[:, order]
    step = float(np.median(np.diff(frame))) if frame.size > 1 else 1.0
    vertical = apart(np.zeros(lat.size), np.clip(lat, -89.9, 89.9))
    rows = _together(float(np.median(vertical)) if vertical.size else SPACING, lat.size)
    found_lon: list[float] = []
    found_lat: list[float] = []
    for number, first in enumerate(range(0, lat.size, rows)):
        held = mask[first : first + rows]
        middle = float(lat[first : first + rows].mean())
        across = apart(np.array([-step / 2, step / 2]), np.full(2, np.clip(middle, -89.9, 89.9)))
        columns = _together(float(across[0]), frame.size)
        # Every other row is shifted by half a block: dots in ranks would look like lines.
        starts = np.arange(-(columns // 2) if number % 2 else 0, frame.size, columns)
        for start in starts.tolist():
            part = slice(max(start, 0), start + columns)
            block = held[:, part]
            tested = np.count_nonzero(block >= 0)
            # Most of the block must be there, or dots would lie on land and beyond the edge.
            if 2 * tested <= rows * columns or 2 * np.count_nonzero(block == 1) <= tested:
                continue
            found_lon.append(float(frame[part].mean()))
            found_lat.append(middle)
    return np.array(found_lon), np.array(found_lat)


def _together(inches: float, most: int) -> int:
    """Return how many cells share a dot, where centres of neighbours lie so far apart."""
    return max(1, min(most, math.ceil(SPACING / max(inches, 1e-9) - 0.05)))


def _hatching(axes: Any, mask: xr.DataArray, centre: float) -> None:
    values, lon = closed(mask.values.astype(float), mask["lon"].values, centre)
    if min(values.shape) < 2:
        return
    x, y = np.meshgrid(lon - centre, mask["lat"].values.astype(float))
    held = np.ma.masked_where(~np.isfinite(values) | (values < 0), values)
    if held.count() == 0 or held.min() > 0.5:
        return
    drawn = axes.contourf(
        x, y, held, levels=[-0.5, 0.5], colors="none", hatches=[HATCH], transform=_plain(centre),
        zorder=2.5,
    )  # fmt: skip
    drawn.set_edgecolor(INK)
    drawn.set_linewidth(0)
