"""What is read equals what was written: 1000 t + lat + lon/1000 at every time and place."""

from __future__ import annotations

import datetime
import gc
import pickle
from pathlib import Path
from typing import Any

import cftime
import dask
import netCDF4
import numpy as np
import pytest

from climxai.data.readers import READERS, NetcdfReader
from tests.data.readers.conftest import LAT, LON, Writer, read, values_at

TIMES = np.array([0, 31, 59, 90])


def check(fields: Any, times: Any = TIMES) -> None:
    """Compare with the formula, at the coordinates the fields give themselves."""
    expected = values_at(times, fields["lat"].values, fields["lon"].values)
    np.testing.assert_allclose(fields.values[:, 0], expected, rtol=1e-6, atol=1e-3)


def test_plain_file(write: Writer) -> None:
    fields = read(write())
    check(fields)
    np.testing.assert_array_equal(fields["lat"], LAT)
    np.testing.assert_array_equal(fields["lon"], LON)
    days = [str(day)[:10] for day in fields["time"].values]
    assert days == ["2001-01-01", "2001-02-01", "2001-03-01", "2001-04-01"]
    assert fields["channel"].values.tolist() == ["sst"]
    assert fields["units"].values.tolist() == ["degC"]
    assert fields["long_name"].values.tolist() == ["sst"]


def test_latitude_from_north_to_south(write: Writer) -> None:
    check(read(write(lat=LAT[::-1])))


@pytest.mark.parametrize(
    "lon",
    [
        np.arange(-180.0, 180, 45),
        np.arange(180.0, -180, -45),
        np.arange(20.0, 380, 45),
        np.concatenate([np.arange(0.0, 181, 45), np.arange(-135.0, 0, 45)]),
        np.arange(0.0, 361, 45),
        np.arange(-180.0, 181, 45),
    ],
    ids=["-180..180", "descending", "20..380", "jump", "0 and 360", "-180 and 180"],
)
def test_longitudes_come_out_once_from_0_to_360(write: Writer, lon: Any) -> None:
    fields = read(write(lon=lon))
    expected = np.arange(0.0, 360, 45) + (20 if lon[0] == 20 else 0)
    np.testing.assert_array_equal(fields["lon"], expected)
    check(fields)


def test_a_limited_grid_across_greenwich_stays_in_one_piece(write: Writer) -> None:
    fields = read(write(lon=[340, 350, 0, 10, 20]))
    assert fields["lon"].values.tolist() == [-20, -10, 0, 10, 20]
    check(fields)


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ([-90, 90, 135, -135], [135, 180, 225]),
        ([-90, 90, -90, 90], [-90, -45, 0, 45, 90]),
        ([-90, 90, 315, 45], [315, 360, 405]),
        ([-90, 90, -180, 180], list(range(-180, 180, 45))),
        ([-90, 90, 40, 140], [45, 90, 135]),
    ],
)
@pytest.mark.parametrize("lon", [LON, np.arange(-180.0, 180, 45), LON[::-1]])
def test_a_region_begins_at_its_western_edge(
    write: Writer, lon: Any, region: list[float], expected: list[float]
) -> None:
    fields = read(write(lon=lon), region=region)
    assert fields["lon"].values.tolist() == expected
    check(fields)


def test_a_region_holds_its_edges(write: Writer) -> None:
    fields = read(write(), region=[-20, 20, 0, 360])
    assert fields["lat"].values.tolist() == [-20, 20]
    check(fields)


@pytest.mark.parametrize("dims", [("lat", "lon", "time"), ("lon", "time", "lat")])
def test_any_order_of_dimensions(write: Writer, dims: tuple[str, ...]) -> None:
    check(read(write(dims=dims, lat=LAT[::-1])))


@pytest.mark.parametrize(
    "names",
    [("t", "nav_lat", "nav_lon"), ("time_counter", "y", "x"), ("Time", "Latitude", "LONGITUDE")],
)
def test_usual_names_without_attributes(write: Writer, names: tuple[str, str, str]) -> None:
    check(read(write(names=names, cf=False)))


def test_named_coordinates(write: Writer) -> None:
    names = {"time": "when", "lat": "phi", "lon": "lambda"}
    path = write(names=tuple(names.values()), cf=False)
    check(read(path, coordinates=names))


def test_cf_attributes_win_over_usual_names(write: Writer) -> None:
    # Dimensions are called the wrong way round, the attributes say which is which.
    def swap(file: netCDF4.Dataset) -> None:
        file["lat"].setncatts({"standard_name": "longitude", "units": "degrees_east"})
        file["lon"].setncatts({"standard_name": "latitude", "units": "degrees_north"})

    data = np.swapaxes(values_at(TIMES, LAT, LON), 1, 2)
    fields = read(write(lat=LON, lon=LAT, data=data, change=swap))
    np.testing.assert_array_equal(fields["lat"], LAT)
    check(fields)


def test_packed_data_are_unpacked(write: Writer) -> None:
    data = np.array([0.0, 0.5, 1.25, -3.0])[:, None, None] + np.zeros((4, LAT.size, LON.size))
    data[0, 0, 0] = np.nan

    def pack(file: netCDF4.Dataset) -> None:
        raw = file.createVariable("packed", "i2", ("time", "lat", "lon"), fill_value=-32768)
        raw.setncatts({"scale_factor": np.float32(0.01), "add_offset": np.float32(10)})
        raw.set_auto_maskandscale(False)
        raw[:] = np.where(np.isnan(data), -32768, np.round((data - 10) / 0.01)).astype("i2")

    fields = read(write(change=pack), variables="packed")
    np.testing.assert_allclose(fields.values[:, 0], data, atol=1e-5)


@pytest.mark.parametrize("gap", [9.96921e36, -9.96921e36, np.inf, np.nan, 1e31])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_fill_values_nobody_declared_are_missing(write: Writer, gap: float, dtype: str) -> None:
    data = values_at(TIMES, LAT, LON)
    data[1, 2, 3] = gap
    fields = read(write(data=data, dtype=dtype, fill=False))
    expected = np.zeros(data.shape, bool)
    expected[1, 2, 3] = True
    np.testing.assert_array_equal(np.isnan(fields.values[:, 0]), expected)


def test_doubles_beyond_single_precision_are_missing(write: Writer) -> None:
    data = values_at(TIMES, LAT, LON)
    data[0, 0, 0] = 1e300
    assert np.isnan(read(write(data=data, dtype="f8")).values).sum() == 1


def test_declared_and_contradicting_fill_values_are_missing(write: Writer) -> None:
    data = values_at(TIMES, LAT, LON)
    data[0, 0, 0], data[1, 0, 0] = -999, -9999
    path = write(data=data, fill=np.float32(-999), attributes={"missing_value": np.float32(-9999)})
    assert np.isnan(read(path).values).sum() == 2


def test_integers_become_float32(write: Writer) -> None:
    data = np.arange(4)[:, None, None] + np.zeros((4, LAT.size, LON.size))
    fields = read(write(data=data, dtype="i4"))
    assert fields.values[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("calendar", "days", "last"),
    [
        ("360_day", 719, (2002, 12, 30)),
        ("noleap", 729, (2002, 12, 31)),
        ("365_day", 729, (2002, 12, 31)),
        ("all_leap", 731, (2002, 12, 31)),
        ("julian", 729, (2002, 12, 31)),
    ],
)
def test_calendars_of_models(
    write: Writer, calendar: str, days: int, last: tuple[int, int, int]
) -> None:
    fields = read(write(times=[0, days], calendar=calendar))
    time = fields["time"].values[-1]
    assert isinstance(time, cftime.datetime)
    assert (time.year, time.month, time.day) == last


@pytest.mark.parametrize("calendar", ["standard", "gregorian", "proleptic_gregorian", None])
def test_standard_calendars_are_datetime64(write: Writer, calendar: str | None) -> None:
    fields = read(write(calendar=calendar, time_units="hours since 1850-01-01 12:00"))
    assert fields["time"].dtype.kind == "M"
    assert str(fields["time"].values[1])[:16] == "1850-01-02T19:00"


def test_years_before_the_gregorian_reform(write: Writer) -> None:
    # 1582-10-04 is followed by 1582-10-15 in the standard calendar.
    early = write("early.nc", times=[0, 1], time_units="days since 1582-10-04")
    late = write("late.nc", times=[0, 1], time_units="days since 1900-01-01")
    fields = read([late, early])
    dates = [(t.year, t.month, t.day) for t in fields["time"].values]
    assert dates == [(1582, 10, 4), (1582, 10, 15), (1900, 1, 1), (1900, 1, 2)]


def test_a_very_long_record_keeps_its_dates(write: Writer) -> None:
    fields = read(write(times=[0, 400000], time_units="days since 1600-01-01"))
    last = datetime.date(1600, 1, 1) + datetime.timedelta(days=400000)
    assert [str(t)[:10] for t in fields["time"].values] == ["1600-01-01", last.isoformat()]


def test_period_months_and_row(write: Writer) -> None:
    path = write(times=np.arange(0, 730, 10))
    fields = read(path, period="2001-06/2002-03", months=[6, 1])
    dates = np.datetime64("2001-01-01") + np.arange(0, 730, 10)
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    wanted = (
        (dates >= np.datetime64("2001-06-01"))
        & (dates <= np.datetime64("2002-03-31"))
        & np.isin(month, [1, 6])
    )
    assert wanted.sum() == 6
    np.testing.assert_array_equal(fields["time"].values, dates[wanted])
    check(fields, np.arange(0, 730, 10)[wanted])


def test_files_join_in_time_order_however_given(write: Writer) -> None:
    files = [
        write("z.nc", times=[0, 10]),
        write("m.nc", times=[20], lat=LAT[::-1], lon=np.arange(-180.0, 180, 45)),
        write("a.nc", times=[0, 10], time_units="days since 2002-01-01"),
    ]
    expected = read(files)
    days = [str(day)[:10] for day in expected["time"].values]
    assert days == ["2001-01-01", "2001-01-11", "2001-01-21", "2002-01-01", "2002-01-11"]
    check(expected, [0, 10, 20, 0, 10])
    for order in (files[::-1], [files[1], files[2], files[0], files[1]]):
        np.testing.assert_array_equal(read(order).values, expected.values)
    pattern = str(files[0].parent / "*.nc")
    np.testing.assert_array_equal(read(pattern).values, expected.values)
    deep = str(files[0].parent / "**" / "[zma].nc")
    np.testing.assert_array_equal(read(deep).values, expected.values)


def test_blocks_may_cut_across_files_and_chunks(write: Writer) -> None:
    files = [
        write(f"{n}.nc", times=np.arange(7) + 7 * n, chunks=(3, 2, 4), lat=LAT[::-1])
        for n in range(5)
    ]
    for settings in ({}, {"chunk": 4}, {"chunk": 1}, {"months": [1], "chunk": 5}):
        fields = read(files, **settings)
        length = 31 if "months" in settings else 35
        check(fields, np.arange(length))
        if "chunk" in settings:
            assert max(fields.chunks[0]) == settings["chunk"]
    block = read(files, chunk=4).isel(sample=[20, 3, 34], lat=slice(1, 3), lon=[5, 0])
    whole = values_at(np.arange(35), LAT, LON)
    np.testing.assert_allclose(
        block.values[:, 0], whole[[20, 3, 34]][:, 1:3][:, :, [5, 0]], rtol=1e-6, atol=1e-3
    )


@pytest.mark.parametrize(
    "key",
    [
        (3,),
        (slice(None), 0),
        (slice(30, 2, -3), slice(None), 2),
        (slice(None), slice(None), slice(None, None, -1), -1),
        ([9, 2, 2, 33],),
        (slice(5, 20), slice(None), slice(None), [7, 0]),
        (slice(4, 4),),
        (12, 0, 1, 3),
        (slice(None), None),
    ],
)
def test_any_slice_reads_what_numpy_would_pick(write: Writer, key: Any) -> None:
    files = [write(f"{n}.nc", times=np.arange(7) + 7 * n, lat=LAT[::-1]) for n in range(5)]
    data = read(files, chunk=6).data
    whole = values_at(np.arange(35), LAT, LON)[:, None].astype(np.float32)
    np.testing.assert_allclose(data[key].compute(), whole[key], rtol=1e-6, atol=1e-3)


def test_channels_stand_in_the_order_asked_for(write: Writer) -> None:
    first = write("first.nc", variable="sst")
    second = write("second.nc", variable="psl", units="Pa", data=-values_at(TIMES, LAT, LON))
    fields = read([first, second], variables=["psl", "sst"])
    assert fields["channel"].values.tolist() == ["psl", "sst"]
    assert fields["units"].values.tolist() == ["Pa", "degC"]
    np.testing.assert_array_equal(fields.values[:, 0], -fields.values[:, 1])
    check(fields[:, 1:])
    assert fields.isel(channel=[0]).values[1, 0, 0, 0] == -fields.values[1, 1, 0, 0]


def test_small_extra_dimensions_and_scalars_are_dropped(write: Writer) -> None:
    def extra(file: netCDF4.Dataset) -> None:
        file.createDimension("lev", 1)
        file.createVariable("lev", "f8", ("lev",))[:] = 5
        file.createVariable("height", "f8", ()).setncatts({"standard_name": "height"})
        deep = file.createVariable("deep", "f4", ("time", "lev", "lat", "lon"))
        deep[:] = values_at(TIMES, LAT, LON)[:, None]
        deep.coordinates = "height"

    fields = read(write(change=extra), variables="deep")
    assert set(fields.coords) == {"time", "row", "channel", "units", "long_name", "lat", "lon"}
    check(fields)


def test_one_time_per_file_as_a_scalar(write: Writer) -> None:
    def single(day: int) -> Any:
        def change(file: netCDF4.Dataset) -> None:
            time = file.createVariable("now", "f8", ())
            time.setncatts({"standard_name": "time", "units": "days since 2001-01-01"})
            time[...] = day
            field = file.createVariable("map", "f4", ("lat", "lon"))
            field[:] = values_at([day], LAT, LON)[0]

        return change

    files = [write(f"{day}.nc", change=single(day)) for day in (5, 3)]
    fields = read(files, variables="map")
    assert [str(day)[:10] for day in fields["time"].values] == ["2001-01-04", "2001-01-06"]
    check(fields, [3, 5])


def test_bounds_and_masks_are_no_candidates(write: Writer) -> None:
    def bounds(file: netCDF4.Dataset) -> None:
        file.createDimension("two", 2)
        file["time"].bounds = "time_bnds"
        file.createVariable("time_bnds", "f8", ("time", "two"))[:] = 0
        file["lat"].bounds = "edges"
        file.createVariable("edges", "f8", ("lat", "two"))[:] = 0
        file.createVariable("mask", "i1", ("lat", "lon"))[:] = 1

    assert read(write(change=bounds))["channel"].values.tolist() == ["sst"]


def test_netcdf3(write: Writer) -> None:
    check(read(write(form="NETCDF3_CLASSIC", lat=LAT[::-1])))


def test_automatic_chunks_follow_those_of_the_file(
    write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(times=np.arange(100), chunks=(12, 4, 8))
    row = 4 * LAT.size * LON.size
    monkeypatch.setattr("climxai.data.readers.blocks.TARGET_BYTES", 30 * row)
    assert read(path).chunks[0] == (24, 24, 24, 24, 4)
    # From 2001-01-06 on, the first chunk ends where one of the file's ends.
    assert read(path, period="2001-01-06/").chunks[0] == (19, 24, 24, 24, 4)
    monkeypatch.setattr("climxai.data.readers.blocks.TARGET_BYTES", 5 * row)
    assert read(path).chunks[0][:2] == (12, 12)
    monkeypatch.setattr("climxai.data.readers.blocks.LARGEST_BYTES", 6 * row)
    assert read(path).chunks[0][:2] == (5, 5)


def test_opening_reads_no_field(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the field was read")

    path = write()
    with monkeypatch.context() as patch:
        patch.setattr("climxai.data.readers.source.Source.read", refuse)
        fields = read(path)
        with pytest.raises(AssertionError, match="was read"):
            fields.compute()


def test_files_are_closed(write: Writer) -> None:
    def held() -> int:
        return sum(
            str(link.resolve()).endswith(".nc")
            for link in Path("/proc/self/fd").iterdir()
            if link.exists()
        )

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("open files are counted in /proc, which this system lacks")
    gc.collect()
    before = held()
    path = write()
    with read(path) as fields:
        fields.compute()
        assert held() == before + 1
    assert held() == before
    fields = read(path)
    fields.compute()
    del fields
    gc.collect()
    assert held() == before


def test_fields_travel_to_other_processes(write: Writer) -> None:
    fields = read(write(lat=LAT[::-1]))
    there = pickle.loads(pickle.dumps(fields))  # noqa: S301
    np.testing.assert_array_equal(there.values, fields.values)


def test_equal_readers_give_equal_dask_names_and_others_do_not(write: Writer) -> None:
    path = write()
    token = dask.base.tokenize
    assert token(read(path).data) == token(read(path).data)
    assert token(read(path).data) != token(read(path, months=[1]).data)
    assert token(read(path).data) != token(read(path, region=[-90, 90, 0, 90]).data)


def test_threads_share_a_file(write: Writer) -> None:
    path = write(times=np.arange(400), chunks=(7, 2, 2))
    with dask.config.set(scheduler="threads", num_workers=8):
        check(read(path, chunk=3), np.arange(400))


def test_record_round_trip() -> None:
    reader = NetcdfReader.model_validate(
        {"files": ["a.nc", "b.nc"], "period": "1991-2020", "region": "nino34", "months": [12, 1]}
    )
    again = READERS[reader.name].model_validate_json(reader.canonical())
    assert again == reader
    assert again.digest() == reader.digest()
