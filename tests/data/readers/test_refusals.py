"""Every bad input is refused in one line that names the file and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
from pydantic import ValidationError

from climxai.core.errors import DataError
from climxai.data.readers import NetcdfReader
from tests.data.readers.conftest import LAT, LON, Writer, read, values_at


def refusal(files: Any, **settings: Any) -> str:
    """Return the message, which is one line."""
    with pytest.raises(DataError) as caught:
        read(files, **settings).compute()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_file(write: Writer) -> None:
    path = write("ersst.nc").parent / "erst.nc"
    message = refusal(path)
    assert message.startswith(f"{path} does not exist")
    assert "Did you mean 'ersst.nc'?" in message


def test_empty_glob(tmp_path: Path) -> None:
    assert f"no file matches the glob {tmp_path}/*.nc" in refusal(tmp_path / "*.nc")


def test_directory(tmp_path: Path) -> None:
    assert f"{tmp_path} is a directory" in refusal(tmp_path)


def test_a_file_that_is_not_netcdf(tmp_path: Path) -> None:
    path = tmp_path / "notes.nc"
    path.write_text("not a netCDF file\n" * 100)
    assert refusal(path).startswith(f"{path} cannot be opened as netCDF")
    path.write_bytes(b"")
    assert refusal(path).startswith(f"{path} cannot be opened as netCDF")


@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_truncated_file(write: Writer, form: str) -> None:
    path = write(form=form, times=np.arange(200))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    message = refusal(path)
    assert message.startswith(str(path))
    assert "copy or download it again" in message


def test_a_file_damaged_inside(write: Writer) -> None:
    # The headers are whole, so that it opens; a compressed chunk is not.
    def compressed(file: netCDF4.Dataset) -> None:
        field = file.createVariable(
            "soft", "f4", ("time", "lat", "lon"), zlib=True, fletcher32=True
        )
        field[:] = np.random.default_rng(0).normal(size=(4, LAT.size, LON.size))

    path = write(change=compressed)
    data = bytearray(path.read_bytes())
    start = data.rindex(b"\x78\x5e") if b"\x78\x5e" in data else data.rindex(b"\x78\x9c")
    data[start + 40 : start + 80] = bytes(40)
    path.write_bytes(data)
    message = refusal(path, variables="soft")
    assert message.startswith(f"{path}: times 0 to 3 of 'soft' cannot be read")


def test_wrong_variable(write: Writer) -> None:
    path = write()
    message = refusal(path, variables="sts")
    assert message.startswith(f"{path} holds no variable 'sts'. Did you mean 'sst'?")
    assert "no file holds the variable 'psl'" in refusal(path, variables=["sst", "psl"])


def test_several_fields_and_none_named(write: Writer) -> None:
    def another(file: netCDF4.Dataset) -> None:
        file.createVariable("ice", "f4", ("time", "lat", "lon"))[:] = 0

    path = write(change=another)
    assert refusal(path).startswith(f"{path} holds several fields: ice, sst;")


def test_no_field_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("n", 3)
        file.createVariable("series", "f4", ("n",))[:] = 0
    assert f"{path} holds no field" in refusal(path)


def test_no_time_axis(write: Writer) -> None:
    def fixed(file: netCDF4.Dataset) -> None:
        file.createVariable("depth", "f4", ("lat", "lon"))[:] = 0

    path = write(change=fixed)
    message = refusal(path, variables="depth")
    assert message.startswith(f"{path}: 'depth' (lat, lon) has no time coordinate")
    assert "data.coordinates.time" in message


def test_a_time_that_only_counts(write: Writer) -> None:
    message = refusal(write(time_units=None, calendar=None, cf=False))
    assert "'time' has no units, expected units like 'days since 1850-01-01'" in message


def test_no_latitude(write: Writer) -> None:
    path = write(names=("time", "rows", "lon"), cf=False)
    assert refusal(path).startswith(f"{path}: 'sst' (time, rows, lon) has no latitude coordinate")
    path = write(names=("time", "lat", "columns"), cf=False)
    assert "has no longitude coordinate" in refusal(path)


def test_map_projections_are_no_latitudes(write: Writer) -> None:
    def metres(file: netCDF4.Dataset) -> None:
        file["y"].units = file["x"].units = "m"

    path = write(names=("time", "y", "x"), cf=False, lat=LAT * 1e4, change=metres)
    assert "'y' has the units 'm', expected units like 'degrees'" in refusal(path)
    named = refusal(path, coordinates={"lat": "y", "lon": "x"})
    assert "latitudes are degrees north, -90 to 90" in named


def test_named_coordinate_that_is_not_there(write: Writer) -> None:
    message = refusal(write(), coordinates={"lat": "latt"})
    assert "holds no coordinate 'latt'" in message
    assert "Did you mean 'lat'?" in message


def test_named_coordinate_of_another_dimension(write: Writer) -> None:
    def other(file: netCDF4.Dataset) -> None:
        file.createDimension("n", 2)
        file.createVariable("station", "f8", ("n",))[:] = 0

    message = refusal(write(change=other), coordinates={"lat": "station"})
    assert "does not run along 'sst' (time, lat, lon)" in message


def test_curvilinear_grid(write: Writer) -> None:
    path = write(cf=False, names=("time", "j", "i"), change=lambda file: _bend(file, "j", "i"))
    message = refusal(path)
    assert "curvilinear grid ('nav_lat' has the dimensions j, i)" in message
    assert "regridding to a rectilinear grid first" in message


def test_curvilinear_coordinates_with_attributes_win_over_axes_without(write: Writer) -> None:
    def bend(file: netCDF4.Dataset) -> None:
        _bend(file, "y", "x")
        file["nav_lat"].units, file["nav_lon"].units = "degrees_north", "degrees_east"

    path = write(cf=False, names=("time", "y", "x"), change=bend)
    assert "curvilinear grid" in refusal(path)
    assert read(path, coordinates={"lat": "y", "lon": "x"}).shape == (4, 1, 4, 8)


def _bend(file: netCDF4.Dataset, *dims: str) -> None:
    for name in ("nav_lat", "nav_lon"):
        file.createVariable(name, "f8", dims)[:] = 0


def test_unstructured_grid(tmp_path: Path) -> None:
    path = tmp_path / "icon.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", 2)
        file.createDimension("cell", 5)
        file.createVariable("time", "f8", ("time",)).units = "days since 2001-01-01"
        file["time"][:] = [0, 1]
        for name in ("lat", "lon"):
            file.createVariable(name, "f8", ("cell",))[:] = np.arange(5)
        file.createVariable("sst", "f4", ("time", "cell"))[:] = 0
    assert "unstructured grid (lat and lon share the dimension 'cell')" in refusal(path)


@pytest.mark.parametrize("dim", ["member", "lev"])
def test_one_dimension_too_many(write: Writer, dim: str) -> None:
    def extra(file: netCDF4.Dataset) -> None:
        file.createDimension(dim, 3)
        file.createVariable("many", "f4", ("time", dim, "lat", "lon"))[:] = 0

    message = refusal(write(change=extra), variables="many")
    assert f"'many' has a dimension '{dim}' of 3 besides time, latitude and longitude" in message


def test_region_outside_the_grid(write: Writer) -> None:
    path = write(lon=[200, 210, 220])
    message = refusal(path, region=[-90, 90, 0, 20])
    assert "no cell lies in the region 90°S-90°N, 0°E-20°E" in message
    assert "longitudes go from 200 to 220" in message
    message = refusal(path, region=[70, 80, 0, 360])
    assert str(path) in message
    assert "latitudes go from -60 to 60" in message


def test_period_outside_the_record(write: Writer) -> None:
    path = write()
    message = refusal(path, period="1850-1900")
    assert message == (
        f"{path}: the record holds 4 times, 2001-01-01 to 2001-04-01, none in the period"
        " 1850 to 1900"
    )
    assert "none in the period 2001-01-02 to 2001-01-30" in refusal(
        path, period=["2001-01-02", "2001-01-30"]
    )


def test_months_that_are_not_there(write: Writer) -> None:
    message = refusal(write(), months=[6, 7])
    assert message.endswith("none in the months 6, 7; months found: 1, 2, 3, 4")


def test_overlapping_files(write: Writer) -> None:
    one, two = write("one.nc", times=[0, 31, 59]), write("two.nc", times=[31, 59, 90])
    message = refusal([two, one])
    assert f"{one} (2001-01-01 to 2001-03-01) and {two} (2001-02-01 to 2001-04-01)" in message
    assert "both hold 2001-02-01T00:00;" in message


def test_overlapping_files_in_a_model_calendar(write: Writer) -> None:
    files = [
        write(
            f"{n}.nc", times=[0 + n, 30 + n], calendar="360_day", time_units="days since 2001-02-30"
        )
        for n in (0, 30)
    ]
    assert "both hold 2001-03-30T00:00;" in refusal(files)


def test_interleaved_files(write: Writer) -> None:
    files = [write("one.nc", times=[0, 2]), write("two.nc", times=[1, 3])]
    assert "overlap in time, though they share none" in refusal(files)


def test_files_on_different_grids(write: Writer) -> None:
    one = write("one.nc")
    other = write("other.nc", times=[365], lon=LON + 1)
    message = refusal([one, other])
    assert f"{one} and {other} are on different grids" in message
    assert "longitudes differ: 0 against 1 at place 1 of 8" in message
    smaller = write("smaller.nc", times=[365], lat=LAT[1:])
    assert "4 latitudes from -60 to 60 against 3 from -20 to 60" in refusal([one, smaller])


def test_rounded_coordinates_are_one_grid(write: Writer) -> None:
    files = [write("one.nc"), write("other.nc", times=[365], lon=LON + 3e-5)]
    assert read(files).sizes["sample"] == 5


def test_different_units(write: Writer) -> None:
    files = [write("one.nc"), write("other.nc", times=[365], units="K")]
    message = refusal(files)
    assert "give 'sst' in different units: 'degC' against 'K'" in message
    assert str(files[0]) in message
    assert str(files[1]) in message


@pytest.mark.parametrize("pair", [("360_day", "noleap"), ("standard", "360_day")])
def test_different_calendars(write: Writer, pair: tuple[str, str]) -> None:
    files = [
        write(f"{n}.nc", times=[400 * n], calendar=calendar) for n, calendar in enumerate(pair)
    ]
    message = refusal(files)
    assert f"have different calendars: '{pair[0]}' against '{pair[1]}'" in message


def test_one_calendar_of_two_names(write: Writer) -> None:
    files = [
        write(f"{n}.nc", times=[400 * n], calendar=calendar)
        for n, calendar in enumerate(("noleap", "365_day"))
    ]
    assert read(files).sizes["sample"] == 2


def test_channels_at_different_times(write: Writer) -> None:
    files = [write("sst.nc"), write("psl.nc", variable="psl", times=[0, 31, 60, 90])]
    message = refusal(files, variables=["sst", "psl"])
    assert "first at place 3: 2001-03-01T00:00 against 2001-03-02T00:00" in message
    longer = write("longer.nc", variable="psl", times=[0, 31, 59, 90, 120])
    message = refusal([files[0], longer], variables=["sst", "psl"])
    assert "first at place 5: nothing against 2001-05-01T00:00" in message


def test_channels_on_different_grids(write: Writer) -> None:
    files = [write("sst.nc"), write("psl.nc", variable="psl", lat=LAT[:-1])]
    assert "are on different grids: 4 latitudes" in refusal(files, variables=["sst", "psl"])


def test_duplicated_and_unordered_times(write: Writer) -> None:
    path = write(times=[0, 31, 31, 59])
    assert refusal(path) == f"{path}: time 'time' holds 2001-02-01T00:00 twice: give each time once"
    path = write(times=[0, 59, 31, 90])
    assert "does not ascend: 2001-02-01T00:00 follows 2001-03-01T00:00" in refusal(path)


def test_missing_times(write: Writer) -> None:
    assert "holds missing values" in refusal(write(times=[0, np.nan, 31, 59]))
    gap = write(times=[0, 31, 59, 9.96921e36], data=np.zeros((4, LAT.size, LON.size)))
    assert "holds missing values" in refusal(gap)


def test_no_time_step(write: Writer) -> None:
    path = write(times=[])
    assert refusal(path) == f"{path}: time 'time' is empty: the file holds no time step"


def test_times_that_cannot_be_decoded(write: Writer) -> None:
    message = refusal(write(time_units="fortnights since 2001-01-01"))
    assert "'fortnights since 2001-01-01'" in message
    assert "cannot be decoded" in message


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("lat", [-60, 20, -20, 60]),
        ("lat", [-60, -20, -20, 60]),
        ("lon", [0, 45, 135, 90, 180, 225, 270, 315]),
        ("lon", [0, 45, 45, 135, 180, 225, 270, 315]),
        ("lon", [0, 90, 180, 270, 360, 450, 540, 630]),
    ],
)
def test_coordinates_out_of_order(write: Writer, part: str, values: list[float]) -> None:
    path = write(**{part: np.array(values, float)})
    message = refusal(path)
    assert message.startswith(str(path))
    assert f"'{part}' is neither ascending nor descending" in message


def test_missing_coordinates(write: Writer) -> None:
    assert "'lat' holds missing values" in refusal(write(lat=[-60, np.nan, 20, 60]))


def test_text_is_no_field(write: Writer) -> None:
    def text(file: netCDF4.Dataset) -> None:
        words = file.createVariable("words", str, ("time", "lat", "lon"))
        words[:] = np.full((4, LAT.size, LON.size), "word", dtype=object)

    assert "'words' does not hold numbers" in refusal(write(change=text), variables="words")


def test_files_stay_closed_after_a_refusal(write: Writer) -> None:
    fds = Path("/proc/self/fd")
    if not fds.is_dir():
        pytest.skip("open files are counted in /proc, which this system lacks")
    files = [write("one.nc"), write("two.nc")]
    before = len(list(fds.iterdir()))
    refusal(files)
    assert len(list(fds.iterdir())) == before


@pytest.mark.parametrize(
    "settings",
    [
        {"files": []},
        {"files": "a.nc", "variables": []},
        {"files": "a.nc", "variables": ["sst", "sst"]},
        {"files": "a.nc", "months": [13]},
        {"files": "a.nc", "months": []},
        {"files": "a.nc", "months": [1, 1]},
        {"files": "a.nc", "chunk": 0},
        {"files": "a.nc", "invalid": "never"},
        {"files": "a.nc", "coordinates": {"latitude": "lat"}},
        {},
    ],
)
def test_settings_that_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NetcdfReader.model_validate(settings)


def test_the_file_is_never_changed(write: Writer) -> None:
    path = write(data=values_at([0, 31, 59, 90], LAT, LON))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    read(path).compute()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
