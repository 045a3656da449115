"""From the latitudes and longitudes of a file to ascending axes, whole or cut to a region.

An `Axis` says which stretch of a file's dimension to read and how to order what was read, so that
data are touched only when a block is computed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.core.region import Region

TOLERANCE = 1e-4
"""Degrees by which equal coordinates may differ: a longitude in float32 is good to 3e-5."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """An ascending axis of a file's dimension.

    Parameters
    ----------
    values
        Coordinates in degrees, ascending.
    positions
        Where each value stands along the file's dimension.
    """

    values: Floats
    positions: Integers

    @property
    def stretch(self) -> slice:
        """The shortest stretch of the file's dimension that holds every value."""
        return slice(int(self.positions.min()), int(self.positions.max()) + 1)

    @property
    def order(self) -> Integers | None:
        """Positions within `stretch` that put it in order; None when it stands in order."""
        order = self.positions - self.positions.min()
        return None if np.array_equal(order, np.arange(order.size)) else order


def latitude_axis(values: npt.ArrayLike, region: Region | None, where: str) -> Axis:
    """Return the ascending latitudes of a region.

    Parameters
    ----------
    values
        Degrees north [lat], ascending or descending.
    region
        What to keep, edges included; None keeps all.
    where
        File and coordinate, for messages.

    Raises
    ------
    DataError
        When they are not latitudes, not monotone, or none lies in the region.
    """
    lat = _finite(values, where)
    if np.abs(lat).max() > 90 + TOLERANCE:
        raise DataError(
            f"{where} holds {lat.min():g} to {lat.max():g}: latitudes are degrees north, -90 to 90;"
            " name the right coordinate with `data.coordinates.lat`"
        )
    steps = np.diff(lat)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise DataError(_not_monotone(lat, where))
    positions = np.argsort(lat)
    axis = Axis(lat[positions], positions)
    if region is None:
        return axis
    inside = region.contains_lat(axis.values)
    if not inside.any():
        raise DataError(_outside(region, "latitudes", axis.values, where))
    return Axis(axis.values[inside], positions[inside])


def longitude_axis(values: npt.ArrayLike, region: Region | None, where: str) -> Axis:
    """Return longitudes, ascending from Greenwich or from the western edge of a region.

    Without a region they lie in [0, 360); a limited grid that crosses Greenwich stays in one piece
    and begins below 0. With a region they begin at its western edge as it is written. A meridian
    given twice (0 and 360) is kept once.

    Parameters
    ----------
    values
        Degrees east [lon], going round once in either direction, from anywhere.
    region
        What to keep, edges included; None keeps all.
    where
        File and coordinate, for messages.

    Raises
    ------
    DataError
        When they do not go round in order, or none lies in the region.
    """
    lon = _finite(values, where)
    if np.abs(lon).max() > 720 + TOLERANCE:
        raise DataError(
            f"{where} holds {lon.min():g} to {lon.max():g}: longitudes are degrees east; name the"
            " right coordinate with `data.coordinates.lon`"
        )
    positions = np.arange(lon.size)
    # Most steps of a descending axis go down; one of either kind may jump at the seam.
    if lon.size > 1 and np.median(np.diff(lon)) < 0:
        positions = positions[::-1]
    # The way gone since the first meridian: back at it, the meridian is there twice.
    gone = _turned(lon[positions] - lon[positions[0]])
    if lon.size > 1 and gone[-1] < TOLERANCE:
        positions, gone = positions[:-1], gone[:-1]
    if not (np.diff(gone) > 0).all():
        raise DataError(_not_monotone(lon, where))
    if region is not None:
        return _region_axis(lon, positions, region, where)
    turned = _turned(lon)[positions]
    first = int(turned.argmin())
    if first and not closes_circle(gone):
        start = turned[0] - 360
        return Axis(_on_branch(lon[positions], start), positions)
    positions = np.roll(positions, -first)
    return Axis(_on_branch(lon[positions], 0.0), positions)


def closes_circle(lon: Floats) -> bool:
    """Whether ascending longitudes go all the way round, with an ordinary step at the seam."""
    if lon.size < 2:
        return False
    gap = 360.0 - (lon[-1] - lon[0])
    return bool(gap <= 1.5 * np.diff(lon).max())


def grid_difference(first: tuple[Axis, Axis], second: tuple[Axis, Axis]) -> str | None:
    """Return how two grids (latitudes, longitudes) differ, or None when they agree."""
    for name, one, other in zip(("latitudes", "longitudes"), first, second, strict=True):
        a, b = one.values, other.values
        if a.size != b.size:
            return (
                f"{a.size} {name} from {a[0]:g} to {a[-1]:g} against"
                f" {b.size} from {b[0]:g} to {b[-1]:g}"
            )
        apart = np.abs(a - b)
        if apart.max() > TOLERANCE:
            at = int(np.argmax(apart > TOLERANCE))
            return f"{name} differ: {a[at]:g} against {b[at]:g} at place {at + 1} of {a.size}"
    return None


def _region_axis(lon: Floats, positions: Integers, region: Region, where: str) -> Axis:
    inside = region.contains_lon(lon[positions])
    if not inside.any():
        raise DataError(_outside(region, "longitudes", np.sort(_turned(lon)), where))
    positions = positions[inside]
    placed = _on_branch(lon[positions], region.west)
    order = np.argsort(placed)
    return Axis(placed[order], positions[order])


def _turned(lon: Floats) -> Floats:
    # A rounding error below 360 is 0: -1e-7 % 360 would otherwise end the axis, not begin it.
    turned = lon % 360.0
    turned[turned > 360.0 - TOLERANCE] = 0.0
    return turned


def _on_branch(lon: Floats, start: float) -> Floats:
    # Whole turns are added, so that the digits of the file's longitudes stay as they are.
    turns = np.round((start + _turned(lon - start) - lon) / 360.0)
    return lon + 360.0 * turns


def _finite(values: npt.ArrayLike, where: str) -> Floats:
    array = np.asarray(values, np.float64)
    if array.size == 0:
        raise DataError(f"{where} is empty: there is no cell to read")
    if not np.isfinite(array).all():
        raise DataError(f"{where} holds missing values: every coordinate must be a number")
    return array


def _not_monotone(values: Floats, where: str) -> str:
    steps = np.diff(values)
    wrong = steps <= 0 if np.median(steps) > 0 else steps >= 0
    at = int(np.argmax(wrong)) if wrong.any() else int(np.argmin(steps))
    return (
        f"{where} is neither ascending nor descending: {values[at + 1]:g} follows"
        f" {values[at]:g}; sort the file along it first"
    )


def _outside(region: Region, name: str, values: Floats, where: str) -> str:
    return (
        f"{where}: no cell lies in the region {region.describe()}; the grid's {name} go from"
        f" {values[0]:g} to {values[-1]:g}"
    )
