"""Loops over every cell are the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from climxai.core.errors import DataError
from climxai.data.readers import NetcdfReader
from climxai.data.validity import valid_cells


def make_fields(values: Any, chunk: int | None = 3) -> xr.DataArray:
    data = np.asarray(values, np.float32)
    times = np.datetime64("2001-01-01") + 31 * np.arange(data.shape[0])
    return xr.DataArray(
        data if chunk is None else da.from_array(data, chunks=(chunk, -1, -1, -1)),
        dims=("sample", "channel", "lat", "lon"),
        coords={
            "time": ("sample", times),
            "row": ("sample", np.arange(data.shape[0])),
            "channel": [f"c{number}" for number in range(data.shape[1])],
            "lat": np.arange(data.shape[2], dtype=float),
            "lon": np.arange(data.shape[3], dtype=float),
        },
        attrs={"source": "a.nc"},
    )


def random_fields() -> Any:
    random = np.random.default_rng(0)
    values = random.normal(size=(11, 2, 3, 4))
    values[random.random(values.shape) < 0.1] = np.nan
    values[:, 0, 0, 0] = np.nan
    values[:, 1, 2, 3] = 1
    values[:, 0, 1, 1] = 1
    values[4, 0, 2, 2] = np.inf
    return values


@pytest.mark.parametrize("chunk", [None, 1, 3, 11])
@pytest.mark.parametrize("rule", ["always", "ever"])
def test_valid_cells(rule: Any, chunk: int | None) -> None:
    values = random_fields()
    valid = valid_cells(make_fields(values, chunk), rule)
    assert valid.dims == ("channel", "lat", "lon")
    assert valid.dtype == bool
    for place in np.ndindex(values.shape[1:]):
        finite = [bool(np.isfinite(values[(sample, *place)])) for sample in range(11)]
        assert bool(valid.values[place]) == (all(finite) if rule == "always" else any(finite))
    assert set(valid.coords) == {"channel", "lat", "lon"}


def test_always_is_the_rule_unless_asked() -> None:
    fields = make_fields(random_fields())
    xr.testing.assert_identical(valid_cells(fields), valid_cells(fields, "always"))


def test_nothing_valid_says_why() -> None:
    values = np.ones((5, 2, 2, 2))
    values[:, 1] = np.nan
    for rule in ("always", "ever"):
        with pytest.raises(
            DataError, match=r"^a\.nc: 'c1' holds nothing but missing values in all 5"
        ):
            valid_cells(make_fields(values), rule)
    values[:, 1] = 1
    values[3:, 1] = np.nan
    with pytest.raises(DataError, match=r"2 of them hold no data at all, the first at 2001-04-04;"):
        valid_cells(make_fields(values))
    assert valid_cells(make_fields(values), "ever").all()
    values[:, 1] = 1
    values[0, 1, 0], values[1, 1, 1] = np.nan, np.nan
    with pytest.raises(DataError, match=r"valid in every one of its 5 samples; choose another"):
        valid_cells(make_fields(values))


def test_no_sample() -> None:
    with pytest.raises(DataError, match="there is no sample"):
        valid_cells(make_fields(np.ones((5, 1, 2, 2))).isel(sample=slice(0)))


def test_an_all_nan_file_is_named(tiny_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "empty.nc"
    with xr.open_dataset(tiny_file) as world:
        world.where(False).to_netcdf(path)
    fields = NetcdfReader(files=str(path)).open()
    with pytest.raises(DataError, match="nothing but missing values") as caught:
        valid_cells(fields)
    assert str(path) in str(caught.value)


def test_land_of_the_tiny_world(tiny_file: Path) -> None:
    valid = valid_cells(NetcdfReader(files=str(tiny_file)).open())
    expected = np.ones((1, 6, 8), bool)
    expected[0, :2, :2] = False
    np.testing.assert_array_equal(valid, expected)


def test_blocks_are_reduced_as_they_come() -> None:
    # Blocks count themselves in memory: never more than the workers and a few of the reduction.
    import threading
    import weakref

    alive, most, lock = [0], [0], threading.Lock()

    def gone() -> None:
        with lock:
            alive[0] -= 1

    def block(block_info: Any = None) -> Any:
        array = np.ones((1, 1, 50, 50), np.float32)
        with lock:
            alive[0] += 1
            most[0] = max(most[0], alive[0])
        weakref.finalize(array, gone)
        return array

    data = da.map_blocks(
        block,
        chunks=((1,) * 200, (1,), (50,), (50,)),
        dtype=np.float32,
        meta=np.empty((0,) * 4, "f4"),
    )
    fields = xr.DataArray(data, dims=("sample", "channel", "lat", "lon"), coords={"channel": ["c"]})
    import dask

    with dask.config.set(scheduler="threads", num_workers=2):
        assert valid_cells(fields).all()
    assert 0 < most[0] <= 10
