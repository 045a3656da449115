"""Maps of known content, and a way to look at their pixels."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from climxai.core.geography import land_mask


def grid(values, lat, lon, **attrs) -> xr.DataArray:
    return xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), attrs=attrs)


@pytest.fixture(scope="session")
def world():
    """Relevance and temperature of an imagined El Niño on a 5° grid, missing on land."""
    lat, lon = np.arange(-87.5, 90, 5), np.arange(2.5, 360, 5)
    away = (lon[None, :] - 235) / 35
    field = 2.2 * np.exp(-((lat[:, None] / 9) ** 2) - away**2)
    field = field - 0.6 * np.exp(
        -(((lat[:, None] - 38) / 12) ** 2) - ((lon[None, :] - 190) / 30) ** 2
    )
    field = np.where(land_mask(lat, lon), np.nan, field)
    relevance = field / np.nanmax(field)
    return (
        grid(relevance, lat, lon),
        grid(field, lat, lon, long_name="SST anomaly", units="degC"),
    )


class Picture:
    """The pixels of a drawn map."""

    def __init__(self, figure) -> None:
        figure.canvas.draw()
        self.axes = figure.axes[0]
        self.rgb = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255

    def at(self, lat: float, lon: float) -> np.ndarray:
        """Return the colour of the pixel at a place."""
        import cartopy.crs

        point = self.axes.projection.transform_point(lon, lat, cartopy.crs.PlateCarree())
        x, y = self.axes.transData.transform(point)
        return self.rgb[self.rgb.shape[0] - 1 - int(np.floor(y)), int(np.floor(x))]


@pytest.fixture
def picture():
    return Picture
