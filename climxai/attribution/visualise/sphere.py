"""A latitude-longitude grid on the unit sphere: areas, common edges and distances of its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sphere:
    """Areas of valid cells, and the weights of pairs of valid neighbours; radians throughout.

    Parameters
    ----------
    area
        Share of each valid cell in the channel's valid area [channel, lat, lon], 0 on others.
    east_edge, east_distance
        Length of the edge that a cell shares with its eastern neighbour, over the channel's valid
        area, 0 where one of both is invalid [channel, lat, lon]; and their distance [lat, 1]. The
        last column's neighbour is the first; its edge is 0 where the grid does not go around.
    north_edge, north_distance
        The same for northern neighbours [channel, lat - 1, lon], [lat - 1, 1].
    """

    area: Tensor
    east_edge: Tensor
    east_distance: Tensor
    north_edge: Tensor
    north_distance: Tensor

    def mean(self, values: Tensor) -> Tensor:
        """Return the area mean [sample, channel] over valid cells of every sample."""
        return (values * self.area).sum((-2, -1))

    def edges(self, x: Tensor, size: Callable[[Tensor], Tensor], *, distance_power: int) -> Tensor:
        """Return the sum over pairs of neighbours, per valid area [sample, channel].

        Each pair adds ``size(difference) * edge / distance**distance_power``.
        """
        east = size(torch.roll(x, -1, dims=-1) - x) * self.east_edge
        north = size(x[..., 1:, :] - x[..., :-1, :]) * self.north_edge
        if distance_power:
            east = east / self.east_distance**distance_power
            north = north / self.north_distance**distance_power
        return east.sum((-2, -1)) + north.sum((-2, -1))


def sphere_of(lat: Array, lon: Array, valid: Tensor, dtype: torch.dtype) -> Sphere:
    """Return the geometry of a grid of cell centres ``lat`` (ascending) and ``lon``, in degrees.

    Edges lie halfway between centres, and at the poles at the latest. ``valid`` is
    [channel, lat, lon], bool.
    """
    rows = _bounds(np.deg2rad(np.asarray(lat, np.float64)), np.pi / 2)
    columns, around = _widths(np.asarray(lon, np.float64))
    heights = np.diff(rows)
    # The mean parallel of a row, from its area: never 0, even for a row centred on a pole.
    parallel = (np.sin(rows[1:]) - np.sin(rows[:-1])) / heights
    cells = parallel[:, None] * heights[:, None] * columns[None, :]
    mask = valid.numpy()
    area = np.where(mask, cells, 0.0)
    total = area.sum(axis=(1, 2), keepdims=True)
    total[total == 0] = 1.0
    apart = (columns + np.roll(columns, -1)) / 2
    east = np.where(mask & np.roll(mask, -1, axis=2), heights[:, None], 0.0)
    if not around:
        east[..., -1] = 0.0
    if lon.size == 1:
        east[:] = 0.0
    north = np.where(
        mask[:, 1:] & mask[:, :-1], np.cos(rows[1:-1])[:, None] * columns[None, :], 0.0
    )
    centres = np.deg2rad(np.asarray(lat, np.float64))

    def tensor(values: Array) -> Tensor:
        return torch.as_tensor(values, dtype=dtype)

    return Sphere(
        area=tensor(area / total),
        east_edge=tensor(east / total),
        east_distance=tensor(parallel[:, None] * apart[None, :]),
        north_edge=tensor(north / total),
        north_distance=tensor(np.diff(centres)[:, None]),
    )


def _bounds(centres: Array, limit: float) -> Array:
    """Return the edges [n + 1] of rows, not beyond ``limit`` either way; one row is all of it."""
    if centres.size == 1:
        return np.array([-limit, limit])
    half = np.diff(centres) / 2
    edges = np.concatenate([[centres[0] - half[0]], centres[:-1] + half, [centres[-1] + half[-1]]])
    return np.asarray(np.clip(edges, -limit, limit))


def _widths(lon: Array) -> tuple[Array, bool]:
    """Return the width of every column in radians, and whether the grid goes around the globe."""
    if lon.size == 1:
        return np.array([2 * np.pi]), False
    steps = np.diff(lon)
    seam = 360.0 - (lon[-1] - lon[0])
    around = bool(seam <= 1.5 * steps.max())
    before = np.concatenate([[seam if around else steps[0]], steps])
    after = np.concatenate([steps, [seam if around else steps[-1]]])
    return np.deg2rad((before + after) / 2), around
