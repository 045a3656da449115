"""One variable of one file: its axes and times read, its data left on disk."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from climxai.core.errors import DataError
from climxai.data.grids.axes import Axis, latitude_axis, longitude_axis
from climxai.data.readers.classic import promised_bytes
from climxai.data.readers.locate import Location, locate
from climxai.data.time import iso

if TYPE_CHECKING:
    from climxai.core.region import Region
    from climxai.data.readers.netcdf import Coordinates

LARGEST: Final = 1e30
"""No field is this large: beyond it lie fill values nobody declared (netCDF's own is 9.97e36)."""

_SAME_CALENDAR: Final = {"gregorian": "standard", "365_day": "noleap", "366_day": "all_leap"}

Mask = npt.NDArray[np.bool_]
Floats32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One variable of one file.

    Parameters
    ----------
    path
        The file.
    location
        Names of the variable, its coordinates and their dimensions.
    data
        The variable (time, lat, lon) or, at one time, (lat, lon), still on disk; latitudes and
        longitudes in file order and cut to the stretch that is needed.
    raw_time
        The time coordinate [time], not decoded.
    calendar
        CF name of its calendar.
    times
        The times [time]: datetime64, or cftime objects where the calendar demands it.
    lat, lon
        The axes to present.
    units, long_name
        Attributes of the variable, empty when it has none.
    rows_together
        Rows of one chunk of the file (1 for a file without chunks).
    """

    path: Path
    location: Location
    data: xr.Variable
    raw_time: xr.Variable
    calendar: str
    times: npt.NDArray[Any]
    lat: Axis
    lon: Axis
    units: str
    long_name: str
    rows_together: int

    def __len__(self) -> int:
        return int(self.times.size)

    def read(self, rows: slice) -> Floats32:
        """Return rows [time, lat, lon] as float32, in axis order, NaN where missing.

        Raises
        ------
        DataError
            When the file cannot be read there.
        """
        try:
            if self.location.time_dim is None:
                values = np.asarray(self.data.values)[np.newaxis][rows]
            else:
                values = np.asarray(self.data[rows].values)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"{self.path}: times {rows.start} to {rows.stop - 1} of {self.location.variable!r}"
                f" cannot be read ({error}): the file is damaged; copy or download it again"
            ) from error
        for axis, dim in ((self.lat, 1), (self.lon, 2)):
            if axis.order is not None:
                values = np.take(values, axis.order, axis=dim)
        # NaN compares false, so it stays among the missing.
        present = np.abs(values) <= LARGEST
        with np.errstate(over="ignore"):
            block = values.astype(np.float32)
        block[~present] = np.nan
        return block


def open_dataset(path: Path) -> xr.Dataset:
    """Open a netCDF file lazily, packing and fill values decoded on reading, times not decoded.

    Raises
    ------
    DataError
        When it is not netCDF, or is damaged.
    """
    try:
        promised = promised_bytes(path)
        if promised is not None and path.stat().st_size < promised:
            raise DataError(
                f"{path} is truncated: it has {path.stat().st_size} of {promised} bytes; copy or"
                " download it again"
            )
        with warnings.catch_warnings():
            # Two different fill values are both missing data, which is what xarray makes of them.
            warnings.filterwarnings("ignore", "variable .* has multiple fill values")
            return xr.open_dataset(
                path, engine="netcdf4", chunks=None, cache=False, decode_times=False
            )
    except PermissionError as error:
        raise DataError(f"{path} may not be read: permission denied") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{path} cannot be opened as netCDF ({_reason(error)}): it is damaged, incomplete or of"
            " another format; copy or download it again"
        ) from error


def make_source(
    dataset: xr.Dataset,
    variable: str,
    coordinates: Coordinates,
    region: Region | None,
    path: Path,
) -> Source:
    """Return one variable of an opened file with its axes and times.

    Raises
    ------
    DataError
        When coordinates are missing, curvilinear or out of order, or times cannot be decoded.
    """
    location = locate(dataset, variable, coordinates, path)
    lat = latitude_axis(
        dataset.variables[location.lat].values, region, f"{path}: latitude {location.lat!r}"
    )
    lon = longitude_axis(
        dataset.variables[location.lon].values, region, f"{path}: longitude {location.lon!r}"
    )
    raw_time = dataset.variables[location.time]
    field = dataset.variables[variable]
    if field.dtype.kind not in "fiub":
        raise DataError(f"{path}: {variable!r} does not hold numbers but {field.dtype}")
    named = (location.time_dim, location.lat_dim, location.lon_dim)
    dims = tuple(dim for dim in named if dim is not None)
    extra = {dim: 0 for dim in field.dims if dim not in dims}
    stretch = {location.lat_dim: lat.stretch, location.lon_dim: lon.stretch}
    together = (field.encoding.get("preferred_chunks") or {}).get(location.time_dim, 1)
    calendar = str(raw_time.attrs.get("calendar", "standard")).lower()
    return Source(
        path=path,
        location=location,
        data=field.isel({**extra, **stretch}).transpose(*dims),
        raw_time=raw_time,
        calendar=_SAME_CALENDAR.get(calendar, calendar),
        times=decode_times(raw_time, path, location.time),
        lat=lat,
        lon=lon,
        units=str(field.attrs.get("units", "")),
        long_name=str(field.attrs.get("long_name", field.attrs.get("standard_name", variable))),
        rows_together=int(together),
    )


def decode_times(
    raw: xr.Variable, path: Path, name: str, cftime: bool | None = None
) -> npt.NDArray[Any]:
    """Return times [time], checked to ascend.

    Parameters
    ----------
    raw
        Numbers with CF units and calendar.
    path, name
        File and coordinate, for messages.
    cftime
        True gives cftime objects whatever the calendar; None gives datetime64 where it can.

    Raises
    ------
    DataError
        When they are missing, cannot be decoded, or do not ascend.
    """
    where = f"{path}: time {name!r}"
    if raw.size == 0:
        raise DataError(f"{where} is empty: the file holds no time step")
    numbers = np.atleast_1d(raw.values)
    if numbers.dtype.kind == "f" and not (np.abs(numbers) <= LARGEST).all():
        raise DataError(f"{where} holds missing values: every time must be a number")
    coder = xr.coders.CFDatetimeCoder(use_cftime=cftime, time_unit="us")
    try:
        with warnings.catch_warnings():
            # Dates before 1582 in the mixed calendar become cftime objects, as they should.
            warnings.filterwarnings("ignore", "Unable to decode time axis")
            times: npt.NDArray[Any] = np.atleast_1d(coder.decode(raw, name=name).values)
    except (ValueError, OverflowError, TypeError) as error:
        raise DataError(
            f"{where} with the units {raw.attrs.get('units')!r} and the calendar"
            f" {raw.attrs.get('calendar', 'standard')!r} cannot be decoded ({_reason(error)})"
        ) from error
    if times.size > 1:
        later = times[1:] > times[:-1]
        if not later.all():
            at = int(np.argmin(later))
            if times[at + 1] == times[at]:
                raise DataError(
                    f"{where} holds {iso(times[at], clock=True)} twice: give each time once"
                )
            raise DataError(
                f"{where} does not ascend: {iso(times[at + 1], clock=True)} follows"
                f" {iso(times[at], clock=True)}; sort the file by time first"
            )
    return times


def _reason(error: Exception) -> str:
    # xarray's messages run over many lines; the first says what happened.
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
