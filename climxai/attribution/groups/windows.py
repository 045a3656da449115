"""Patches that slide over the map, in cells or in degrees, around the date line where it closes."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.attribution.groups.cover import Cover, Mask, Numbers, joined
from climxai.core.errors import ModelError
from climxai.core.record import Record

Floats = npt.NDArray[np.float64]
SLACK = 1e-6
"""Degrees by which a cell centre may miss an edge, for coordinates in single precision."""


class Degrees(Record):
    """A length along each axis, in degrees."""

    lat_degrees: float = Field(gt=0, le=180, description="degrees of latitude")
    lon_degrees: float = Field(gt=0, le=360, description="degrees of longitude")


Length = int | tuple[int, int] | Degrees
"""Cells along both axes, cells along lat and lon, or degrees."""


def windows(
    valid: Mask,
    lat: Floats | None,
    lon: Floats | None,
    size: Length,
    stride: Length,
    channels: Literal["each", "together"],
    least: float = 0.0,
) -> Cover:
    """Return the patches that hold a valid cell.

    Patches begin at the southern and western edge; the last ones are cut at the other edge. Along a
    longitude axis that spans the whole circle they go on across the seam instead, where the last
    gap is narrower if its length is no multiple of the stride.

    Parameters
    ----------
    valid
        Valid cells [channel, lat, lon].
    lat, lon
        Cell centres in degrees, or None: then nothing wraps and only cells can be counted.
    size, stride
        Extent of a patch, and the distance between neighbouring ones.
    channels
        Whether a patch spans all channels or each by itself.
    least
        Share of a patch's cells that must be valid; those with less are left out.

    Raises
    ------
    ModelError
        When a patch is larger than the grid, holds no cell centre, leaves cells uncovered, or
        degrees are asked for without a grid.
    """
    around = lon is not None and closes_circle(lon)
    rows = _axis(valid.shape[1], lat, size, stride, 0, around=False)
    columns = _axis(valid.shape[2], lon, size, stride, 1, around=around)
    area = valid.shape[1] * valid.shape[2]
    flat_valid = valid.reshape(-1)
    spans: list[int | None] = [None] if channels == "together" else list(range(valid.shape[0]))
    cells, found_spans, land = [], [], []
    for channel in spans:
        each = np.arange(valid.shape[0]) if channel is None else np.array([channel])
        for row in rows:
            for column in columns:
                inside = (row[:, None] * valid.shape[2] + column[None, :]).reshape(-1)
                flat = (each[:, None] * area + inside[None, :]).reshape(-1)
                members = flat[flat_valid[flat]]
                if members.size and members.size >= least * flat.size:
                    cells.append(members)
                    found_spans.append(channel)
                    land.append(1 - members.size / flat.size)
    if least and not cells and valid.any():
        raise ModelError(
            f"no patch of {_said(size)} has a share of valid cells of min_valid {least:g} or more: "
            "make min_valid or the patch smaller"
        )
    names = [f"patch {number}" for number in range(len(cells))]
    cover = joined(cells, names, found_spans, land, valid)
    missed = int((flat_valid & (cover.times == 0)).sum())
    if missed and least:
        raise ModelError(
            f"with patch {_said(size)}, stride {_said(stride)} and min_valid {least:g}, {missed} "
            "valid cells lie in no patch, so that nothing would be known of them: make min_valid "
            "or the stride smaller"
        )
    if missed:
        raise ModelError(
            f"with patch {_said(size)} and stride {_said(stride)}, {missed} valid cells lie in no "
            "patch, so that nothing would be known of them: make the stride at most the patch"
        )
    return cover


def closes_circle(lon: Floats) -> bool:
    """Return whether the gap between the last and the first longitude is one of the others."""
    if lon.size < 3:
        return False
    gap = 360 - (lon[-1] - lon[0])
    return bool(0 < gap <= 1.5 * np.median(np.diff(lon)))


def _axis(
    length: int, centres: Floats | None, size: Length, stride: Length, axis: int, *, around: bool
) -> list[Numbers]:
    """Return the positions along one axis that each window takes."""
    if isinstance(size, Degrees) or isinstance(stride, Degrees):
        if centres is None:
            raise ModelError(
                "patch or stride is given in degrees, but the network's grid is not known here: "
                "give both in cells"
            )
        extent, step = _degrees(size, centres, axis), _degrees(stride, centres, axis)
        return _in_degrees(centres, extent, step, axis, around=around)
    return _in_cells(length, _cells(size, axis), _cells(stride, axis), axis, around=around)


_NAMES = ("latitude", "longitude")


def _cells(length: int | tuple[int, int], axis: int) -> int:
    return length[axis] if isinstance(length, tuple) else length


def _degrees(length: Length, centres: Floats, axis: int) -> float:
    if isinstance(length, Degrees):
        return length.lat_degrees if axis == 0 else length.lon_degrees
    return _cells(length, axis) * float(np.median(np.diff(centres)))


def _in_cells(length: int, size: int, step: int, axis: int, *, around: bool) -> list[Numbers]:
    if size > length:
        raise ModelError(
            f"the patch takes {size} cells along {_NAMES[axis]}, the grid has {length}: make it "
            "smaller"
        )
    if around:
        return [(first + np.arange(size)) % length for first in range(0, length, step)]
    count = math.ceil((length - size) / step) + 1
    firsts = range(0, count * step, step)
    return [np.arange(first, min(first + size, length)) for first in firsts if first < length]


def _in_degrees(
    centres: Floats, size: float, step: float, axis: int, *, around: bool
) -> list[Numbers]:
    spacing = np.diff(centres)
    offset = centres - (centres[0] - spacing[0] / 2)
    total = 360.0 if around else float(offset[-1] + spacing[-1] / 2)
    if size > total + SLACK:
        raise ModelError(
            f"the patch spans {size:g} degrees of {_NAMES[axis]}, the grid {total:g}: make it "
            "smaller"
        )
    last = total - step if around else total - size
    found: dict[bytes, Numbers] = {}
    for number in range(math.ceil(max(last, 0.0) / step - SLACK) + 1):
        away = offset - number * step
        if around:
            away = np.mod(away + SLACK, 360) - SLACK
        inside = np.flatnonzero((away >= -SLACK) & (away < size - SLACK)).astype(np.int64)
        if inside.size:
            # A stride below the spacing gives the same window twice.
            found[inside.tobytes()] = inside
    if not found:
        raise ModelError(
            f"no cell centre lies in a patch of {size:g} degrees of {_NAMES[axis]}, cells are "
            f"{float(np.median(spacing)):g} apart: make it larger"
        )
    return list(found.values())


def _said(length: Length) -> str:
    if isinstance(length, Degrees):
        return f"{length.lat_degrees:g} x {length.lon_degrees:g} degrees"
    return f"{_cells(length, 0)} x {_cells(length, 1)} cells"
