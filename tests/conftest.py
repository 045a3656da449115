"""Fixtures every room shares: the real files where they are, and one tiny world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real files, or a skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real data files (../shared/data) are not on this machine")
    return SHARED


def tiny_world(seed: int = 0, years: int = 8) -> xr.Dataset:
    """Monthly SST on a 6 x 8 grid whose central Pacific swings with a red index.

    The land block is rows 0-1, columns 0-1. The index is known, so that a network must find it.
    """
    random = np.random.default_rng(seed)
    months = 12 * years
    lat = np.linspace(-50, 50, 6)
    lon = np.arange(0, 360, 45.0)
    index = np.zeros(months)
    for month in range(1, months):
        index[month] = 0.85 * index[month - 1] + random.normal(0, 0.6)
    pattern = np.exp(-((lat[:, None] / 25) ** 2) - (((lon[None, :] - 200) / 60) ** 2))
    season = 2 * np.sin(2 * np.pi * np.arange(months) / 12)
    sst = (
        20
        - 0.1 * np.abs(lat)[None, :, None]
        + season[:, None, None] * np.sign(lat)[None, :, None]
        + 1.5 * index[:, None, None] * pattern[None]
        + random.normal(0, 0.2, (months, 6, 8))
    ).astype(np.float32)
    sst[:, :2, :2] = np.nan
    time = xr.date_range("1990-01-16", periods=months, freq="MS", calendar="standard")
    return xr.Dataset(
        {
            "sst": (
                ("time", "lat", "lon"),
                sst,
                {"units": "degC", "standard_name": "sea_surface_temperature"},
            )
        },
        coords={
            "time": time,
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
    )


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny world as a netCDF file."""
    path = tmp_path_factory.mktemp("world") / "tiny_sst.nc"
    tiny_world().to_netcdf(path)
    return path
