"""The record that opens one or many netCDF files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt, field_validator
from pydantic_core import PydanticCustomError

from climxai.core.paths import ConfigPath
from climxai.core.period import AnyPeriod
from climxai.core.record import Record
from climxai.core.region import AnyRegion
from climxai.data.readers.paths import resolve_files

if TYPE_CHECKING:
    import xarray as xr


class Reader(Record):
    """Opens a record of fields; the verb is `open`."""

    invalid: Literal["always", "ever"] = "always"
    """cells the network sees: those valid `always` (in every sample) or `ever` (in any sample)"""

    def open(self) -> xr.DataArray:
        """Return lazy fields (sample, channel, lat, lon), float32, NaN where missing."""
        raise NotImplementedError

    def paths(self) -> tuple[Path, ...]:
        """Return the files that are read."""
        raise NotImplementedError


class Coordinates(Record):
    """Names of coordinates in the files, where CF metadata and usual names mislead."""

    time: str | None = None
    """name of the time coordinate; None finds it"""
    lat: str | None = None
    """name of the latitude coordinate; None finds it"""
    lon: str | None = None
    """name of the longitude coordinate; None finds it"""


class NetcdfReader(Reader):
    """NetCDF files joined along time, lazily, on their common latitude-longitude grid."""

    name: Literal["netcdf"] = "netcdf"
    files: ConfigPath | Annotated[tuple[ConfigPath, ...], Field(min_length=1)]
    """a path, a glob (`**` allowed) or a list of them; joined in time order, however given"""
    variables: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """variables that become the channels, in this order; None is the only one on a grid in time"""
    coordinates: Coordinates = Coordinates()
    """names of the coordinates where they are not found by CF metadata or usual names"""
    period: AnyPeriod | None = None
    """years, months or days to read; None is the whole record"""
    region: AnyRegion | None = None
    """box to read, by name or edges, across the date line if need be; None is the whole grid"""
    months: (
        Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(min_length=1)] | None
    ) = None
    """calendar months to read, 1 to 12; None is all"""
    chunk: PositiveInt | None = None
    """samples read at a time; None chooses about 32 MB, along the file's own chunks"""

    @field_validator("variables", "months")
    @classmethod
    def _once(cls, value: object) -> object:
        if isinstance(value, tuple) and len(set(value)) < len(value):
            twice = next(item for item in value if value.count(item) > 1)
            raise PydanticCustomError("twice", "{item} is given twice", {"item": repr(twice)})
        return value

    def paths(self) -> tuple[Path, ...]:
        """Return the files that are read, each once, globs in sorted order.

        Raises
        ------
        DataError
            When a file is missing or a glob matches nothing.
        """
        return resolve_files((self.files,) if isinstance(self.files, str) else self.files)

    def open(self) -> xr.DataArray:
        """Return lazy fields (sample, channel, lat, lon), float32, NaN where missing.

        Latitudes ascend. Longitudes lie in [0, 360), or ascend from the western edge of `region`.
        Coordinates on `sample`: `time` (datetime64 in standard calendars, else cftime) and `row`;
        on `channel`: its name, `units` and `long_name`. Only coordinates are read here. The result
        is a context manager that closes the files; they also close when it is no longer used.

        Raises
        ------
        DataError
            When a file cannot be read, or the files do not make one record; it names the file.
        """
        from climxai.data.readers.record import open_record

        return open_record(self)
