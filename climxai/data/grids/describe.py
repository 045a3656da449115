"""A grid in one line of text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from climxai.core.region import Region
from climxai.data.grids.axes import closes_circle


def describe_grid(lat: npt.ArrayLike, lon: npt.ArrayLike) -> str:
    """Return a grid as text, for example ``89 x 180 cells, 2° x 2°, global``.

    Parameters
    ----------
    lat, lon
        Cell centres [lat], [lon] in degrees, ascending.
    """
    lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
    text = f"{lat.size} x {lon.size} cells"
    steps = [_step(lat), _step(lon)]
    if all(steps):
        text += f", {steps[0]} x {steps[1]}"
    around = closes_circle(lon)
    if around and _reaches_poles(lat):
        return f"{text}, global"
    if around:
        west, east = 0.0, 360.0
    else:
        # A region's edges lie within ±360: beginning below 0, any box does.
        west = lon[0] % 360 - 360
        east = west + (lon[-1] - lon[0])
    if lat.size == 1 or (lon.size == 1 and not around):
        return f"{text}, latitude {lat[0]:g} to {lat[-1]:g}, longitude {lon[0]:g} to {lon[-1]:g}"
    box = Region(south=_inside(lat[0], 90), north=_inside(lat[-1], 90), west=west, east=east)
    return f"{text}, {box.describe()}"


def _inside(value: float, bound: float) -> float:
    return float(np.clip(value, -bound, bound))


def _reaches_poles(lat: npt.NDArray[np.float64]) -> bool:
    if lat.size < 2:
        return False
    step = np.diff(lat).max() + 1e-3
    return bool(lat[0] - step <= -90 and lat[-1] + step >= 90)


def _step(values: npt.NDArray[np.float64]) -> str:
    if values.size < 2:
        return ""
    steps = np.diff(values)
    even = np.ptp(steps) <= 1e-3 * steps.mean()
    return f"{steps.mean():.3g}°" if even else f"about {steps.mean():.3g}°"
