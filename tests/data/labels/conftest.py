"""Fields of which a box mean can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

Make = Callable[..., xr.DataArray]


def make_fields(
    values: np.ndarray,
    lat: Any = (-10.0, 0.0, 10.0),
    lon: Any = (0.0, 90.0, 180.0, 270.0),
    *,
    start: str = "1998-01-01",
    freq: str = "MS",
    calendar: str = "standard",
    channels: tuple[str, ...] = ("sst",),
) -> xr.DataArray:
    """Fields from values [sample, lat, lon] or [sample, channel, lat, lon], or one number a row."""
    values = np.asarray(values, np.float32)
    if values.ndim == 1:
        values = np.broadcast_to(values[:, None, None], (len(values), len(lat), len(lon)))
    if values.ndim == 3:
        values = values[:, None]
    return xr.DataArray(
        values.copy(),
        dims=("sample", "channel", "lat", "lon"),
        coords={
            "time": (
                "sample",
                xr.date_range(start, periods=len(values), freq=freq, calendar=calendar),
            ),
            "row": ("sample", np.arange(len(values))),
            "channel": list(channels),
            "units": ("channel", ["degC"] * len(channels)),
            "long_name": ("channel", [f"{name} anomaly" for name in channels]),
            "lat": list(lat),
            "lon": list(lon),
        },
    ).chunk({"sample": 3})


@pytest.fixture
def make() -> Make:
    return make_fields
