"""Latitude-longitude boxes, the date line included, and the named ones of the field."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.errors import did_you_mean
from climxai.core.record import Record


class Region(Record):
    """A box on the sphere; ``west > east`` (modulo 360) means that it crosses Greenwich."""

    south: float = Field(-90.0, ge=-90, le=90, description="southern edge, degrees north")
    north: float = Field(90.0, ge=-90, le=90, description="northern edge, degrees north")
    west: float = Field(0.0, ge=-360, le=360, description="western edge, degrees east")
    east: float = Field(360.0, ge=-360, le=360, description="eastern edge, degrees east")

    @model_validator(mode="after")
    def _ordered(self) -> Region:
        if self.south >= self.north:
            raise PydanticCustomError(
                "region",
                "south ({south}) must lie below north ({north})",
                {"south": self.south, "north": self.north},
            )
        if not self.whole_circle and (self.east - self.west) % 360 == 0:
            raise PydanticCustomError(
                "region",
                "west and east are the same meridian ({west}); all of it is west 0, east 360",
                {"west": self.west},
            )
        return self

    @property
    def whole_circle(self) -> bool:
        """Whether every longitude lies inside."""
        return abs(self.east - self.west) >= 360

    def contains_lon(self, lon: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which longitudes (degrees east, any convention) lie inside, edges included."""
        lon = np.asarray(lon, dtype=float)
        if self.whole_circle:
            return np.ones(lon.shape, dtype=bool)
        width = (self.east - self.west) % 360
        # Rounded so that an edge in float32 degrees is still an edge.
        offset = np.round((lon - self.west) % 360, 6)
        return (offset <= width + 1e-6) | (offset >= 360 - 1e-6)

    def contains_lat(self, lat: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which latitudes (degrees north) lie inside, edges included."""
        lat = np.asarray(lat, dtype=float)
        return (lat >= self.south - 1e-6) & (lat <= self.north + 1e-6)

    def contains(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return a mask [lat, lon] of the cell centres inside, for 1-D ``lat`` and ``lon``."""
        return self.contains_lat(lat)[:, None] & self.contains_lon(lon)[None, :]

    def describe(self) -> str:
        """Return the box as people write it, for example ``5°S-5°N, 170°W-120°W``."""

        def lat(value: float) -> str:
            return f"{abs(value):g}°{'S' if value < 0 else 'N'}"

        def lon(value: float) -> str:
            turned = (value + 180) % 360 - 180
            return f"{abs(turned):g}°{'W' if turned < 0 else 'E'}"

        around = "all longitudes" if self.whole_circle else f"{lon(self.west)}-{lon(self.east)}"
        return f"{lat(self.south)}-{lat(self.north)}, {around}"


NAMED_REGIONS: dict[str, Region] = {
    "global": Region(),
    "nino12": Region(south=-10, north=0, west=270, east=280),
    "nino3": Region(south=-5, north=5, west=210, east=270),
    "nino34": Region(south=-5, north=5, west=190, east=240),
    "nino4": Region(south=-5, north=5, west=160, east=210),
    "tropical_pacific": Region(south=-20, north=20, west=120, east=280),
    "pacific": Region(south=-60, north=65, west=120, east=290),
    "north_atlantic": Region(south=0, north=70, west=280, east=360),
    "iod_west": Region(south=-10, north=10, west=50, east=70),
    "iod_east": Region(south=-10, north=0, west=90, east=110),
}
"""Boxes known by name; the Niño boxes after Trenberth (1997) and NOAA CPC."""


def as_region(value: Any) -> Any:
    """Turn a region's name or ``[south, north, west, east]`` into what `Region` accepts."""
    if isinstance(value, str):
        # Niño3.4, nino3.4 and nino34 are one region.
        value = value.lower().replace("ñ", "n").replace(".", "").replace("+", "")
        if value not in NAMED_REGIONS:
            raise PydanticCustomError(
                "region_name",
                "there is no region named {found}.{hint}",
                {"found": repr(value), "hint": did_you_mean(value, tuple(NAMED_REGIONS))},
            )
        return NAMED_REGIONS[value]
    if isinstance(value, list | tuple):
        if len(value) != 4:
            raise PydanticCustomError(
                "region_list",
                "a region as a list is [south, north, west, east], found {n} values",
                {"n": len(value)},
            )
        return dict(zip(("south", "north", "west", "east"), value, strict=True))
    return value


AnyRegion = Annotated[Region, BeforeValidator(as_region)]
"""A `Region` that may be written as its name or as ``[south, north, west, east]``."""
