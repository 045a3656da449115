"""Lengths of classic files as the netCDF library writes them, and of every shorter one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from climxai.data.readers.classic import promised_bytes


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
@pytest.mark.parametrize("records", [(), (("a", "i2"),), (("a", "i2"), ("b", "f8"), ("c", "i1"))])
@pytest.mark.parametrize("fixed", [(), (("x", "f4"), ("y", "i1"))])
def test_the_end_of_the_last_value(tmp_path: Path, form: Any, records: Any, fixed: Any) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format=form) as file:
        file.title = "of thirteen b"
        file.createDimension("time", None)
        file.createDimension("n", 3)
        for name, dtype in fixed:
            file.createVariable(name, dtype, ("n",))[:] = [1, 2, 3]
        for name, dtype in records:
            variable = file.createVariable(name, dtype, ("time", "n"))
            variable.note = np.arange(5, dtype="i2")
            variable[:] = np.arange(21).reshape(7, 3)
    size, promised = path.stat().st_size, promised_bytes(path)
    assert promised is not None
    # The library pads the end to four bytes; the values end before.
    assert size - 4 < promised <= size


def test_a_header_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("n", 3)
        file.createVariable("x", "f4", ("n",))[:] = [1, 2, 3]
    whole = path.read_bytes()
    for length in range(4, len(whole)):
        path.write_bytes(whole[:length])
        promised = promised_bytes(path)
        assert promised is not None
        assert promised > length


def test_other_formats(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w"):
        pass
    assert promised_bytes(path) is None
    path.write_bytes(b"")
    assert promised_bytes(path) is None
