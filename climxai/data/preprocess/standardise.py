"""Fields in standard deviations, per cell or over the whole field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.data.preprocess.step import Fit, Rows, Step, rows_to_fit, times

if TYPE_CHECKING:
    import xarray as xr


class Standardise(Step):
    """Subtract the mean and divide by the standard deviation (of the population, not a sample).

    A cell that never varies in the fitted rows becomes 0. Gaps are left out of the statistics.
    """

    keeps: ClassVar[tuple[str, ...]] = ("mean", "scale")

    name: Literal["standardise"] = "standardise"
    per: Literal["cell", "field"] = "cell"
    """one mean and deviation per cell, or one of each per channel, weighted by area"""
    fit: Fit = "training"
    """rows the mean and deviation are taken from: training, all, or a period such as 1991-2020"""

    def fit_to(self, fields: xr.DataArray, training: Rows) -> xr.Dataset:
        """Return ``mean`` and ``scale`` (channel, lat, lon), in the units of the fields."""
        from climxai.data.preprocess.stream import Departures, Present, maps

        rows = rows_to_fit(self, self.fit, times(fields), training)
        departures = Departures(fields, rows)
        first = np.zeros(departures.shift.shape)
        second = np.zeros(departures.shift.shape)
        present = Present(1, departures.shift.shape)
        one = np.ones(1)
        for _, departure, missing in departures:
            first += departure
            second += departure * departure
            present.add(one, missing)
        count = present.sums()[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = departures.shift + first / count
            squares = np.maximum(second - first * first / count, 0.0)
            variance = squares / count
        if self.per == "field":
            mean, variance = over_field(fields, mean, squares, count)
        scale = np.sqrt(variance)
        for number, channel in enumerate(fields["channel"].values):
            if not (scale[number] > 0).any():
                raise DataError(
                    f"standardise (per {self.per}): channel {channel} does not vary over the "
                    f"{rows.size} rows to fit: leave it out of `data.variables` or fit to more rows"
                )
        return maps(
            fields,
            mean=("", mean, {"long_name": f"mean per {self.per}"}),
            scale=("", scale, {"long_name": f"standard deviation per {self.per}"}),
        )

    def apply(self, fields: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return the standardised fields (sample, channel, lat, lon), units ``1``."""
        from climxai.data.preprocess.stream import change_rows, check_grid

        check_grid(fields, fitted, self.name)
        scale = fitted["scale"].values
        with np.errstate(divide="ignore"):
            inverse = np.where(scale == 0, 0.0, 1.0 / scale)
        scaled = change_rows(fields, scale_rows, mean=fitted["mean"].values, inverse=inverse)
        if "units" in scaled.coords:
            units = np.full(scaled.sizes["channel"], "1")
            scaled = scaled.assign_coords(units=scaled["units"].copy(data=units))
        return scaled

    def undo(self, maps: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return maps (..., channel, lat, lon) in the units they had; a constant cell its mean."""
        undone: xr.DataArray = maps * fitted["scale"].values + fitted["mean"].values
        return undone


def over_field(
    fields: xr.DataArray,
    mean: npt.NDArray[np.float64],
    squares: npt.NDArray[np.float64],
    count: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return area-weighted mean and variance of each channel, spread over [channel, lat, lon].

    Parameters
    ----------
    fields
        For the latitudes.
    mean, squares, count
        Per cell [channel, lat, lon]: mean, sum of squared departures from it, finite rows.
    """
    from climxai.data.grids.area import area_weights

    weight = area_weights(fields["lat"].values)[:, None] * count
    there = count > 0
    # Means are taken from one cell's mean, so that the same number everywhere has spread zero.
    base = np.array([m[t][0] if t.any() else np.nan for m, t in zip(mean, there, strict=True)])
    base = base[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        total = weight.sum(axis=(1, 2), keepdims=True)
        apart = np.where(there, mean - base, 0.0)
        centre = (weight * apart).sum(axis=(1, 2), keepdims=True) / total
        spread = np.where(there, squares / count + (apart - centre) ** 2, 0.0)
        variance = (weight * spread).sum(axis=(1, 2), keepdims=True) / total
    shape = mean.shape
    return np.broadcast_to(base + centre, shape).copy(), np.broadcast_to(variance, shape).copy()


def scale_rows(
    block: npt.NDArray[Any],
    mean: npt.NDArray[np.float64],
    inverse: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Return a block less the mean, times the inverse deviation, computed in float64."""
    changed = np.empty(block.shape, np.float32)
    for row in range(len(block)):
        changed[row] = (block[row] - mean) * inverse
    return changed
