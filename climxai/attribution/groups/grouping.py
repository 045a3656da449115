"""Which cells are changed together: single cells, channels, boxes, regions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field, WithJsonSchema

from climxai.attribution.groups.cover import Cover, Mask, cover_of, joined
from climxai.core.errors import ModelError
from climxai.core.record import Record
from climxai.core.region import NAMED_REGIONS, AnyRegion, Region

Floats = npt.NDArray[np.float64]
Span = Literal["each", "together"]


class Grouping(Record):
    """Which cells are changed together; only valid cells ever are."""

    @abstractmethod
    def cover(self, valid: Mask, lat: Floats | None, lon: Floats | None) -> Cover:
        """Return the groups of a map.

        Parameters
        ----------
        valid
            Valid cells [channel, lat, lon].
        lat, lon
            Cell centres in degrees, or None where the grid is not known.

        Raises
        ------
        ModelError
            When the groups cannot be formed on this grid and mask.
        """


class Cells(Grouping):
    """Every valid cell by itself."""

    name: Literal["cells"] = "cells"
    channels: Span = "each"
    """Whether a place is one group per channel, or one that spans all channels."""

    def cover(self, valid: Mask, lat: Floats | None, lon: Floats | None) -> Cover:
        """Return a group per valid cell, or per place with a valid cell in some channel."""
        depth, height, width = valid.shape
        where = (
            [f"row {row}, column {column}" for row in range(height) for column in range(width)]
            if lat is None or lon is None
            else [place(south, west) for south in lat for west in lon]
        )
        flat = valid.reshape(depth, -1)
        if self.channels == "each":
            found = np.flatnonzero(valid)
            area = height * width
            names = [where[cell % area] for cell in found]
            spans: list[int | None] = [int(cell // area) for cell in found]
            return joined(list(found[:, None]), names, spans, [0.0] * found.size, valid)
        places = np.flatnonzero(flat.any(axis=0))
        cells = [np.flatnonzero(flat[:, at]) * flat.shape[1] + at for at in places]
        land = [1 - each.size / depth for each in cells]
        return joined(cells, [where[at] for at in places], [None] * len(cells), land, valid)


class Channels(Grouping):
    """Every channel by itself, all its valid cells together."""

    name: Literal["channels"] = "channels"

    def cover(self, valid: Mask, lat: Floats | None, lon: Floats | None) -> Cover:
        """Return a group per channel."""
        del lat, lon
        return cover_of([("channel", np.ones(valid.shape[1:], dtype=bool))], valid, "each")


class Boxes(Grouping):
    """Boxes of equal extent in degrees that tile the sphere from 90°S and Greenwich on.

    A cell centre on an edge belongs to the box north or east of it. Boxes without valid cells are
    left out.
    """

    name: Literal["boxes"] = "boxes"
    lat: float = Field(30.0, gt=0, le=180, description="extent in degrees of latitude")
    lon: float = Field(30.0, gt=0, le=360, description="extent in degrees of longitude")
    channels: Span = "each"
    """Whether a box is one group per channel, or one that spans all channels."""

    def cover(self, valid: Mask, lat: Floats | None, lon: Floats | None) -> Cover:
        """Return a group per box with valid cells."""
        south, west = known(lat, lon)
        # The pole belongs to the northernmost box; rounded so that an edge in float32 is an edge.
        rows = np.floor(np.round(np.minimum(south + 90, 180 - 1e-3), 4) / self.lat).astype(int)
        columns = np.floor(np.round(np.mod(np.round(west, 4), 360), 4) / self.lon).astype(int)
        outlines = (
            (self._name(row, column), (rows == row)[:, None] & (columns == column)[None, :])
            for row in np.unique(rows)
            for column in np.unique(columns)
        )
        return cover_of(outlines, valid, self.channels)

    def _name(self, row: int, column: int) -> str:
        south, west = row * self.lat - 90, column * self.lon
        return Region(
            south=south,
            north=min(south + self.lat, 90),
            west=west,
            east=min(west + self.lon, 360),
        ).describe()


_NAMES: Final = {"type": "array", "items": {"enum": list(NAMED_REGIONS)}, "minItems": 1}


def as_regions(value: Any) -> Any:
    """Turn a list of known regions' names into a block of names, each with its region."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: name for name in value}
    return value


class Regions(Grouping):
    """Named regions, and what lies outside of all of them."""

    name: Literal["regions"] = "regions"
    regions: Annotated[
        Mapping[str, AnyRegion],
        Field(min_length=1),
        BeforeValidator(as_regions),
        WithJsonSchema({"anyOf": [{"type": "object"}, _NAMES]}),
    ]
    """Name -> region (a known name, [south, north, west, east] or a block); a list of known names
    is short for it."""
    rest: bool = True
    """Whether the cells outside of all regions are one more group, called `elsewhere`."""
    channels: Span = "each"
    """Whether a region is one group per channel, or one that spans all channels."""

    def cover(self, valid: Mask, lat: Floats | None, lon: Floats | None) -> Cover:
        """Return a group per region, and one of what lies elsewhere.

        A cell centre on an edge that two regions share belongs to the one named first.
        """
        south, west = known(lat, lon)
        taken = np.zeros(valid.shape[1:], dtype=bool)
        edges = np.zeros(valid.shape[1:], dtype=bool)
        outlines = []
        for name, region in self.regions.items():
            mask = region.contains(south, west)
            edge = mask & ~_strictly(region, south, west)
            outlines.append((name, mask & ~(edge & edges)))
            taken |= mask
            edges |= edge
        cover = cover_of(outlines, valid, self.channels, empty="region")
        if not self.rest or not (valid & ~taken).any():
            return cover
        return cover_of([*outlines, ("elsewhere", ~taken)], valid, self.channels)


def _strictly(region: Region, lat: Floats, lon: Floats) -> Mask:
    """Return the cells [lat, lon] inside a region and not on its edge."""
    rows = (lat > region.south + 1e-6) & (lat < region.north - 1e-6)
    if region.whole_circle:
        return rows[:, None] & np.ones(lon.size, dtype=bool)[None, :]
    offset = np.round((lon - region.west) % 360, 6)
    columns = (offset > 1e-6) & (offset < (region.east - region.west) % 360 - 1e-6)
    return rows[:, None] & columns[None, :]


def known(lat: Floats | None, lon: Floats | None) -> tuple[Floats, Floats]:
    """Return the cell centres.

    Raises
    ------
    ModelError
        When the grid is not known.
    """
    if lat is None or lon is None:
        raise ModelError(
            "regions and boxes lie in degrees, but the network's grid is not known here: give the "
            "grid, or choose groups of cells or channels"
        )
    return lat, lon


def place(lat: float, lon: float) -> str:
    """Return a cell centre as people write it, for example ``2.5°S 170°W``."""
    turned = (lon + 180) % 360 - 180
    south, west = "S" if lat < 0 else "N", "W" if turned < 0 else "E"
    return f"{abs(lat):g}°{south} {abs(turned):g}°{west}"
