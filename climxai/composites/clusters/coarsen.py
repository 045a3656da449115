"""Coarser grids: means over blocks of cells, by area, of valid cells only, across the seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.core.record import Record

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class Degrees(Record):
    """Blocks of so many degrees, or as near to it as fits."""

    degrees: float = Field(gt=0, le=180)
    """degrees of latitude and longitude along each side of a block"""


Coarsening = int | Degrees | None
"""Cells along each side of a block, blocks of some degrees, or no coarsening."""


def edges(centres: npt.NDArray[np.floating]) -> Array:
    """Return the n + 1 edges of n cells: midway between centres, the outer ones alike."""
    centres = np.asarray(centres, dtype=np.float64)
    if centres.size == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[:-1] + centres[1:]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def cell_areas(lat: npt.NDArray[np.floating], lon: npt.NDArray[np.floating]) -> Array:
    """Return the area of each cell [lat, lon] on the unit sphere; a cell at a pole is a cap."""
    north = np.sin(np.deg2rad(np.clip(edges(lat), -90, 90)))
    return np.abs(np.diff(north))[:, None] * np.deg2rad(np.abs(np.diff(edges(lon))))[None, :]


def goes_around(lon: npt.NDArray[np.floating]) -> bool:
    """Return whether longitudes go once around the globe."""
    east = edges(lon)
    return lon.size > 1 and bool(abs(east[-1] - east[0] - 360) < 0.5 * np.diff(east).max())


@dataclass(frozen=True)
class CoarseGrid:
    """Which coarse cell each cell belongs to, and how much it weighs there."""

    block: Places
    """[cell]: position of the coarse cell, cells in the order (lat, lon)"""
    area: Array
    """[cell]"""
    count: int
    """number of coarse cells"""
    lat: Array
    """[coarse cell]: area-mean latitude, degrees north"""
    lon: Array
    """[coarse cell]: area-mean longitude, degrees east; across the seam like elsewhere"""

    def means(self, maps: npt.NDArray[np.floating]) -> tuple[Array, Array]:
        """Return area means over valid cells, and the valid area that they stand for.

        Parameters
        ----------
        maps
            [sample, channel, lat, lon], NaN where invalid.

        Returns
        -------
        means
            [sample, channel, coarse cell]; NaN where no cell is valid.
        area
            [channel, coarse cell]: the least valid area over the samples.
        """
        samples, channels = maps.shape[:2]
        flat = maps.reshape(samples * channels, -1).astype(np.float64)
        valid = np.isfinite(flat)
        matrix = self._matrix()
        total = (matrix @ np.where(valid, flat, 0.0).T).T
        area = (matrix @ valid.T.astype(np.float64)).T
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(area > 0, total / area, np.nan)
        shape = (samples, channels, self.count)
        return means.reshape(shape), area.reshape(shape).min(axis=0)

    def _matrix(self) -> csr_matrix:
        from scipy.sparse import csr_matrix

        cells = np.arange(self.block.size)
        return csr_matrix((self.area, (self.block, cells)), shape=(self.count, self.block.size))


def coarse_grid(
    lat: npt.NDArray[np.floating], lon: npt.NDArray[np.floating], how: Coarsening
) -> CoarseGrid:
    """Return the coarse cells of a grid.

    Blocks are as even as the grid allows. Around the globe they are counted from Greenwich, so that
    they are the same wherever the longitudes of a file begin, and one may lie across the seam.

    Parameters
    ----------
    lat, lon
        Cell centres, degrees; ascending.
    how
        None keeps every cell.
    """
    rows = _blocks(lat.astype(np.float64), how, 180.0, around=False)
    columns = _blocks(lon.astype(np.float64), how, 360.0, around=goes_around(lon))
    pairs = rows[:, None] * (columns.max() + 1) + columns[None, :]
    _, block = np.unique(pairs.ravel(), return_inverse=True)
    block = block.reshape(-1).astype(np.int64)
    area = cell_areas(lat, lon).ravel()
    count = int(block.max()) + 1

    def mean(values: Array) -> Array:
        return np.bincount(block, area * values.ravel(), count) / np.bincount(block, area, count)

    y, x = np.meshgrid(lat.astype(np.float64), np.deg2rad(lon.astype(np.float64)), indexing="ij")
    east = np.rad2deg(np.arctan2(mean(np.sin(x)), mean(np.cos(x)))) % 360
    return CoarseGrid(block, area, count, mean(y), east)


def _blocks(centres: Array, how: Coarsening, circle: float, *, around: bool) -> Places:
    """Return the block of each row or column."""
    n = centres.size
    if how is None or n == 1:
        return np.arange(n, dtype=np.int64)
    order = np.argsort(centres % 360) if around else np.arange(n)
    if not isinstance(how, Degrees):
        blocks = max(1, round(n / how))
        result = np.empty(n, dtype=np.int64)
        result[order] = np.arange(n) * blocks // n
        return result
    span = circle if around else float(np.ptp(edges(centres)))
    blocks = max(1, round(span / how.degrees))
    start = 0.0 if around else float(edges(centres)[0])
    from_start = (centres - start) % 360 if around else centres - start
    return np.minimum((from_start / span * blocks + 1e-9).astype(np.int64), blocks - 1)
