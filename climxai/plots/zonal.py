"""A map with its zonal means beside it and its meridional means below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.plots.layers import degrees, readable_name, readable_units
from climxai.plots.maps import Frame, check_grids, framed, limit_of, paint
from climxai.plots.mesh import EDGE
from climxai.plots.pages import SIDE, colour_bar, heading, note
from climxai.plots.stippling import Marks
from climxai.plots.style import FAINT, WIDTH, new_figure, our_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from climxai.plots.settings import Maps

# Inches.
HEAD: Final = 0.58
LEFT: Final = 0.60
BESIDE: Final = 1.25
BELOW: Final = 0.95
GAP: Final = 0.16
LABELS: Final = 0.24
BAR: Final = 0.10
FOOT: Final = 0.60
TALLEST: Final = 5.0
CURVE: Final = "#b2182b"
"""Colour of relevance along its means: the red of its maps."""

Array = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]


def draw_means(
    relevance: xr.DataArray,
    field: xr.DataArray | None,
    settings: Maps,
    *,
    signed: bool,
    title: str,
    subtitle: str = "",
    label: str,
    seeds: xr.DataArray | None = None,
    marks: Marks | None = None,
) -> Figure:
    """Draw a map, its means along parallels beside it and its means along meridians below.

    The map is drawn in plate carrée whatever the settings say, so that a latitude stands at one
    height and a longitude at one place in all three. Meridional means weigh cells by the cosine of
    latitude. Only cells that the map shows count.

    Parameters
    ----------
    relevance, field, settings, signed, title, subtitle, label, marks
        As for `climxai.plots.maps.draw_map`.
    seeds
        (seed, lat, lon): maps of single networks, whose means span the band around the curve.

    Raises
    ------
    DataError
        When no cell holds data, or grids differ.
    """
    settings = settings.model_copy(update={"projection": "plate_carree"})
    settings.check()
    check_grids(relevance, field)
    with our_style():
        figure = new_figure(4.0, settings.dpi)
        frame = framed(figure, relevance, settings)
        limit = settings.limit or limit_of(frame, relevance)
        width = WIDTH - LEFT - GAP - BESIDE - SIDE
        width = min(width, TALLEST / frame.shape)
        high = width * frame.shape
        shading, text = paint(
            frame, relevance, field, marks, settings,
            limit=limit, signed=signed, width=width, labels=False,
        )  # fmt: skip
        text = "\n".join(filter(None, (text, _meaning(field, seeds))))
        foot = FOOT + 0.12 * len(text.splitlines())
        bottom = foot + LABELS + BELOW + GAP
        total = bottom + high + HEAD + 0.14
        figure.set_size_inches(WIDTH, total)

        def place(left: float, low: float, wide: float, tall: float) -> Box:
            return (left / WIDTH, low / total, wide / WIDTH, tall / total)

        frame.axes.set_position(place(LEFT, bottom, width, high))
        beside: Any = figure.add_axes(place(LEFT + width + GAP, bottom, BESIDE, high))
        below: Any = figure.add_axes(place(LEFT, bottom - GAP - BELOW, width, BELOW))
        for axes, along in ((beside, "lat"), (below, "lon")):
            _profile(axes, frame, relevance, field, seeds, along)
        _ticks(frame, beside, below)
        beside.set_title("zonal mean", size=7, color=FAINT, pad=14 if field is not None else 4)
        below.set_ylabel("meridional\nmean", size=7, color=FAINT, labelpad=2)
        y = foot - BAR - 0.1
        colour_bar(figure, shading, (LEFT + 0.1 * width, y, 0.8 * width, BAR), label)
        heading(figure, title, subtitle)
        note(figure, text)
    return figure


def mean_along(
    values: npt.NDArray[Any], lat: npt.NDArray[Any], shown: npt.NDArray[np.bool_], along: str
) -> Array:
    """Return means per latitude (``lat``) or longitude (``lon``) over the cells shown.

    Parameters
    ----------
    values
        [lat, lon]
    lat
        Degrees north: over latitudes cells weigh as its cosine.
    shown
        [lat, lon]: the cells that count.
    along
        Which axis is left.

    Returns
    -------
    mean
        [lat] or [lon], NaN where no cell counts.
    """
    weight = np.maximum(np.cos(np.deg2rad(lat.astype(float))), 0)[:, None] * shown
    over = 1 if along == "lat" else 0
    total = np.asarray(weight.sum(axis=over))
    filled = np.where(shown, values, 0.0)
    sums = np.asarray((weight * filled).sum(axis=over))
    return np.asarray(np.divide(sums, total, out=np.full(total.shape, np.nan), where=total > 1e-9))


def _profile(
    axes: Any,
    frame: Frame,
    relevance: xr.DataArray,
    field: xr.DataArray | None,
    seeds: xr.DataArray | None,
    along: str,
) -> None:
    """Draw relevance, the band of the seeds and the field along one axis of the map."""
    lat, shown = relevance["lat"].values.astype(float), frame.shown(relevance)
    at, order = _positions(frame, relevance, along)
    curve = mean_along(relevance.values, lat, shown, along)[order]
    bands: list[Array] = []
    if seeds is not None and seeds.sizes["seed"] > 1:
        maps = seeds.transpose("seed", "lat", "lon").values
        every = [mean_along(one, lat, shown & np.isfinite(one), along)[order] for one in maps]
        bands = [np.fmin.reduce(every), np.fmax.reduce(every)]
    upright = along == "lat"
    line, fill = axes.plot, axes.fill_betweenx if upright else axes.fill_between
    fill(at, 0, curve, color=CURVE, alpha=0.16, linewidth=0)
    line(*((curve, at) if upright else (at, curve)), color=CURVE, linewidth=1.1)
    if bands:
        fill(at, *bands, color=CURVE, alpha=0.35, linewidth=0)
    twin = None
    held = [curve, *bands]
    if field is not None:
        twin = axes.twiny() if upright else axes.twinx()
        seen = shown & np.isfinite(field.values)
        other = mean_along(field.values, lat, seen, along)[order]
        twin.plot(
            *((other, at) if upright else (at, other)), color="#2b2b2b", linewidth=0.8,
            linestyle=(0, (4, 2)),
        )  # fmt: skip
        _common_zero(axes, twin, held, other, upright)
        twin.tick_params(length=2, labelsize=6, colors=FAINT, labelcolor=FAINT, pad=1.5)
        twin.spines["top" if upright else "right"].set_visible(True)
        (twin.xaxis if upright else twin.yaxis).get_major_locator().set_params(nbins=4)
    zero = axes.axvline if upright else axes.axhline
    zero(0, color=FAINT, linewidth=0.5)
    value_axis = axes.xaxis if upright else axes.yaxis
    value_axis.get_major_locator().set_params(nbins=4)
    value_axis.get_major_formatter().set_powerlimits((-3, 4))
    axes.tick_params(length=2, labelsize=6.5, pad=1.5)


def _common_zero(axes: Any, twin: Any, curves: list[Array], other: Array, upright: bool) -> None:
    """Set the limits of both value axes so that their zeros lie at one place, if room allows."""
    ends = []
    for values in (np.concatenate(curves), other):
        finite = values[np.isfinite(values)]
        low, high = min(0.0, finite.min(initial=0.0)), max(0.0, finite.max(initial=0.0))
        spread = (high - low) or 1.0
        ends.append((low - 0.04 * spread * (low < 0), high + 0.04 * spread))
    below = max(-low / (high - low) for low, high in ends)
    limits = []
    for low, high in ends:
        span = max(high / max(1 - below, 1e-9), -low / below if below > 0 else 0.0)
        limits.append((-below * span, (1 - below) * span))
    (low, high), (least, most) = ends[0], limits[0]
    if high - low < 0.55 * (most - least):
        # Relevance above zero and a field below it would each get half of the room.
        limits = ends
        (twin.axvline if upright else twin.axhline)(
            0, color="#2b2b2b", linewidth=0.4, dashes=(1, 3)
        )
    for each, ends_of in zip((axes, twin), limits, strict=True):
        (each.set_xlim if upright else each.set_ylim)(*ends_of)


def _positions(
    frame: Frame, relevance: xr.DataArray, along: str
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return where rows or columns stand on the map's axes, ascending, and their order."""
    degree = relevance[along].values.astype(float)
    if along == "lon":
        west = frame.centre - 180 + EDGE
        degree = (degree - west) % 360 + west - frame.centre
    order = np.argsort(degree)
    return degree[order], order


def _ticks(frame: Frame, beside: Any, below: Any) -> None:
    """Give latitudes and longitudes to the outer axes, as far as the map goes."""
    (west, east), (south, north) = frame.axes.get_xlim(), frame.axes.get_ylim()
    beside.set_ylim(south, north)
    below.set_xlim(west, east)
    step = 30 if north - south > 100 else 10 if north - south > 35 else 5
    lats = np.arange(np.ceil(south / step) * step, north + 1e-6, step)
    wide = east - west
    step = 60 if wide > 240 else 30 if wide > 100 else 10 if wide > 35 else 5
    first = np.ceil((west + frame.centre) / step) * step
    lons = np.arange(first, east + frame.centre + 1e-6, step)
    turned = [(lon + 180) % 360 - 180 for lon in lons.tolist()]
    beside.set_yticks(lats, [])
    below.set_xticks(
        lons - frame.centre, [degrees(180 if lon == -180 else lon, "EW") for lon in turned]
    )
    frame.axes.set_yticks(lats)
    frame.axes.set_yticklabels([degrees(lat, "NS") for lat in lats.tolist()])
    frame.axes.tick_params(length=2, labelsize=6.5, pad=1.5)
    for axes, which in ((beside, "y"), (below, "x")):
        axes.grid(axis=which, color="#000000", alpha=0.10, linewidth=0.4)
        axes.set_axisbelow(True)


def _meaning(field: xr.DataArray | None, seeds: xr.DataArray | None) -> str:
    """Return what the curves are."""
    said = ["Red: mean relevance"]
    if seeds is not None and seeds.sizes["seed"] > 1:
        said.append("dark band: range over networks")
    if field is not None:
        name = readable_name(str(field.attrs.get("long_name") or field.name or "field"))
        units = readable_units(str(field.attrs.get("units", "")))
        said.append(f"dashed: {name}{f' ({units})' if units else ''}, scale on the far side")
    return "; ".join(said)
