"""The synthetic record: reproducible, plausible, CF-compliant, and with a truth to be found."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from climxai.core.errors import DataError, OutputError
from climxai.core.geography import land_mask
from climxai.data.sample import SyntheticSst
from climxai.data.sample.enso import MEANINGS

PACKAGED = Path(__file__).resolve().parents[3] / "data_samples" / "synthetic_sst_5deg_60yr.nc"
NEUTRAL, EAST, CENTRAL, COLD = range(4)


@pytest.fixture(scope="module")
def record() -> xr.Dataset:
    return SyntheticSst().generate()


@pytest.fixture(scope="module")
def anomalies(record) -> xr.DataArray:
    """Departures from the calendar month's mean and from each cell's straight line."""
    sst = record["sst"].astype(float)
    departures = sst.groupby("time.month") - sst.groupby("time.month").mean()
    flat = departures.values.reshape(sst.sizes["time"], -1)
    months = np.arange(len(flat))
    slope, start = np.polyfit(months, np.nan_to_num(flat), 1)
    return departures.copy(data=(flat - np.outer(months, slope) - start).reshape(departures.shape))


@pytest.fixture(scope="module")
def nino34(anomalies) -> np.ndarray:
    box = anomalies.sel(lat=slice(-5, 5), lon=slice(190, 240))
    return box.weighted(np.cos(np.deg2rad(box.lat))).mean(("lat", "lon")).values


def test_the_packaged_file_is_what_the_default_seed_gives(record):
    assert PACKAGED.stat().st_size <= 3_000_000
    with xr.open_dataset(PACKAGED) as packaged:
        # One packing step: sine and exponential may differ in the last bit between machines.
        np.testing.assert_allclose(packaged["sst"], record["sst"], atol=0.0101)
        assert (np.abs(packaged["sst"] - record["sst"]) > 1e-4).mean() < 1e-3
        for name in ("event_type", "time", "lat", "lon", "time_bnds", "lat_bnds", "lon_bnds"):
            np.testing.assert_array_equal(packaged[name], record[name])
        assert packaged.attrs["settings"] == SyntheticSst().canonical()


def test_same_seed_same_bits_other_seed_other_record(record):
    short = {"years": 3, "resolution": 10}
    first, second, other = (SyntheticSst(seed=s, **short).generate() for s in (5, 5, 6))
    xr.testing.assert_identical(first, second)
    assert not first["sst"].equals(other["sst"])


@pytest.mark.parametrize(
    "change", [{"years": 4}, {"first_year": 1900}, {"resolution": 9}, {"warming": 1.0}, {"seed": 1}]
)
def test_every_setting_changes_the_record(change):
    start = {"years": 3, "resolution": 10}
    record, changed = (SyntheticSst(**(start | c)).generate() for c in ({}, change))
    assert not record.drop_attrs().equals(changed.drop_attrs())


def test_written_file_is_packed_and_says_what_it_is():
    with xr.open_dataset(PACKAGED, decode_cf=False) as raw:
        assert raw["sst"].dtype == np.int16
        assert raw["sst"].attrs["scale_factor"] == 0.01
        assert raw["sst"].attrs["_FillValue"] == -32768
        assert raw["sst"].attrs["standard_name"] == "sea_surface_temperature"
        assert raw["sst"].attrs["units"] == "degC"
        assert raw["time"].attrs["bounds"] == "time_bnds"
        assert raw["time"].attrs["calendar"] == "standard"
        assert raw["event_type"].dtype == np.int8
        assert raw["event_type"].attrs["flag_meanings"] == " ".join(MEANINGS)
        np.testing.assert_array_equal(raw["event_type"].attrs["flag_values"], [0, 1, 2, 3])
        assert raw.attrs["Conventions"].startswith("CF-1")
        assert raw.attrs["source"].startswith("SYNTHETIC")
        assert json.loads(raw.attrs["settings"])["seed"] == 0
        for bounds in ("time_bnds", "lat_bnds", "lon_bnds"):
            assert "_FillValue" not in raw[bounds].attrs


def test_time_is_the_middle_of_whole_months(record):
    assert record.sizes["time"] == 720
    lower, upper = record["time_bnds"].values.T
    np.testing.assert_array_equal(upper[:-1], lower[1:])
    np.testing.assert_array_equal(record["time"].values - lower, upper - record["time"].values)
    assert str(lower[0])[:10] == "1960-01-01"
    assert str(upper[-1])[:10] == "2020-01-01"


def test_land_is_missing_always_and_sea_never(record):
    missing = record["sst"].isnull()
    assert (missing.all("time") == missing.any("time")).all()
    # The mask counts area, `land_mask` cell centres: they differ along some shores only.
    centres = land_mask(record["lat"], record["lon"])
    assert (missing[0].values == centres).mean() > 0.95
    area = np.cos(np.deg2rad(record["lat"])) * xr.ones_like(record["lon"])
    assert float(area.where(missing[0]).sum() / area.sum()) == pytest.approx(0.29, abs=0.02)


def test_mean_state_looks_like_the_ocean(record):
    mean = record["sst"].mean("time")
    assert float(mean.min()) >= -1.8
    assert 28 < float(mean.max()) < 31
    warm_pool = mean.sel(lat=2.5, lon=152.5)
    cold_tongue = mean.sel(lat=-2.5, lon=262.5)
    assert 3 < float(warm_pool - cold_tongue) < 7
    # Observed zonal means (e.g. ERSSTv5 1991-2020): about 14 to 16 °C at 40°N, below 3 at 65°S.
    assert 11 < float(mean.sel(lat=42.5).mean()) < 17
    assert float(mean.sel(lat=-67.5).mean()) < 3


def test_annual_cycle_is_opposite_in_the_hemispheres(record):
    months = record["sst"].groupby("time.month").mean()
    north = months.sel(lat=slice(30, 50)).mean(("lat", "lon"))
    south = months.sel(lat=slice(-50, -30)).mean(("lat", "lon"))
    assert int(north.idxmax()) in (8, 9)
    assert int(south.idxmax()) in (2, 3)
    assert 5 < float(north.max() - north.min()) < 14
    assert 2 < float(south.max() - south.min()) < 8
    tongue = months.sel(lat=-2.5, lon=267.5)
    assert int(tongue.idxmax()) in (3, 4)  # the equatorial east Pacific is warmest in boreal spring


def test_warming_is_what_was_asked_for():
    # The same seed with and without warming differs by the trend and by rounding alone, except
    # where the sea is at its freezing point.
    still, warm = (SyntheticSst(years=20, warming=w).generate()["sst"] for w in (0.0, 0.5))
    area = np.cos(np.deg2rad(still["lat"]))
    change = (warm - still).sel(lat=slice(-60, 60)).weighted(area).mean(("lat", "lon"))
    per_decade = np.polyfit(np.arange(240), change.values, 1)[0] * 120
    assert per_decade == pytest.approx(0.5, rel=0.1)
    local = (warm - still)[-1] - (warm - still)[0]
    assert float(local.std()) > 0.1  # not everywhere alike


def test_nino34_is_plausible(nino34):
    # Observed (ERSSTv5, 1960-2019, detrended): 0.85 °C and 0.95; ±0.5 each about 0.25 to 0.3.
    assert 0.7 <= nino34.std() <= 1.2
    assert 0.85 <= np.corrcoef(nino34[1:], nino34[:-1])[0, 1] <= 0.97
    assert 0.2 <= (nino34 > 0.5).mean() <= 0.35
    assert 0.2 <= (nino34 < -0.5).mean() <= 0.35
    assert 2 < nino34.max() < 3.2
    by_month = np.array([nino34[month::12].std() for month in range(12)])
    assert by_month.argmax() in (10, 11, 0)  # locked to the seasons: strongest in winter
    assert by_month.argmin() in (3, 4, 5, 6)
    assert by_month.max() / by_month.min() > 1.5


def test_events_show_in_the_index_of_every_kind(record, nino34):
    kinds = record["event_type"].values
    assert set(kinds) == {0, 1, 2, 3}
    for kind, sign in ((EAST, 1), (CENTRAL, 1), (COLD, -1)):
        of_kind = sign * nino34[kinds == kind]
        assert of_kind.mean() > 0.8
        assert (of_kind > 0.5).mean() > 0.75
    assert np.abs(nino34[kinds == NEUTRAL].mean()) < 0.25


def test_east_pacific_events_lie_east_of_central_ones(record, anomalies):
    kinds = record["event_type"].values
    tropics = anomalies.sel(lat=slice(-10, 10), lon=slice(140, 280))
    centre = {}
    for kind in (EAST, CENTRAL):
        mean = tropics[kinds == kind].mean("time")
        mean = mean.where(mean > 0, 0)
        centre[kind] = float((mean * mean["lon"]).sum() / mean.sum())
    assert 235 < centre[EAST] < 265
    assert 180 < centre[CENTRAL] < 210


def test_the_two_kinds_can_be_told_apart(record, anomalies, nino34):
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    kinds = record["event_type"].values
    chosen = (nino34 > 0.5) & np.isin(kinds, (EAST, CENTRAL))
    maps = anomalies.sel(lat=slice(-20, 20), lon=slice(130, 290)).values[chosen]
    maps = maps.reshape(len(maps), -1)
    maps = maps[:, np.isfinite(maps).all(axis=0)]
    maps /= np.abs(maps).max(axis=1, keepdims=True)
    found = KMeans(2, n_init=10, random_state=0).fit_predict(maps)
    assert adjusted_rand_score(kinds[chosen], found) > 0.9


def test_noise_is_red_in_space_and_time(record, anomalies):
    # Far from the tropical Pacific: the Indian Ocean's south and the North Atlantic.
    quiet = anomalies.sel(lat=slice(-45, -25), lon=slice(60, 100))
    assert 0.2 < float(quiet.std()) < 0.8
    assert 0.6 < float(xr.corr(quiet[1:].drop_vars("time"), quiet[:-1].drop_vars("time"))) < 0.95
    near, far = quiet.sel(lon=62.5), quiet.sel(lon=97.5)
    beside = quiet.sel(lon=67.5)
    assert float(xr.corr(near, beside)) > 0.6
    assert abs(float(xr.corr(near, far))) < 0.4


def test_a_cell_size_that_does_not_fit_is_refused():
    with pytest.raises(DataError, match="does not divide 180"):
        SyntheticSst(resolution=7).generate()


def test_written_whole_or_not_at_all(tmp_path):
    path = SyntheticSst(years=1, resolution=20).write(tmp_path / "sample.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["sample.nc"]
    with xr.open_dataset(path) as record:
        assert record["sst"].shape == (12, 9, 18)
    with pytest.raises(OutputError, match="file stands where a directory"):
        SyntheticSst(years=1, resolution=20).write(path / "inside.nc")


def test_settings_load_nothing_heavy():
    code = (
        "import sys, climxai.data.sample; print(sorted({'xarray', 'shapely'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_record_beyond_the_clock_is_refused():
    with pytest.raises(ValidationError, match="would end after 2262"):
        SyntheticSst(first_year=2200, years=63)
