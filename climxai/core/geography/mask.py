"""Which cells of a grid are land, from the packaged coastlines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from climxai.core.geography.coastlines import land_polygons


def land_mask(lat: npt.ArrayLike, lon: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether each cell's centre is on land.

    Parameters
    ----------
    lat, lon
        1-D cell centres, degrees north and degrees east (any convention, any order).

    Returns
    -------
    bool array [lat, lon]
    """
    import shapely

    land = land_polygons()
    shapely.prepare(land)
    x, y = np.meshgrid(_turned(lon), np.asarray(lat, dtype=float))
    # A centre on the cut at the date line lies on an edge: edges count as land.
    return np.asarray(shapely.intersects_xy(land, x, y), dtype=bool)


def land_fraction(
    lat_edges: npt.ArrayLike, lon_edges: npt.ArrayLike, points: int = 10
) -> npt.NDArray[np.float64]:
    """Return the fraction of each cell's area that is land, counted at points x points places.

    Parameters
    ----------
    lat_edges, lon_edges
        1-D cell edges in ascending order, degrees; one more than there are cells.
    points
        Places per cell and direction; places are spread evenly by area.

    Returns
    -------
    float array [lat, lon], 0 to 1
    """
    lat_edges, lon_edges = np.asarray(lat_edges, dtype=float), np.asarray(lon_edges, dtype=float)
    share = (np.arange(points) + 0.5) / points
    # Even in the sine of latitude is even in area.
    sine = np.sin(np.deg2rad(lat_edges))
    lat = np.rad2deg(np.arcsin(sine[:-1, None] + np.diff(sine)[:, None] * share)).ravel()
    lon = (lon_edges[:-1, None] + np.diff(lon_edges)[:, None] * share).ravel()
    inside = land_mask(lat, lon)
    shape = (lat_edges.size - 1, points, lon_edges.size - 1, points)
    return np.asarray(inside.reshape(shape).mean(axis=(1, 3)), dtype=float)


def _turned(lon: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return (np.asarray(lon, dtype=float) + 180) % 360 - 180
