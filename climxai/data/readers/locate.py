"""Which variable of a file is the field, and which are its time, latitude and longitude.

Coordinates are looked for by the name the user gave, then by CF metadata (cf-xarray), then by the
names usual in the field.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from climxai.core.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import xarray as xr

    from climxai.data.readers.netcdf import Coordinates

USUAL_NAMES: Final = {
    "time": ("time", "t", "time_counter", "times", "valid_time", "date", "datetime"),
    "lat": ("lat", "latitude", "nav_lat", "lats", "latitudes", "yc", "yt_ocean", "y"),
    "lon": ("lon", "longitude", "nav_lon", "long", "lons", "longitudes", "xc", "xt_ocean", "x"),
}
"""Names by which a coordinate without CF attributes is known, most telling first."""

_KINDS: Final = {"time": "time", "lat": "latitude", "lon": "longitude"}


@dataclass(frozen=True)
class Location:
    """Names of a variable, of its coordinates, and of the dimensions they run along."""

    variable: str
    time: str
    lat: str
    lon: str
    time_dim: str | None
    """None when the file holds one time, as a scalar coordinate"""
    lat_dim: str
    lon_dim: str


def locate(dataset: xr.Dataset, variable: str, coordinates: Coordinates, path: Path) -> Location:
    """Find the coordinates of ``variable``.

    Parameters
    ----------
    dataset
        An opened file, times not decoded.
    variable
        Name of the field.
    coordinates
        Names the user gave.
    path
        The file, for messages.

    Raises
    ------
    DataError
        When one is not found, or is two-dimensional.
    """
    field = dataset.variables[variable]
    lat = _horizontal(dataset, variable, "lat", coordinates.lat, path)
    lon = _horizontal(dataset, variable, "lon", coordinates.lon, path)
    time = _find(dataset, variable, "time", coordinates.time, path)
    lat_dim, lon_dim = (str(dataset.variables[name].dims[0]) for name in (lat, lon))
    if lat_dim == lon_dim:
        raise DataError(
            f"{path}: {variable!r} lies on an unstructured grid ({lat} and {lon} share the"
            f" dimension {lat_dim!r}): regrid it to a rectilinear grid first"
        )
    time_dims = dataset.variables[time].dims
    location = Location(
        variable=variable,
        time=time,
        lat=lat,
        lon=lon,
        time_dim=str(time_dims[0]) if time_dims else None,
        lat_dim=lat_dim,
        lon_dim=lon_dim,
    )
    own = {location.time_dim, lat_dim, lon_dim}
    for dim, size in zip(field.dims, field.shape, strict=True):
        if dim not in own and size != 1:
            raise DataError(
                f"{path}: {variable!r} has a dimension {str(dim)!r} of {size} besides time,"
                " latitude and longitude: choose one of it (for example with `ncks -d`) first"
            )
    return location


def candidates(dataset: xr.Dataset) -> tuple[str, ...]:
    """Return the variables that may be fields: numbers, at least two-dimensional, no bounds."""
    named = {str(name) for name in dataset.variables}
    bounds: set[str] = set()
    for variable in dataset.variables.values():
        for key in ("bounds", "climatology"):
            bounds.add(str(variable.attrs.get(key, variable.encoding.get(key, ""))))
    coordinates = {name for kind in ("lat", "lon", "time") for name in _by_cf(dataset, kind)}
    usual = {name for kind in ("lat", "lon", "time") for name in USUAL_NAMES[kind]}
    return tuple(
        name
        for name in sorted(named - bounds - coordinates - usual)
        if dataset.variables[name].ndim >= 2
        and dataset.variables[name].dtype.kind in "fiu"
        and not name.endswith(("_bnds", "_bounds"))
    )


def find_variable(dataset: xr.Dataset, coordinates: Coordinates, path: Path) -> str:
    """Return the name of the only variable on a grid in time.

    Raises
    ------
    DataError
        When there is none (saying what the most promising lacks) or several (listing them).
    """
    names = candidates(dataset)
    found: list[str] = []
    problems: list[tuple[int, DataError]] = []
    for name in names:
        try:
            locate(dataset, name, coordinates, path)
        except DataError as error:
            problems.append((dataset.variables[name].ndim, error))
        else:
            found.append(name)
    if len(found) > 1:
        raise DataError(
            f"{path} holds several fields: {', '.join(found)}; name those to read with"
            " `data.variables`"
        )
    if found:
        return found[0]
    if problems:
        raise max(problems, key=lambda problem: problem[0])[1]
    raise DataError(
        f"{path} holds no field (time, latitude, longitude); its variables are"
        f" {', '.join(map(str, dataset.variables)) or 'none'}"
    )


def _horizontal(
    dataset: xr.Dataset, variable: str, kind: str, given: str | None, path: Path
) -> str:
    name = _find(dataset, variable, kind, given, path)
    dims = dataset.variables[name].dims
    if len(dims) > 1:
        raise DataError(
            f"{path}: {variable!r} lies on a curvilinear grid ({name!r} has the dimensions"
            f" {', '.join(map(str, dims))}): it needs regridding to a rectilinear grid first, for"
            " example with `cdo remapbil`"
        )
    return name


def _find(dataset: xr.Dataset, variable: str, kind: str, given: str | None, path: Path) -> str:
    if given is not None:
        if given not in dataset.variables:
            known = tuple(map(str, dataset.variables))
            raise DataError(
                f"{path} holds no coordinate {given!r}, named by `data.coordinates.{kind}`."
                f"{did_you_mean(given, known)}"
            )
        if not _fits(dataset, given, variable, kind):
            raise DataError(
                f"{path}: {given!r}, named by `data.coordinates.{kind}`, does not run along"
                f" {variable!r} ({', '.join(map(str, dataset.variables[variable].dims))})"
            )
        return given
    usual = {name.lower(): name for name in map(str, dataset.variables)}
    for names in (
        _by_cf(dataset, kind),
        [usual[name] for name in USUAL_NAMES[kind] if name in usual],
    ):
        fitting = [
            name
            for name in names
            if _fits(dataset, name, variable, kind) and not _misleads(dataset, name, kind)
        ]
        if fitting:
            # Along one dimension before many; a coordinate of its own dimension before others.
            return min(fitting, key=lambda name: _rank(dataset.variables[name], name))
    raise DataError(_missing(dataset, variable, kind, path))


def _rank(variable: xr.Variable, name: str) -> tuple[bool, int, bool]:
    return (variable.ndim == 0, variable.ndim, variable.dims != (name,))


def _by_cf(dataset: xr.Dataset, kind: str) -> list[str]:
    import cf_xarray  # noqa: F401  (registers the accessor)

    # cf-xarray looks among coordinates only, and files forget to declare theirs.
    everything = dataset.set_coords(list(dataset.data_vars))
    found: dict[str, list[str]] = everything.cf.coordinates
    return [str(name) for name in found.get(_KINDS[kind], [])]


def _fits(dataset: xr.Dataset, name: str, variable: str, kind: str) -> bool:
    coordinate, field = dataset.variables[name], dataset.variables[variable]
    if name == variable or not set(coordinate.dims) <= set(field.dims):
        return False
    if kind == "time":
        return coordinate.ndim <= 1
    return coordinate.ndim in (1, 2)


def _misleads(dataset: xr.Dataset, name: str, kind: str) -> bool:
    # An `x` in metres, and a time axis that only counts, have a usual name but not the meaning.
    coordinate = dataset.variables[name]
    units: Any = coordinate.attrs.get("units", "")
    if kind == "time":
        return " since " not in f" {units} " and coordinate.dtype.kind not in "MO"
    return bool(units) and not str(units).lower().startswith("deg")


def _missing(dataset: xr.Dataset, variable: str, kind: str, path: Path) -> str:
    field = dataset.variables[variable]
    dims = ", ".join(map(str, field.dims))
    usual = ", ".join(USUAL_NAMES[kind][:3])
    text = f"{path}: {variable!r} ({dims}) has no {_KINDS[kind]} coordinate"
    counting = [
        name
        for name in map(str, dataset.variables)
        if name.lower() in USUAL_NAMES[kind] and _fits(dataset, name, variable, kind)
    ]
    if counting:
        expected = "days since 1850-01-01" if kind == "time" else "degrees"
        units = dataset.variables[counting[0]].attrs.get("units")
        found = f"the units {units!r}" if units else "no units"
        return f"{text}: {counting[0]!r} has {found}, expected units like {expected!r}"
    return (
        f"{text}: none has its CF attributes or a name like {usual}; name it with"
        f" `data.coordinates.{kind}`"
    )
