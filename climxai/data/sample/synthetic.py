"""The record of settings that becomes a synthetic sea-surface temperature record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.record import Record

if TYPE_CHECKING:
    import xarray as xr

LAST_YEAR: Final = 2262


class SyntheticSst(Record):
    """Monthly global sea-surface temperature, made of parts that are known.

    Mean state, annual cycle, warming trend, noise that is red in space and time, and El Niño and La
    Niña events whose type is kept beside the temperature. It imitates what the real ocean does; it
    is not a reconstruction of it.
    """

    name: Literal["synthetic_sst"] = "synthetic_sst"
    seed: int = Field(0, ge=0)
    """the same seed gives the same record"""
    years: int = Field(60, ge=1, le=500)
    """length of the record, whole years"""
    first_year: int = Field(1960, ge=1700, le=2200)
    """calendar year of the first January"""
    resolution: float = Field(5.0, ge=1, le=20)
    """cell size in degrees of latitude and longitude; must divide 180"""
    warming: float = Field(0.13, ge=-2, le=2)
    """trend of the global ocean's mean temperature, degrees Celsius per decade"""

    @model_validator(mode="after")
    def _within_the_clock(self) -> SyntheticSst:
        # Times are counted in nanoseconds, which end in April 2262.
        if self.first_year + self.years > LAST_YEAR:
            raise PydanticCustomError(
                "years",
                "the record would end after {last}; begin earlier or make it shorter",
                {"last": LAST_YEAR},
            )
        return self

    def generate(self) -> xr.Dataset:
        """Return the record: ``sst(time, lat, lon)`` in degrees Celsius and ``event_type(time)``.

        Latitude ascends, longitude runs from 0 to 360, land is NaN. Values are rounded to what the
        packed file holds (0.01 °C).

        Raises
        ------
        DataError
            When the cell size does not divide 180 degrees.
        """
        from climxai.data.sample.dataset import assemble

        return assemble(self)

    def write(self, path: str | Path) -> Path:
        """Write the record as one packed and compressed CF netCDF file; return its path.

        Raises
        ------
        DataError
            When the cell size does not divide 180 degrees.
        OutputError
            When the file cannot be written; nothing is left under its name then.
        """
        from climxai.core.netcdf import write_netcdf

        write_netcdf(self.generate(), Path(path))
        return Path(path)
