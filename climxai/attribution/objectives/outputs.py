"""Objectives of regressions and of networks that return a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.attribution.objectives.objective import Grid, Objective
from climxai.core.errors import ModelError
from climxai.core.region import AnyRegion

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.network import Network


class Regression(Objective):
    """One output of a regression, or its difference from a reference value.

    With a reference the difference is what relevance conserves: the question becomes why the
    prediction departs from it. Source: Letzgus et al. (2022), IEEE Signal
    Processing Magazine 39(4).
    """

    name: Literal["regression"] = "regression"
    output: int = Field(0, ge=0, description="number of the output, from 0")
    minus: float | Literal["zero_input"] | None = None
    """Reference that is subtracted: a number, or the prediction at an input of zeros, which after
    centring is the training mean; none explains the prediction itself."""

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return weights [sample, ...]: 1 for the output, 0 elsewhere."""
        import torch

        del labels, classes, grid
        count = logits[0].numel() if len(logits) else logits.flatten(1).shape[1]
        if self.output >= count:
            raise ModelError(
                f"the objective explains output {self.output}, the network has {count} (numbered "
                "from 0): choose another"
            )
        weights = torch.zeros_like(logits)
        weights.flatten(1)[:, self.output] = 1.0
        return weights

    def reference(self, network: Network) -> Tensor | None:
        """Return the outputs [1, *output_shape] that are subtracted, or None."""
        import torch

        if self.minus is None:
            return None
        if self.minus == "zero_input":
            zeros = torch.zeros((1, *network.shape), dtype=network.dtype, device=network.device)
            with torch.no_grad():
                return network(zeros)
        shape = (1, *network.output_shape)
        return torch.full(shape, self.minus, dtype=network.dtype, device=network.device)


class OutputCell(Objective):
    """One cell of a network's output field: the one that a place lies in."""

    name: Literal["output_cell"] = "output_cell"
    lat: float = Field(ge=-90, le=90, description="latitude, degrees north")
    lon: float = Field(ge=-360, le=360, description="longitude, degrees east")
    channel: int = Field(0, ge=0, description="number of the output channel, from 0")

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return weights [sample, channel, lat, lon]: 1 for the cell.

        Raises
        ------
        ModelError
            When the place lies outside the grid.
        """
        del labels, classes
        grid = field_grid(logits, grid, self.channel)
        north, east = np.abs(grid.lat - self.lat), np.abs((grid.lon - self.lon + 180) % 360 - 180)
        row, column = int(north.argmin()), int(east.argmin())
        beyond = (
            f"{away[nearest]:.4g} degrees of {name}"
            for name, away, nearest, centres in (
                ("latitude", north, row, grid.lat),
                ("longitude", east, column, grid.lon),
            )
            if away[nearest] > _half_a_cell(centres, nearest)
        )
        if far := " and ".join(beyond):
            raise ModelError(
                f"objective output_cell asks for {self.lat:g} degrees north, {self.lon:g} degrees "
                f"east, which lies outside the network's output field: the nearest cell, at "
                f"{grid.lat[row]:g} north, {grid.lon[column]:g} east, is {far} away; choose a "
                "place on the grid"
            )
        cells = np.zeros((len(grid.lat), len(grid.lon)))
        cells[row, column] = 1.0
        return on_channel(logits, cells, self.channel)


class OutputRegion(Objective):
    """The area-weighted mean of a network's output field over a region."""

    name: Literal["output_region"] = "output_region"
    region: AnyRegion
    """The region: a name, or [south, north, west, east]."""
    channel: int = Field(0, ge=0, description="number of the output channel, from 0")

    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return weights [sample, channel, lat, lon]: the cells' share of the region's area."""
        del labels, classes
        grid = field_grid(logits, grid, self.channel)
        inside = self.region.contains(grid.lat, grid.lon)
        area = inside * np.cos(np.deg2rad(grid.lat))[:, None]
        if not inside.any():
            raise ModelError(
                f"region {self.region.describe()} holds no cell of the network's output field: "
                "choose one on its grid"
            )
        return on_channel(logits, area / area.sum(), self.channel)


def _half_a_cell(centres: npt.NDArray[np.float64], which: int) -> float:
    """Return how far a cell reaches from its centre, by the distance to its neighbours."""
    steps = np.abs(np.diff(centres))
    if not len(steps):
        return np.inf
    return float(steps[max(0, which - 1) : which + 1].max()) / 2 + 1e-6


def field_grid(logits: Tensor, grid: Grid | None, channel: int) -> Grid:
    """Return the output's grid.

    Raises
    ------
    ModelError
        When the output is no field on a known grid, or lacks the channel.
    """
    if logits.ndim != 4 or grid is None or logits.shape[2:] != (len(grid.lat), len(grid.lon)):
        found = tuple(logits.shape[1:])
        expected = "an unknown grid" if grid is None else f"{len(grid.lat)} x {len(grid.lon)} cells"
        raise ModelError(
            f"the objective explains a cell or region of an output field on {expected}, the "
            f"network returns {found} per sample: choose an objective that suits this output"
        )
    if channel >= logits.shape[1]:
        raise ModelError(
            f"the objective explains output channel {channel}, the network has {logits.shape[1]} "
            "(numbered from 0): choose another"
        )
    return grid


def on_channel(logits: Tensor, cells: npt.NDArray[np.float64], channel: int) -> Tensor:
    """Return weights shaped like ``logits`` that hold ``cells`` [lat, lon] on one channel."""
    import torch

    weights = torch.zeros_like(logits)
    weights[:, channel] = torch.as_tensor(cells, dtype=logits.dtype, device=logits.device)
    return weights
