"""Mean state, annual cycle and warming pattern of the synthetic ocean.

Smooth functions of latitude and longitude, shaped by eye after published climatologies: a broad
warm band, the west Pacific warm pool, the equatorial cold tongue, upwelling off western coasts, a
warm North Atlantic, a larger annual cycle in the northern mid-latitudes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FREEZING: Final = -1.8
"""Sea water freezes, degrees Celsius: no temperature lies below."""


def east_of(lon: Array, centre: float) -> Array:
    """Return degrees east of ``centre``, -180 to 180."""
    return np.asarray((lon - centre + 180) % 360 - 180)


def bump(lat: Array, lon: Array, place: tuple[float, float], size: tuple[float, float]) -> Array:
    """Return a Gaussian hill of height 1 at (lat, lon) with standard deviations in degrees."""
    return np.asarray(
        np.exp(
            -(((lat - place[0]) / size[0]) ** 2) / 2 - ((east_of(lon, place[1]) / size[1]) ** 2) / 2
        )
    )


def mean_state(lat: Array, lon: Array) -> Array:
    """Return the long-term mean temperature [lat, lon] in degrees Celsius, land included."""
    width = np.where(lat > 0, 47.0, 43.0)
    band = -1.7 + 29.3 * np.exp(-((np.abs(lat - 2) / width) ** 2.8))
    return np.asarray(
        band
        + 1.7 * bump(lat, lon, (2, 145), (16, 35))  # warm pool
        - 3.6 * bump(lat, lon, (-2, 265), (5, 24))  # cold tongue
        - 1.4 * bump(lat, lon, (0, 225), (4, 30))
        - 4.0 * bump(lat, lon, (-18, 283), (11, 8))  # Peru and Chile
        - 3.0 * bump(lat, lon, (30, 237), (10, 9))  # California
        - 3.5 * bump(lat, lon, (-22, 10), (10, 9))  # Benguela
        + 6.0 * bump(lat, lon, (62, 355), (10, 25))  # North Atlantic drift
        - 4.0 * bump(lat, lon, (52, 305), (8, 12))  # Labrador
        + 2.5 * bump(lat, lon, (33, 290), (6, 14))  # Gulf Stream
        + 1.5 * bump(lat, lon, (32, 140), (6, 14))  # Kuroshio
    )


def annual_cycle(lat: Array, lon: Array) -> Array:
    """Return the departure of each calendar month from the mean, [month, lat, lon], °C.

    The warmest month is early September in the north and early March in the south. The equatorial
    east Pacific has a cycle of its own, warmest in late March.
    """
    north = 4.6 * np.exp(-(((lat - 42) / 17) ** 2) / 2) + 1.0 * np.exp(-(((lat - 65) / 12) ** 2))
    south = 2.6 * np.exp(-(((lat + 35) / 17) ** 2) / 2)
    # Shallow western margins under continental air swing most.
    margin = bump(lat, lon, (40, 130), (12, 16)) + bump(lat, lon, (40, 292), (10, 14))
    amplitude = np.where(lat >= 0, 1.0, -1.0) * 0.3 + north * (1 + 0.8 * margin) - south
    tongue = 2.0 * bump(lat, lon, (-4, 268), (8, 18))

    month = np.arange(12)[:, None, None] + 0.5
    return np.asarray(
        amplitude * np.cos(2 * np.pi * (month - 8.2) / 12)
        + 0.15 * np.abs(amplitude) * np.cos(4 * np.pi * (month - 8.2) / 12)
        + tongue * np.cos(2 * np.pi * (month - 2.8) / 12)
    )


def warming_pattern(lat: Array, lon: Array) -> Array:
    """Return local warming relative to the global mean [lat, lon]; not yet normalised."""
    return np.asarray(
        1.0
        + 0.5 * bump(lat, lon, (45, 160), (15, 40))
        + 0.6 * bump(lat, lon, (40, 292), (9, 12))
        + 0.3 * bump(lat, lon, (-5, 75), (20, 30))  # Indian Ocean
        - 0.7 * bump(lat, lon, (52, 325), (8, 15))  # "warming hole" south of Greenland
        - 0.5 * bump(lat, lon, (-3, 255), (10, 25))  # eastern equatorial Pacific
        - 0.7 / (1 + np.exp((lat + 50) / 4))  # Southern Ocean
    )
