"""What lies on a map: shading, land, contours, meridians and parallels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.geography import coastline_lines, land_mask, land_polygons
from climxai.core.region import Region
from climxai.plots.colours import colour_map, contour_levels
from climxai.plots.mesh import EDGE, POLE, closed, patches
from climxai.plots.projections import BETWEEN_MERIDIANS
from climxai.plots.style import FAINT, INK

if TYPE_CHECKING:
    import xarray as xr

    from climxai.plots.settings import Maps

ZERO: Final = "#757575"
"""Colour of the contour of zero."""
_AVERAGED: Final = re.compile(
    r",?\s*\b(?:hourly|daily|monthly|seasonal|annual|yearly|long term)[ -](?:means?|averages?)\b"
    r"(?:\s+of(?:\s+the)?\b)?",
    re.IGNORECASE,
)
INLINE: Final = {"x_inline": False, "y_inline": False, "rotate_labels": False}


def _plain(centre: float) -> Any:
    """Return the coordinate system of longitudes counted from the middle of the map."""
    import cartopy.crs

    return cartopy.crs.PlateCarree(central_longitude=centre)


def shade(
    axes: Any,
    relevance: xr.DataArray,
    centre: float,
    limit: float,
    signed: bool,
    settings: Maps,
) -> tuple[Any, str]:
    """Draw the shading; return what a colour bar needs, and at which ends values go beyond."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    values = relevance.values
    lowest = -limit if signed else 0.0
    norm = Normalize(lowest, limit)
    colours = colour_map(signed, settings.colours)
    for patch in patches(values, relevance["lat"], relevance["lon"], centre):
        axes.pcolormesh(
            patch.lon - centre,
            patch.lat,
            np.ma.masked_invalid(patch.values),
            transform=_plain(centre),
            cmap=colours,
            norm=norm,
            rasterized=True,
            zorder=1,
        )
    above = bool(np.nanmax(values) > limit * (1 + 1e-6))
    below = bool(np.nanmin(values) < lowest - 1e-6 * limit)
    extend = {(0, 0): "neither", (0, 1): "max", (1, 0): "min", (1, 1): "both"}
    return ScalarMappable(norm, colours), extend[(int(below), int(above))]


def draw_land(
    axes: Any, relevance: xr.DataArray, centre: float, settings: Maps, only: Region | None
) -> None:
    """Fill land and missing cells, and draw coastlines; ``only`` in a region, if given.

    Land is filled up to the coast only where the data has none, as for sea-surface temperature;
    over a field that covers land nothing is hidden.
    """
    import shapely
    from shapely.affinity import translate

    def placed(geometry: Any) -> Any:
        geometry = translate(geometry, -centre)
        if only is None:
            return geometry
        half = (only.east - only.west) % 360 / 2
        middle = (only.west + half - centre + 180) % 360 - 180
        box = (middle - half, only.south, middle + half, only.north)
        return geometry.intersection(shapely.box(*box))

    missing = ~np.isfinite(relevance.values)
    # Missing cells reach into the sea along a coarse grid's coasts: paler, so that land shows.
    axes.set_facecolor(_paler(settings.land_colour))
    on_land = land_mask(relevance["lat"].values, relevance["lon"].values)
    path, plain = settings.coastline_file, _plain(centre)
    if on_land.any() and missing[on_land].mean() > 0.5:
        axes.add_geometries(
            [placed(land_polygons(centre, path))],
            plain,
            facecolor=settings.land_colour,
            edgecolor="none",
            zorder=2,
        )
    axes.add_geometries(
        [placed(coastline_lines(centre, path))],
        plain,
        facecolor="none",
        edgecolor="#4d4d4d",
        linewidth=0.45,
        zorder=4,
    )


def _paler(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(1 - 0.5 * (1 - part) for part in to_rgb(colour))


def contour_field(
    axes: Any, field: xr.DataArray, shown: np.ndarray, centre: float, settings: Maps
) -> str:
    """Draw the field's contours, spaced to suit the cells shown; return the note on them."""
    values, lon = closed(field.values, field["lon"].values, centre)
    interval, levels = contour_levels(shown, settings.contour_interval)
    if levels.size == 0 or min(values.shape) < 2:
        return ""
    x, y = np.meshgrid(lon - centre, field["lat"].values.astype(float))
    # A mean anomaly wanders about zero over half the globe: that line must not be the loudest.
    zero = np.isclose(levels, 0, atol=interval * 1e-6)
    axes.contour(
        x,
        y,
        np.ma.masked_invalid(values),
        levels=levels,
        colors=np.where(zero, ZERO, INK).tolist(),
        linewidths=0.65,
        linestyles=np.where(levels < -interval * 1e-6, "dashed", "solid").tolist(),
        transform=_plain(centre),
        zorder=3,
    )
    what = readable_name(str(field.attrs.get("long_name") or field.name or "field"))
    units = str(field.attrs.get("units", ""))
    signs = "; negative dashed, zero grey" if levels[0] < 0 else ""
    return f"Contours: {what}, every {interval:g} {readable_units(units)}".rstrip() + signs


def readable_name(text: str) -> str:
    """Return a long name as a caption says it: without ``Monthly Means of`` and the like."""
    found = " ".join(_AVERAGED.sub("", text).split()).strip(" ,")
    # Titles in capitals become words again; what is ours around them is in small letters already.
    core = found.removeprefix("mean ").removesuffix(" anomaly")
    words = core.split(" ")
    if len(words) > 1 and all(word[:1].isupper() and word[1:].islower() for word in words):
        found = found.replace(core, core.lower())
    return found or text


def readable_units(units: str) -> str:
    """Return units as readers write them: °C, and nothing for ``1``."""
    known = {
        "degC": "°C",
        "degree_Celsius": "°C",
        "degrees_Celsius": "°C",
        "Celsius": "°C",
        "1": "",
    }
    return known.get(units, units)


def grid_lines(
    axes: Any, centre: float, settings: Maps, whole_globe: bool, labels: bool = True
) -> None:
    """Draw faint meridians and parallels, labelled outside the map unless ``labels`` is false."""
    look = {"linewidth": 0.3, "color": "#000000", "alpha": 0.18, "linestyle": "-", "zorder": 3.5}
    text = {"size": 6.5, "color": FAINT}
    if not whole_globe and not labels:
        axes.gridlines(**look)
        return
    if not whole_globe:
        lines = axes.gridlines(draw_labels={"left": "y", "bottom": "x"}, **INLINE, **look)
        lines.xlabel_style = lines.ylabel_style = text
        return
    from matplotlib.ticker import FixedLocator

    lines = axes.gridlines(**look)
    lines.xlocator = FixedLocator(range(-180, 181, 60))
    lines.ylocator = FixedLocator(range(-90, 91, 30))
    if settings.projection not in BETWEEN_MERIDIANS or not labels:
        return
    south = axes.projection.y_limits[0]
    for lat in (-60, -30, 0, 30, 60):
        x, y = axes.projection.transform_point(EDGE - 180, lat, _plain(centre))
        axes.annotate(
            degrees(lat, "NS"), (x, y), (-4, 0), textcoords="offset points", ha="right",
            va="center", annotation_clip=False, **text,
        )  # fmt: skip
    for lon in range(-180, 180, 60):
        away = (lon - centre + 180) % 360 - 180
        if abs(away) < 170:
            x, _ = axes.projection.transform_point(away, -POLE, _plain(centre))
            if abs(x) < 0.02 * axes.projection.x_limits[1] and away:
                continue  # the pole is a point: labels would lie on each other
            axes.annotate(
                degrees(lon, "EW"), (x, south), (0, -4), textcoords="offset points", ha="center",
                va="top", annotation_clip=False, **text,
            )  # fmt: skip


def degrees(value: float, letters: str) -> str:
    """Return 30°N, 0°, 180° or 60°W; ``letters`` are those of positive and negative values."""
    sign = "" if value % 180 == 0 else letters[value < 0]
    return f"{abs(value):g}°{sign}"
