"""Training rows as methods see them, against numpy on the same arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import xarray as xr

from climxai.bridge import training_rows
from climxai.bridge.training_rows import TrainingRows
from climxai.core.errors import DataError
from climxai.core.period import Period
from climxai.data.sampleset import SampleSet

SHAPE = (2, 4, 5)


@pytest.fixture
def arrays():
    draws = np.random.default_rng(0)
    inputs = draws.normal(size=(24, *SHAPE)).astype(np.float32)
    labels = draws.integers(0, 2, 24)
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, 1, 2] = False
    inputs[:, ~valid] = np.nan
    return inputs, labels, valid


@pytest.fixture
def rows(arrays):
    inputs, labels, valid = arrays
    grid = {"lat": np.arange(4.0), "lon": np.arange(5.0) * 10, "channel": ["t", "s"]}
    times = np.datetime64("2000-01-15") + np.arange(24) * np.timedelta64(30, "D")
    dims = ("sample", "channel", "lat", "lon")
    samples = xr.DataArray(
        inputs, dims=dims, coords={**grid, "time": ("sample", times.astype("datetime64[ns]"))}
    ).chunk({"sample": 7})
    return TrainingRows(
        SampleSet(
            samples,
            xr.DataArray(labels, dims="sample"),
            xr.DataArray(valid, dims=dims[1:], coords=grid),
            ("cold", "warm", "never"),
        )
    )


def filled(arrays):
    return np.nan_to_num(arrays[0].astype(np.float64))


def test_bounds_and_means(rows, arrays, monkeypatch):
    monkeypatch.setattr(training_rows, "BLOCK_BYTES", 5 * 40 * 4)  # five samples at a time
    x, (_, labels, _) = filled(arrays), arrays
    low, high = rows.bounds()
    np.testing.assert_array_equal(low, x.min(0).astype(np.float32))
    np.testing.assert_array_equal(high, x.max(0).astype(np.float32))
    np.testing.assert_allclose(rows.mean(), x.mean(0), rtol=1e-6)
    np.testing.assert_allclose(rows.mean("warm"), x[labels == 1].mean(0), rtol=1e-6)
    # 30 days apart from 15 January 2000: the thirteenth sample is of 9 January 2001.
    later = rows.mean(period=Period(start="2001"))
    np.testing.assert_allclose(later, x[12:].mean(0), rtol=1e-6)
    assert sum(len(block) for block, _ in rows.blocks()) == 24
    assert len(list(rows.blocks())) == 5


def test_a_mean_of_nothing_is_refused_before_reading(rows):
    for asked, found in (
        ({"class_name": "hot"}, "no class 'hot'"),
        ({"class_name": "never"}, "class 'never'"),
        ({"period": Period(start="1990", end="1995")}, "1990 to 1995"),
    ):
        for call in (rows.check, rows.mean):
            with pytest.raises(DataError, match=found):
                call(**asked)
    rows.check("warm", Period(start="2000"))


def test_draws_take_every_row_once_before_any_twice(rows, arrays):
    drawn = rows.draw(60, seed=3).numpy()
    x = filled(arrays).astype(np.float32)
    number = [int(np.flatnonzero((x == each).all((1, 2, 3)))[0]) for each in drawn]
    assert sorted(number[:24]) == list(range(24))
    assert sorted(number[24:48]) == list(range(24))
    assert number[:24] != number[24:48]
    assert torch.equal(rows.draw(60, seed=3), torch.from_numpy(drawn))
    assert not torch.equal(rows.draw(60, seed=4), torch.from_numpy(drawn))


def test_a_map_from_a_file(rows, arrays, tmp_path):
    x = filled(arrays)[0].astype(np.float32)
    path = tmp_path / "map.nc"
    held = xr.Dataset(
        {name: (("lat", "lon"), x[i, ::-1]) for i, name in enumerate(("t", "s"))},
        coords={"lat": np.arange(4.0)[::-1], "lon": np.arange(5.0) * 10},
    )
    held.to_netcdf(path)
    np.testing.assert_array_equal(rows.from_file(str(path)), x)  # north first, put right
    held.drop_vars("s").to_netcdf(tmp_path / "one.nc")
    with pytest.raises(DataError, match="expected one named 's'"):
        rows.from_file(str(tmp_path / "one.nc"))
    held.assign_coords(lon=np.arange(5.0)).to_netcdf(tmp_path / "grid.nc")
    with pytest.raises(DataError, match="lon of variable 't' differs"):
        rows.from_file(str(tmp_path / "grid.nc"))
    held.where(held["lat"] > 0).to_netcdf(tmp_path / "gaps.nc")
    with pytest.raises(DataError, match="holds no value on some cells"):
        rows.from_file(str(tmp_path / "gaps.nc"))
    (tmp_path / "text.nc").write_text("no netCDF")
    with pytest.raises(DataError, match="cannot be read"):
        rows.from_file(str(tmp_path / "text.nc"))
