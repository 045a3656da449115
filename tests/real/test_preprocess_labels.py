"""Preprocessing, labels and splits on ERSSTv5 2010-2020.

The counts were measured with an independent prototype on the same file: Niño3.4 beyond ±0.5 with
climatology and linear trend of the whole record, of 2010-2016, and without the trend.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import xarray as xr

from climxai.data.labels import BoxIndex
from climxai.data.preprocess import Anomaly, Detrend, Step
from climxai.data.preprocess.chain import Preprocessing
from climxai.data.readers.netcdf import NetcdfReader
from climxai.data.split import ByDate

LABEL = BoxIndex(region="nino34", classes={"la_nina": {"below": -0.5}, "el_nino": {"above": 0.5}})
SPLIT = ByDate(train="2010-2016", test="2017-2020")


@pytest.fixture(scope="module")
def path(shared_data: Path) -> Path:
    path = shared_data / "sst" / "ersstv5_monthly_2010-2020.nc"
    if not path.is_file():
        pytest.skip("ERSSTv5 is not among the real data files")
    return path


@pytest.fixture(scope="module")
def fields(path: Path) -> xr.DataArray:
    return NetcdfReader(files=str(path)).open().load().chunk({"sample": 32})


def labelled(fields: xr.DataArray, *steps: Step):
    split = SPLIT.split(fields)
    fitted = Preprocessing.fit(steps, fields, split.train)
    made = LABEL.label(fitted.apply(fields, physical_only=True))

    def count(rows: np.ndarray) -> tuple[int, int, int]:
        numbers = made.numbers[rows]
        return tuple(int((numbers == number).sum()) for number in (0, 1, -1))  # type: ignore[return-value]

    return fitted, made, count, split


def test_counts_with_climatology_and_trend_of_the_whole_record(fields: xr.DataArray) -> None:
    fitted, _, count, split = labelled(fields, Anomaly(fit="all"), Detrend(fit="all"))
    assert count(np.arange(128)) == (35, 25, 68)
    assert count(split.test)[:2] == (14, 3)
    assert fitted.warnings(fields) == ()


def test_a_trend_of_the_training_years_leaves_no_el_nino(fields: xr.DataArray) -> None:
    fitted, _, count, split = labelled(fields, Anomaly(), Detrend())
    assert count(split.test)[:2] == (41, 0)
    (said,) = fitted.warnings(fields)
    assert "fitted on 2010-01 to 2016-12 and is applied to 2017-01 to 2020-08, 3.7 years" in said


def test_without_trend(fields: xr.DataArray) -> None:
    fitted, _, count, split = labelled(fields, Anomaly())
    assert sum(count(split.train)[:2]) == 48
    assert count(split.test)[:2] == (7, 11)
    assert fitted.warnings(fields) == ()


def test_index_equals_plain_xarray(path: Path, fields: xr.DataArray) -> None:
    """The same index from the file by xarray's groupby and scipy's detrend, in float64."""
    with xr.open_dataset(path) as opened:
        sst = opened["sst"].load().astype(float)
    box = sst.where((abs(sst.lat) <= 5) & (sst.lon >= 190) & (sst.lon <= 240), drop=True)
    anomaly = box.groupby("time.month") - box.groupby("time.month").mean()
    index = anomaly.weighted(np.cos(np.deg2rad(anomaly.lat))).mean(("lat", "lon"))
    _, made, _, _ = labelled(fields, Anomaly(fit="all"), Detrend(fit="all"))
    assert made.index is not None
    np.testing.assert_allclose(made.index.values, scipy.signal.detrend(index.values), atol=2e-6)


def test_anomalies_of_kelvin_records_in_a_360_day_calendar(shared_data: Path) -> None:
    """HadGEM: the mean anomaly of the base period is zero in every cell."""
    path = shared_data / "cmip" / "hadgem_a1b_north_america.nc"
    if not path.is_file():
        pytest.skip("HadGEM A1B is not among the real data files")
    fields = NetcdfReader(files=str(path)).open()
    steps = (Anomaly(by="all", fit="1860-1999"), Detrend(order=3, fit="all"))
    fitted = Preprocessing.fit(steps, fields, np.arange(140))
    anomalies = steps[0].apply(fields, fitted.fitted[0])
    assert fields.attrs["calendar"] == "360_day"
    assert np.abs(anomalies.values[:140].astype(float).mean(axis=0)).max() < 1e-4
    year = np.arange(240) - 120.0
    cell = anomalies.values[:, 0, 10, 10].astype(float)
    expected = cell - np.polyval(np.polyfit(year, cell, 3), year)
    np.testing.assert_allclose(fitted.apply(fields).values[:, 0, 10, 10], expected, atol=1e-4)
