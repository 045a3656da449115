"""Passing over a record row by row, never holding more than one dask chunk of it.

Sums run in float64 and in the order of the rows, so that a fit is the same, bit for bit, however
the record is chunked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from climxai.core.cf import LATITUDE, LONGITUDE
from climxai.core.dims import CHANNEL, FIELD_DIMS, LAT, LON
from climxai.core.errors import DataError

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


def _data(fields: xr.DataArray) -> Any:
    """Return the dask array of the fields, chunked along `sample` only."""
    data = da.asarray(fields.transpose(*FIELD_DIMS).data)  # type: ignore[no-untyped-call]
    return data.rechunk({1: -1, 2: -1, 3: -1})


def blocks(fields: xr.DataArray, rows: Rows) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield (position, row [channel, lat, lon]) for ascending ``rows``, one chunk in memory.

    Raises
    ------
    DataError
        When a file cannot be read.
    """
    data = _data(fields)
    starts = np.concatenate([[0], np.cumsum(data.chunks[0])])
    for number in range(len(starts) - 1):
        start, stop = int(starts[number]), int(starts[number + 1])
        wanted = rows[np.searchsorted(rows, start) : np.searchsorted(rows, stop)]
        if not wanted.size:
            continue
        try:
            block = np.asarray(data.blocks[number].compute())
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"rows {start} to {stop - 1} of the record cannot be read: {error}. "
                "Is a file truncated? Copy or download it again"
            ) from error
        for position in wanted:
            yield int(position), block[position - start]


class Departures:
    """Rows, one after another, as departures from each cell's first finite value.

    The shift keeps sums of squares exact where values are large beside their spread (Kelvin), and
    makes every moment of a constant cell exactly zero.

    Iterating yields (position, departure, missing): float64 and bool [channel, lat, lon], the
    departure 0 where missing. ``missing`` stays the same object while it does not change. Both
    arrays are reused: copy what must last.
    """

    def __init__(self, fields: xr.DataArray, rows: Rows) -> None:
        self.fields, self.rows = fields, rows
        shape = tuple(fields.sizes[dim] for dim in FIELD_DIMS[1:])
        self.shift: Array = np.full(shape, np.nan)

    def __iter__(self) -> Iterator[tuple[int, Array, Mask]]:
        departure = np.empty_like(self.shift)
        missing: Mask | None = None
        for position, row in blocks(self.fields, self.rows):
            gaps = ~np.isfinite(row)
            if missing is None or not np.array_equal(gaps, missing):
                missing = gaps
                fresh = np.isnan(self.shift) & ~missing
                self.shift[fresh] = row[fresh]
            np.subtract(row, self.shift, out=departure)
            departure[missing] = 0.0
            yield position, departure, missing


class Present:
    """Sums per cell, over the rows in which it is finite, of numbers that belong to the row.

    The sum over all rows is one number for all cells; what the gaps take away is gathered per cell,
    and only when the pattern of gaps changes: a fixed land mask costs nothing.
    """

    def __init__(self, numbers: int, shape: tuple[int, ...]) -> None:
        self.full: Array = np.zeros(numbers)
        self.lost: Array = np.zeros((numbers, *shape))
        self._pending: Array = np.zeros(numbers)
        self._missing: Mask | None = None

    def add(self, numbers: Array, missing: Mask) -> None:
        """Count a row with these numbers [number] and these gaps [channel, lat, lon]."""
        if missing is not self._missing:
            self._flush()
            self._missing = missing
        self.full += numbers
        self._pending += numbers

    def _flush(self) -> None:
        if self._missing is not None and self._missing.any():
            for number in np.flatnonzero(self._pending):
                self.lost[number][self._missing] += self._pending[number]
        self._pending[:] = 0.0

    def sums(self) -> Array:
        """Return the sums [number, channel, lat, lon]."""
        self._flush()
        return self.full.reshape(-1, *[1] * (self.lost.ndim - 1)) - self.lost


def change_rows(
    fields: xr.DataArray,
    change: Callable[..., npt.NDArray[np.float32]],
    per_row: npt.NDArray[Any] | None = None,
    **known: Any,
) -> xr.DataArray:
    """Return the fields after ``change``, lazily, block by block along `sample`.

    Parameters
    ----------
    fields
        The record (sample, channel, lat, lon).
    change
        A module-level function ``change(block, [numbers,] **known)`` -> float32 block.
    per_row
        Numbers of each row [sample, number], given to ``change`` for the rows of its block.
    known
        Arrays that are the same for all rows.
    """
    data = _data(fields)
    arrays = [data]
    if per_row is not None:
        numbers = per_row.reshape(len(per_row), -1, 1, 1)
        chunks = (data.chunks[0], -1, -1, -1)
        arrays.append(da.from_array(numbers, chunks=chunks))  # type: ignore[no-untyped-call]
    changed = da.map_blocks(  # type: ignore[no-untyped-call]
        change,
        *arrays,
        **known,
        dtype=np.float32,
        chunks=data.chunks,
        meta=np.empty((0,) * 4, "f4"),
    )
    return fields.transpose(*FIELD_DIMS).copy(data=changed)


def maps(fields: xr.DataArray, **variables: tuple[str, Array, dict[str, str]]) -> xr.Dataset:
    """Return fitted maps as a dataset on the grid and channels of the fields.

    Each variable is (leading dimension or ``""``, values [(leading,) channel, lat, lon], attrs).
    """
    dataset = xr.Dataset(
        {
            name: (((lead,) if lead else ()) + FIELD_DIMS[1:], values, attrs)
            for name, (lead, values, attrs) in variables.items()
        }
    )
    return dataset.assign_coords(grid_of(fields))


def grid_of(fields: xr.DataArray) -> dict[str, xr.Variable]:
    """Return the coordinates channel, lat and lon alone, with CF attributes."""
    return {
        CHANNEL: xr.Variable(CHANNEL, fields[CHANNEL].values.astype(str)),
        LAT: xr.Variable(LAT, fields[LAT].values, dict(LATITUDE)),
        LON: xr.Variable(LON, fields[LON].values, dict(LONGITUDE)),
    }


def check_grid(fields: xr.DataArray, fitted: xr.Dataset, step: str) -> None:
    """Check that the fields stand on the grid and channels of a fit.

    Raises
    ------
    DataError
        Saying which of channel, lat and lon differs, and how.
    """
    for dim in FIELD_DIMS[1:]:
        if dim not in fitted.coords:
            continue
        found, known = fields[dim].values, fitted[dim].values
        if found.shape == known.shape and (
            np.array_equal(found.astype(str), known.astype(str))
            if dim == CHANNEL
            else np.allclose(found, known, rtol=0, atol=1e-4)
        ):
            continue
        raise DataError(
            f"preprocessing step {step} was fitted on {dim} {_extent(known)}, the data have "
            f"{_extent(found)}: use data on the grid and with the channels of the fit, or fit anew"
        )


def _extent(values: npt.NDArray[Any]) -> str:
    if values.dtype.kind in "fiu" and values.size:
        return f"{values[0]:g} to {values[-1]:g} in {values.size} steps"
    return ", ".join(str(value) for value in values)
