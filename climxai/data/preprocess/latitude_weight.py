"""Weights that give each cell a say according to its area."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.data.preprocess.step import Rows, Step

if TYPE_CHECKING:
    import xarray as xr


class LatitudeWeight(Step):
    """Multiply each cell by a power of the cosine of its latitude.

    Power 1 weights values by area; power 0.5 weights their squares by area, as for EOFs.
    """

    keeps: ClassVar[tuple[str, ...]] = ("weight",)

    name: Literal["latitude_weight"] = "latitude_weight"
    power: float = Field(1.0, gt=0, description="power of the cosine of latitude")

    def fit_to(self, fields: xr.DataArray, training: Rows) -> xr.Dataset:
        """Return ``weight(lat)``; no row is looked at."""
        import xarray as xr

        from climxai.data.preprocess.stream import grid_of

        del training
        cosine = np.cos(np.deg2rad(fields["lat"].values.astype(np.float64)))
        # Rounding leaves the pole a little below zero, whose root would be NaN.
        weight = np.clip(cosine, 0.0, 1.0) ** self.power
        attrs = {"units": "1", "long_name": f"cosine of latitude to the power {self.power:g}"}
        return xr.Dataset(
            {"weight": ("lat", weight, attrs)}, coords={"lat": grid_of(fields)["lat"]}
        )

    def apply(self, fields: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return the weighted fields (sample, channel, lat, lon)."""
        from climxai.data.preprocess.stream import change_rows, check_grid

        check_grid(fields, fitted, self.name)
        return change_rows(fields, weigh_rows, weight=fitted["weight"].values[:, None])

    def undo(self, maps: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return maps (..., channel, lat, lon) without the weight, NaN at the poles."""
        weight = fitted["weight"].values[:, None]
        # The cosine of 90 degrees is rounding, not a weight.
        at_pole = np.abs(fitted["lat"].values.astype(np.float64)) > 90 - 1e-6
        undone: xr.DataArray = maps / np.where(at_pole[:, None], np.nan, weight)
        return undone


def weigh_rows(block: npt.NDArray[Any], weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return a block times the weight, computed in float64."""
    changed = np.empty(block.shape, np.float32)
    for row in range(len(block)):
        changed[row] = block[row] * weight
    return changed
