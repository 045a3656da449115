"""Real files, against values read with the netCDF4 library and put in order by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from climxai.core.errors import DataError
from climxai.data.grids.describe import describe_grid
from climxai.data.readers import NetcdfReader
from climxai.data.time import calendar_of, iso, months, years
from climxai.data.validity import valid_cells


def raw(path: Path, name: str) -> Any:
    """Read one variable with the netCDF4 library, gaps as NaN."""
    with netCDF4.Dataset(path) as file:
        values = file[name][:]
    return np.ma.filled(values.astype(np.float64), np.nan)


def read(*paths: Path, **settings: Any) -> Any:
    files = [str(path) for path in paths]
    return NetcdfReader.model_validate({"files": files, **settings}).open()


def test_ersst(shared_data: Path) -> None:
    path = shared_data / "sst" / "ersstv5_monthly_2010-2020.nc"
    fields = read(path)
    assert fields.shape == (128, 1, 89, 180)
    assert fields["units"].values.tolist() == ["degC"]
    assert describe_grid(fields["lat"], fields["lon"]) == "89 x 180 cells, 2° x 2°, global"
    assert iso(fields["time"][0]) == "2010-01-01"
    assert iso(fields["time"][-1]) == "2020-08-01"
    expected = raw(path, "sst")[:, ::-1]
    np.testing.assert_array_equal(fields.values[:, 0], expected.astype(np.float32))
    valid = valid_cells(fields)
    np.testing.assert_array_equal(valid[0], np.isfinite(expected).all(axis=0))
    assert 0 < int(valid.sum()) < 89 * 180


def test_ersst_in_a_region_across_the_date_line(shared_data: Path) -> None:
    path = shared_data / "sst" / "ersstv5_monthly_2010-2020.nc"
    fields = read(path, region=[-5, 5, -170, -120], period="2015", months=[11, 12])
    lat, lon = raw(path, "lat"), raw(path, "lon")
    inside = np.ix_(
        np.flatnonzero((lat >= -5) & (lat <= 5))[::-1], np.flatnonzero((lon >= 190) & (lon <= 240))
    )
    assert [iso(time) for time in fields["time"].values] == ["2015-11-01", "2015-12-01"]
    # 2015-11 is month 70 of a record that begins in 2010-01.
    expected = raw(path, "sst")[70:72][:, *inside]
    np.testing.assert_array_equal(fields.values[:, 0], expected.astype(np.float32))
    np.testing.assert_array_equal(fields["lon"], np.arange(-170, -119, 2))
    atlantic = read(path, region=[-5, 5, 330, 20])
    np.testing.assert_array_equal(atlantic["lon"], np.arange(330, 381, 2))
    rows = np.flatnonzero((lat >= -5) & (lat <= 5))[::-1]
    columns = [int(np.flatnonzero(lon == value % 360)[0]) for value in range(330, 381, 2)]
    np.testing.assert_array_equal(
        atlantic.values[0, 0], raw(path, "sst")[0][np.ix_(rows, columns)].astype(np.float32)
    )


def test_pacific_winters(shared_data: Path) -> None:
    path = shared_data / "sst" / "pacific_winter_sst_1963-2012.nc"
    fields = read(path)
    assert fields.shape == (50, 1, 18, 30)
    assert fields["units"].values.tolist() == [""]
    assert int(valid_cells(fields).sum()) == 450
    lat, lon = raw(path, "latitude"), raw(path, "longitude")
    order = np.argsort(lat)
    np.testing.assert_array_equal(fields["lat"], lat[order])
    np.testing.assert_array_equal(fields["lon"], lon)
    np.testing.assert_array_equal(
        fields.values[:, 0], raw(path, "sst")[:, order].astype(np.float32)
    )


@pytest.mark.parametrize("scenario", ["a1b", "e1"])
def test_hadgem_in_a_360_day_calendar(shared_data: Path, scenario: str) -> None:
    path = shared_data / "cmip" / f"hadgem_{scenario}_north_america.nc"
    fields = read(path)
    assert fields.shape == (240, 1, 37, 49)
    assert fields["channel"].values.tolist() == ["air_temperature"]
    assert calendar_of(fields["time"]) == fields.attrs["calendar"] == "360_day"
    np.testing.assert_array_equal(years(fields["time"]), np.arange(1860, 2100))
    assert not {"height", "forecast_period", "forecast_reference_time"} & set(fields.coords)
    np.testing.assert_array_equal(fields["lon"], raw(path, "longitude"))
    order = np.argsort(raw(path, "latitude"))
    np.testing.assert_array_equal(
        fields.values[:, 0], raw(path, "air_temperature")[:, order].astype(np.float32)
    )


def test_two_scenarios_are_not_one_record(shared_data: Path) -> None:
    with pytest.raises(DataError, match="overlap in time: both hold 1860-06-01"):
        read(*sorted((shared_data / "cmip").glob("hadgem_*.nc")))


def test_hadgem2_from_historical_into_the_future(shared_data: Path) -> None:
    paths = sorted((shared_data / "cmip").glob("tas_Amon_HadGEM2-ES_*.nc"))
    assert len(paths) == 10
    fields = read(*paths[::-1])
    count = fields.sizes["sample"]
    assert (iso(fields["time"][0]), iso(fields["time"][-1])) == ("1859-12-16", "2099-12-16")
    # Every month once, with no gap at the experiments' boundary or anywhere else.
    np.testing.assert_array_equal(
        12 * years(fields["time"]) + months(fields["time"]) - 1,
        12 * 1859 + 11 + np.arange(count),
    )
    expected = np.concatenate([raw(path, "tas") for path in paths])
    np.testing.assert_array_equal(fields.values[:, 0], expected.astype(np.float32))
    boundary = read(*paths, period="2005-11/2005-12")
    assert [iso(time) for time in boundary["time"].values] == ["2005-11-16", "2005-12-16"]
    np.testing.assert_array_equal(boundary.values[0, 0], raw(paths[5], "tas")[-1].astype("f4"))
    np.testing.assert_array_equal(boundary.values[1, 0], raw(paths[6], "tas")[0].astype("f4"))
    assert sum(len(raw(path, "tas")) for path in paths) == count == 2881


def test_ccsm4_without_leap_days(shared_data: Path) -> None:
    (path,) = (shared_data / "cmip").glob("tas_Amon_CCSM4_*.nc")
    fields = read(path)
    assert fields.shape == (1872, 1, 2, 3)
    assert fields.attrs["calendar"] == "noleap"
    assert (iso(fields["time"][0]), iso(fields["time"][-1])) == ("1850-01-16", "2005-12-16")
    lat = raw(path, "lat")
    np.testing.assert_array_equal(
        fields.values[:, 0], raw(path, "tas")[:, np.argsort(lat)].astype(np.float32)
    )


def test_fgoals(shared_data: Path) -> None:
    (path,) = (shared_data / "cmip").glob("tas_Amon_FGOALS-g3_*.nc")
    fields = read(path)
    lat = raw(path, "lat")
    np.testing.assert_array_equal(fields["lat"], np.sort(lat))
    np.testing.assert_array_equal(
        fields.values[:, 0], raw(path, "tas")[:, np.argsort(lat)].astype(np.float32)
    )


def test_models_on_different_grids(shared_data: Path) -> None:
    cmip = shared_data / "cmip"
    paths = [*cmip.glob("tas_Amon_CCSM4_*.nc"), *cmip.glob("tas_Amon_FGOALS-g3_*.nc")]
    with pytest.raises(DataError, match=r"are on different grids: 2 latitudes .* against 80"):
        read(*paths)


@pytest.mark.parametrize(
    ("pattern", "dims"),
    [
        ("cmip/tos_Omon_CESM2-FV2_*.nc", "nlat, nlon"),
        ("cmip/tos_Omon_MPI-ESM-1-2-HAM_*.nc", "j, i"),
        ("cmip/tos_Omon_MPI-ESM1-2-LR_*.nc", "j, i"),
        ("ocean/nemo_1m_*.nc", "y, x"),
    ],
)
def test_curvilinear_grids_are_refused(shared_data: Path, pattern: str, dims: str) -> None:
    paths = sorted(shared_data.glob(pattern))
    with pytest.raises(DataError, match=f"the dimensions {dims}") as caught:
        read(*paths)
    message = str(caught.value)
    assert message.startswith(f"{paths[0]}: 'tos' lies on a curvilinear grid")
    assert "regridding to a rectilinear grid first" in message
