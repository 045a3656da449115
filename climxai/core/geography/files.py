"""Coastlines of the user's own: a Natural Earth shapefile or GeoJSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from climxai.core.errors import DataError

if TYPE_CHECKING:
    from shapely import LineString, Polygon

SUFFIXES: Final = (".shp", ".geojson", ".json")
NEAR_DATE_LINE: Final = 1e-4
"""Degrees; Natural Earth's vertices on the date line are not all at ±180 to the last bit."""


@dataclass(frozen=True)
class Shapes:
    """What a file holds: land as polygons, or coastlines as lines; degrees east and north."""

    polygons: tuple[Polygon, ...]
    lines: tuple[LineString, ...]


@lru_cache(maxsize=4)
def read_shapes(path: str) -> Shapes:
    """Read polygons and lines from a shapefile or a GeoJSON file.

    Raises
    ------
    DataError
        When the file is missing, is of another kind, is broken, or holds neither.
    """
    import shapely

    file = Path(path)
    if file.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"coastlines {path}: found a file ending in {file.suffix!r}, expected one of "
            f"{', '.join(SUFFIXES)}: give a Natural Earth land or coastline file"
        )
    if not file.is_file():
        raise DataError(
            f"coastlines {path}: there is no such file. Give the path of a Natural Earth .shp or "
            "GeoJSON file, or `packaged`"
        )
    geometries = _shapefile(file) if file.suffix.lower() == ".shp" else _geojson(file)
    parts = shapely.get_parts(shapely.transform(geometries, _snap)) if geometries else []
    found = Shapes(
        polygons=tuple(part for part in parts if part.geom_type == "Polygon"),
        lines=tuple(part for part in parts if part.geom_type == "LineString"),
    )
    if not found.polygons and not found.lines:
        raise DataError(
            f"coastlines {path}: holds neither polygons nor lines; expected land or coastlines"
        )
    return found


def _snap(points: Any) -> Any:
    import numpy as np

    points = points.copy()
    near = np.abs(np.abs(points[:, 0]) - 180) < NEAR_DATE_LINE
    points[near, 0] = np.copysign(180, points[near, 0])
    return points


def _shapefile(file: Path) -> list[Any]:
    import struct

    import shapefile  # type: ignore[import-untyped]
    import shapely.geometry

    try:
        with shapefile.Reader(str(file)) as reader:
            return [
                shapely.geometry.shape(shape.__geo_interface__)
                for shape in reader.iterShapes()
                if shape.shapeType != shapefile.NULL
            ]
    except (
        shapefile.ShapefileException,
        struct.error,
        OSError,
        ValueError,
        KeyError,
    ) as error:
        raise DataError(
            f"coastlines {file}: cannot be read as a shapefile ({error}); keep its .shx and .dbf "
            "beside it"
        ) from error


def _geojson(file: Path) -> list[Any]:
    import shapely.errors
    import shapely.geometry

    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["type"] == "FeatureCollection":
            geometries = [feature["geometry"] for feature in content["features"]]
        elif content["type"] == "GeometryCollection":
            geometries = content["geometries"]
        else:
            geometries = [content.get("geometry", content)]
        return [shapely.geometry.shape(geometry) for geometry in geometries if geometry]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        shapely.errors.ShapelyError,
    ) as error:
        raise DataError(
            f"coastlines {file}: cannot be read as GeoJSON ({type(error).__name__}: {error})"
        ) from error
