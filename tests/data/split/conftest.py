"""Fields with nothing in them but their times and members."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import xarray as xr

Make = Callable[..., xr.DataArray]


def make_fields(
    rows: int = 48,
    *,
    start: str = "2010-01-01",
    freq: str = "MS",
    calendar: str = "standard",
    members: Sequence[str] = (),
) -> xr.DataArray:
    """Fields of one cell; with members, each has all times, one member after another."""
    time = np.asarray(xr.date_range(start, periods=rows, freq=freq, calendar=calendar))
    copies = max(len(members), 1)
    coords = {"time": ("sample", np.tile(time, copies))}
    if members:
        coords["member"] = ("sample", np.repeat(list(members), rows))
    shape = (rows * copies, 1, 1, 1)
    values = np.zeros(shape, np.float32)
    return xr.DataArray(values, dims=("sample", "channel", "lat", "lon"), coords=coords)


@pytest.fixture
def make() -> Make:
    return make_fields
