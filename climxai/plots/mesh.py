"""A grid laid out for a map: cell edges, the cut where the map ends, the cyclic seam closed.

A map centred on longitude c shows c - 180 to c + 180. Columns are sorted into that frame, and the
one that straddles its edge is split in two, so that no cell wraps around the map and none is
missing at the seam.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

EDGE: Final = 1e-6
"""Degrees kept from the edge of the map: exactly on it a point may be drawn at either side."""
POLE: Final = 89.999
"""Latitudes are kept from the poles, which some projections put at infinity."""
STEP: Final = 2.0
"""Wider cells are subdivided to this many degrees, so that their edges follow curved meridians."""


def edges_of(centres: npt.ArrayLike) -> Array:
    """Return the n + 1 edges of n cells: midway between centres, the outer ones alike."""
    centres = np.asarray(centres, dtype=float)
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[:-1] + centres[1:]) / 2
    first, last = 2 * centres[0] - middle[0], 2 * centres[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])


def goes_around(lon: npt.ArrayLike) -> bool:
    """Return whether evenly spaced longitudes go once around the globe."""
    edges = edges_of(lon)
    return bool(abs(edges[-1] - edges[0] - 360) < 0.5 * np.diff(edges).max())


@dataclass(frozen=True)
class Patch:
    """Neighbouring columns of a map: edges [lon + 1] and [lat + 1], values [lat, lon]."""

    lon: Array
    lat: Array
    values: Array


def patches(
    values: npt.ArrayLike, lat: npt.ArrayLike, lon: npt.ArrayLike, centre: float
) -> Iterator[Patch]:
    """Yield the grid as patches inside the frame around ``centre``; one, or two at a gap.

    Parameters
    ----------
    values
        [lat, lon]
    lat, lon
        1-D cell centres, degrees; ``lon`` ascending over at most 360 degrees, in any convention.
    centre
        Longitude of the middle of the map.
    """
    values = np.asarray(values, dtype=float)
    rows, lat_edges = _finer(np.clip(edges_of(lat), -POLE, POLE))
    columns, starts, ends = _columns(edges_of(lon), centre)
    breaks = np.flatnonzero(np.abs(starts[1:] - ends[:-1]) > 2 * EDGE) + 1
    for part in np.split(np.arange(columns.size), breaks):
        finer, lon_edges = _finer(np.append(starts[part], ends[part[-1]]))
        yield Patch(lon_edges, lat_edges, values[rows][:, columns[part][finer]])


def _columns(edges: Array, centre: float) -> tuple[npt.NDArray[np.intp], Array, Array]:
    """Return which columns lie in the frame, from west to east, and where each begins and ends."""
    west, east = centre - 180 + EDGE, centre + 180 - EDGE
    if abs(edges[-1] - edges[0] - 360) < 0.5 * np.diff(edges).max():
        edges[-1] = edges[0] + 360  # closes the seam of centres given in float32
    turns = 360.0 * np.arange(-3, 4)[:, None]
    starts = np.clip(edges[None, :-1] + turns, west, east)
    ends = np.clip(edges[None, 1:] + turns, west, east)
    turn, column = np.nonzero(ends - starts > 10 * EDGE)
    starts, ends = starts[turn, column], ends[turn, column]
    order = np.argsort(starts)
    return column[order], starts[order], ends[order]


def _finer(edges: Array) -> tuple[npt.NDArray[np.intp], Array]:
    """Return which cell each finer cell came from, and the finer edges."""
    parts = np.maximum(1, np.ceil(np.abs(np.diff(edges)) / STEP - 1e-3)).astype(int)
    fine = [
        np.linspace(a, b, n, endpoint=False)
        for a, b, n in zip(edges[:-1], edges[1:], parts, strict=True)
    ]
    return np.repeat(np.arange(parts.size), parts), np.append(np.concatenate(fine), edges[-1])


def closed(values: npt.ArrayLike, lon: npt.ArrayLike, centre: float) -> tuple[Array, Array]:
    """Return values [lat, lon] and longitudes sorted into the frame around ``centre``.

    On a grid that goes around the globe both edges of the frame get a column of their own,
    interpolated between its neighbours, so that contours meet there. On any other grid columns
    beyond a gap are parted by a missing one.
    """
    values, lon = np.asarray(values, dtype=float), np.asarray(lon, dtype=float)
    west, east = centre - 180 + EDGE, centre + 180 - EDGE
    inside = (lon - west) % 360 + west
    order = np.argsort(inside)
    x, v = inside[order], values[:, order]
    if goes_around(lon):
        x = np.concatenate([[x[-1] - 360], x, [x[0] + 360]])
        v = np.concatenate([v[:, -1:], v, v[:, :1]], axis=1)
        at_west = _between(x[:2], v[:, :2], west)
        at_east = _between(x[-2:], v[:, -2:], east)
        keep = (x > west + EDGE) & (x < east - EDGE)
        return (
            np.concatenate([at_west, v[:, keep], at_east], axis=1),
            np.concatenate([[west], x[keep], [east]]),
        )
    widest = np.diff(lon).max() if lon.size > 1 else 360.0
    gaps = np.flatnonzero(np.diff(x) > 1.5 * widest) + 1
    return np.insert(v, gaps, np.nan, axis=1), np.insert(x, gaps, (x[gaps - 1] + x[gaps]) / 2)


def _between(x: Array, v: Array, at: float) -> Array:
    share = (at - x[0]) / (x[1] - x[0])
    return np.asarray((1 - share) * v[:, :1] + share * v[:, 1:])
