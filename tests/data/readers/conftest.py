"""Files written with the netCDF4 library directly, so that nothing of the reader is in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from climxai.data.readers import NetcdfReader

Writer = Callable[..., Path]

LAT = np.array([-60.0, -20.0, 20.0, 60.0])
LON = np.arange(0.0, 360.0, 45.0)


def values_at(time: Any, lat: Any, lon: Any) -> Any:
    """A value that tells when and where it is: 1000 t + lat + lon/1000, lon in [0, 360)."""
    time, lat, lon = (np.asarray(part, float) for part in (time, lat, lon))
    return 1000 * time[:, None, None] + lat[:, None] + (lon % 360) / 1000


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write a file; every part can be changed."""

    def writer(
        name: str = "a.nc",
        *,
        times: Any = (0, 31, 59, 90),
        lat: Any = LAT,
        lon: Any = LON,
        data: Any = None,
        variable: str = "sst",
        names: tuple[str, str, str] = ("time", "lat", "lon"),
        cf: bool = True,
        units: str | None = "degC",
        time_units: str | None = "days since 2001-01-01",
        calendar: str | None = "standard",
        dtype: str = "f4",
        dims: tuple[str, ...] | None = None,
        chunks: tuple[int, ...] | None = None,
        attributes: dict[str, Any] | None = None,
        fill: Any = None,
        form: Any = "NETCDF4",
        change: Callable[[netCDF4.Dataset], None] | None = None,
    ) -> Path:
        path = tmp_path / name
        times, lat, lon = np.asarray(times, float), np.asarray(lat), np.asarray(lon)
        if data is None:
            data = values_at(times, lat, lon)
        with netCDF4.Dataset(path, "w", format=form) as file:
            for dim, values, attrs in zip(
                names,
                (times, lat, lon),
                (
                    {"standard_name": "time"},
                    {"standard_name": "latitude", "units": "degrees_north"},
                    {"standard_name": "longitude", "units": "degrees_east"},
                ),
                strict=True,
            ):
                file.createDimension(dim, values.size)
                coordinate = file.createVariable(dim, "f8", (dim,))
                coordinate[:] = values
                if cf:
                    coordinate.setncatts(attrs)
            if time_units is not None:
                file[names[0]].units = time_units
            if calendar is not None:
                file[names[0]].calendar = calendar
            order = dims or names
            field = file.createVariable(variable, dtype, order, chunksizes=chunks, fill_value=fill)
            if units is not None:
                field.units = units
            field.setncatts(attributes or {})
            field[:] = np.transpose(data, [names.index(dim) for dim in order])
            if change is not None:
                change(file)
        return path

    return writer


def read(files: Any, **settings: Any) -> Any:
    """Open files and check what every record promises."""
    paths = [str(file) for file in files] if isinstance(files, list) else str(files)
    fields = NetcdfReader.model_validate({"files": paths, **settings}).open()
    assert fields.dims == ("sample", "channel", "lat", "lon")
    assert fields.dtype == np.float32
    assert fields.chunks is not None
    assert [len(chunks) for chunks in fields.chunks[1:]] == [1, 1, 1]
    assert (np.diff(fields["lat"].values) > 0).all()
    assert (np.diff(fields["lon"].values) > 0).all()
    assert fields["row"].values.tolist() == list(range(fields.sizes["sample"]))
    return fields
