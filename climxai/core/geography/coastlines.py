"""Land and coastlines as shapely geometries, cut at any meridian.

Land is kept as it lies on the cylinder: a polygon that crosses the date line runs on beyond ±180,
and Antarctica is closed along the pole. For a map its copies one turn apart are merged, which
removes every artificial edge along a meridian, and cut where the map ends.
"""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from climxai.core.geography.files import read_shapes

if TYPE_CHECKING:
    from shapely import MultiLineString, MultiPolygon, Polygon

POLE: Final = 89.999
"""Beyond this latitude the edge of a polygon is where the map ends, not a coast."""


def land_polygons(centre: float = 0.0, path: str | None = None) -> MultiPolygon:
    """Return land, cut at the meridian opposite ``centre``.

    Parameters
    ----------
    centre
        Middle of the frame, degrees east; longitudes run from ``centre`` - 180 to ``centre`` + 180.
    path
        Shapefile or GeoJSON of land or coastlines; None takes the packaged land (Natural Earth
        1:110m). From a file that holds only lines no land can be filled: the result is empty.

    Raises
    ------
    DataError
        When ``path`` cannot be read or holds neither polygons nor lines.
    """
    return _land(float(centre), path)


def coastline_lines(centre: float = 0.0, path: str | None = None) -> MultiLineString:
    """Return the coastlines, cut at the meridian opposite ``centre``.

    No line runs along the date line, the cut or the pole. Parameters and errors as for
    `land_polygons`.
    """
    return _lines(float(centre), path)


@lru_cache(maxsize=1)
def _packaged() -> tuple[Polygon, ...]:
    import numpy as np
    import shapely

    packed = resources.files("climxai.core.geography").joinpath("land_110m.json.gz").read_bytes()
    content = json.loads(gzip.decompress(packed))
    step = 1 / content["steps_per_degree"]

    def ring(flat: list[int]) -> shapely.LinearRing:
        return shapely.LinearRing(np.cumsum(np.reshape(flat, (-1, 2)), axis=0) * step)

    return tuple(
        shapely.Polygon(ring(outer), [ring(hole) for hole in holes])
        for outer, *holes in content["polygons"]
    )


@lru_cache(maxsize=4)
def _merged(centre: float, path: str | None) -> MultiPolygon:
    # One degree wider than the map, so that the cut is not an edge of the merged land.
    import shapely
    from shapely.affinity import translate

    west, east = centre - 181, centre + 181
    polygons = _packaged() if path is None else read_shapes(path).polygons
    copies = []
    for polygon in polygons:
        low, _, high, _ = polygon.bounds
        copies += [
            translate(polygon, turn) if turn else polygon
            for turn in range(-1080, 1081, 360)
            if high + turn > west and low + turn < east
        ]
    return _only(shapely.union_all(shapely.make_valid(copies)), "Polygon")


@lru_cache(maxsize=4)
def _land(centre: float, path: str | None) -> MultiPolygon:
    import shapely

    merged = _merged(centre, path)
    return _only(merged.intersection(shapely.box(centre - 180, -90, centre + 180, 90)), "Polygon")


@lru_cache(maxsize=4)
def _lines(centre: float, path: str | None) -> MultiLineString:
    import shapely
    from shapely.affinity import translate

    frame = shapely.box(centre - 180, -POLE, centre + 180, POLE)
    parts = [_merged(centre, path).boundary]
    if path is not None:
        for line in read_shapes(path).lines:
            parts += [translate(line, turn) for turn in range(-720, 721, 360)]
    parts = [part for part in parts if part.intersects(frame)]
    lines = shapely.line_merge(shapely.union_all(shapely.intersection(parts, frame)))
    return _only(lines, "LineString")


def _only(geometry: Any, kind: str) -> Any:
    """Return the polygons or lines of a geometry, without the points that a cut may leave."""
    import shapely

    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == kind]
    return shapely.MultiPolygon(parts) if kind == "Polygon" else shapely.MultiLineString(parts)
