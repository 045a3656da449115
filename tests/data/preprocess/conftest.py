"""Records small enough to check by loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

Make = Callable[..., xr.DataArray]


def make_fields(
    values: np.ndarray | None = None,
    *,
    start: str = "1990-01-01",
    freq: str = "MS",
    rows: int = 48,
    calendar: str = "standard",
    chunk: int | None = 7,
    seed: int = 0,
    **coords: Any,
) -> xr.DataArray:
    """Fields (sample, channel, lat, lon): an annual cycle, a trend and noise on 4 x 5 cells."""
    if values is None:
        random = np.random.default_rng(seed)
        row = np.arange(rows)[:, None, None, None]
        values = (
            280
            + 5 * np.sin(2 * np.pi * row / 12)
            + 0.03 * row
            + random.normal(0, 1, (rows, 2, 4, 5))
        )
    values = np.asarray(values, np.float32)
    time = xr.date_range(start, periods=len(values), freq=freq, calendar=calendar)
    channels = [f"v{number}" for number in range(values.shape[1])]
    fields = xr.DataArray(
        values,
        dims=("sample", "channel", "lat", "lon"),
        coords={
            "time": ("sample", time),
            "row": ("sample", np.arange(len(values))),
            "channel": channels,
            "units": ("channel", ["K"] * len(channels)),
            "long_name": ("channel", [f"field {name}" for name in channels]),
            "lat": np.linspace(-60, 60, values.shape[2]),
            "lon": np.arange(values.shape[3]) * 10.0,
            **coords,
        },
    )
    return fields if chunk is None else fields.chunk({"sample": chunk})


@pytest.fixture
def make() -> Make:
    return make_fields
