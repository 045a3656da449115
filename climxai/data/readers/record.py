"""Sources joined along time and channel to one lazy record of fields."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from climxai.core import cf
from climxai.core.dims import CHANNEL, FIELD_DIMS, LAT, LON, ROW, SAMPLE, TIME
from climxai.core.errors import DataError, did_you_mean
from climxai.data.readers.blocks import Blocks, row_chunks
from climxai.data.readers.join import check_channels, join_sources
from climxai.data.readers.locate import candidates, find_variable
from climxai.data.readers.source import Source, make_source, open_dataset
from climxai.data.time import months, rows_in_period, span

if TYPE_CHECKING:
    from climxai.data.readers.netcdf import NetcdfReader


def open_record(reader: NetcdfReader) -> xr.DataArray:
    """Open the files of a reader as fields (sample, channel, lat, lon); see `NetcdfReader.open`."""
    paths = reader.paths()
    with ExitStack() as stack:
        channels = _open_channels(reader, paths, stack)
        joined = [join_sources(sources) for sources in channels]
        check_channels(joined)
        record = joined[0]
        rows = _selected(reader, record.times, paths)
        blocks = Blocks(tuple(joined), rows)
        fields = _as_fields(reader, blocks, record.times[rows], paths)
        closing = stack.pop_all()
    fields.set_close(closing.close)
    return fields


def _open_channels(
    reader: NetcdfReader, paths: Sequence[Path], stack: ExitStack
) -> list[list[Source]]:
    """Return the sources of each channel; every file must hold at least one of them."""
    names = (reader.variables,) if isinstance(reader.variables, str) else reader.variables
    sources: dict[str, list[Source]] = {name: [] for name in names or ()}
    known: tuple[str, ...] = ()
    for path in paths:
        dataset = stack.enter_context(open_dataset(path))
        if names is None:
            names = (find_variable(dataset, reader.coordinates, path),)
            sources = {names[0]: []}
        held = [name for name in names if name in dataset.variables]
        if not held:
            choice = candidates(dataset) or tuple(map(str, dataset.variables))
            wanted = " or ".join(map(repr, names))
            raise DataError(
                f"{path} holds no variable {wanted}.{did_you_mean(names[0], choice)}"
                " Choose with `data.variables`"
            )
        known = known or candidates(dataset)
        for name in held:
            sources[name].append(
                make_source(dataset, name, reader.coordinates, reader.region, path)
            )
    for name, found in sources.items():
        if not found:
            raise DataError(
                f"no file holds the variable {name!r}, {_files(paths)} looked through."
                f"{did_you_mean(name, known)}"
            )
    return list(sources.values())


def _selected(
    reader: NetcdfReader, times: npt.NDArray[Any], paths: Sequence[Path]
) -> npt.NDArray[np.int64]:
    held = f"{_files(paths)}: the record holds {times.size} times, {span(times)}"
    keep = np.ones(times.size, bool)
    if reader.period is not None:
        keep &= rows_in_period(times, reader.period)
        if not keep.any():
            raise DataError(f"{held}, none in the period {reader.period.describe()}")
    if reader.months is not None:
        month = months(times)
        in_period = sorted({int(number) for number in month[keep]})
        keep &= np.isin(month, reader.months)
        if not keep.any():
            raise DataError(
                f"{held}, none in the months {', '.join(map(str, reader.months))}; months found:"
                f" {', '.join(map(str, in_period))}"
            )
    return np.flatnonzero(keep)


def _as_fields(
    reader: NetcdfReader, blocks: Blocks, times: npt.NDArray[Any], paths: Sequence[Path]
) -> xr.DataArray:
    import dask.array as da

    first = [series.sources[0] for series in blocks.channels]
    chunks = row_chunks(blocks, reader.chunk)
    data = da.from_array(  # type: ignore[no-untyped-call]
        blocks,
        chunks=(chunks, *((size,) for size in blocks.shape[1:])),
        asarray=False,
        meta=np.empty((0, 0, 0, 0), np.float32),
    )
    calendar = "proleptic_gregorian" if times.dtype.kind == "M" else first[0].calendar
    return xr.DataArray(
        data,
        dims=FIELD_DIMS,
        name="fields",
        coords={
            TIME: (SAMPLE, times, cf.TIME),
            ROW: (SAMPLE, np.arange(times.size, dtype=np.int64)),
            CHANNEL: (CHANNEL, np.array([source.location.variable for source in first], str)),
            "units": (CHANNEL, np.array([source.units for source in first], str)),
            "long_name": (CHANNEL, np.array([source.long_name for source in first], str)),
            LAT: (LAT, first[0].lat.values, cf.LATITUDE),
            LON: (LON, first[0].lon.values, cf.LONGITUDE),
        },
        attrs={"calendar": calendar, "source": _files(paths)},
    )


def _files(paths: Sequence[Path]) -> str:
    if len(paths) == 1:
        return str(paths[0])
    return f"{len(paths)} files ({paths[0]} … {paths[-1].name})"
