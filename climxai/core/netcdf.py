"""Writing a dataset as netCDF: whole or not at all, with CF and provenance attributes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from climxai.core.cf import CONVENTIONS
from climxai.core.errors import OutputError
from climxai.core.files import written_aside

if TYPE_CHECKING:
    import xarray as xr


def write_netcdf(dataset: xr.Dataset, path: Path) -> None:
    """Write ``dataset`` to ``path`` as netCDF-4, atomically; ``Conventions`` is set.

    Raises
    ------
    OutputError
        When the disk is full or the directory may not be written to.
    """
    dataset = dataset.assign_attrs(Conventions=CONVENTIONS)
    with written_aside(path) as aside:
        try:
            dataset.to_netcdf(aside, engine="netcdf4", format="NETCDF4")
        except RuntimeError as error:
            # netCDF4 reports a full disk as "NetCDF: HDF error", a RuntimeError.
            raise OutputError(
                f"cannot write {path}: {error}. Is the disk full or a quota used up?"
            ) from error
