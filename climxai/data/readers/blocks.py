"""Fields as an array that reads what is sliced from it, and how to cut it into dask chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from climxai.data.readers.join import Series

TARGET_BYTES: Final = 32 * 2**20
"""Bytes of float32 in a chunk, about: several are in memory at once, one per thread and step."""
LARGEST_BYTES: Final = 4 * TARGET_BYTES
"""A file's own chunks are followed up to this size, so that each is decompressed once."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Fields [sample, channel, lat, lon] on disk; slicing reads, each call by itself.

    Reading goes through xarray's netCDF4 back end and its lock, so threads may share one.

    Parameters
    ----------
    channels
        One series per channel, all with the same times and grid.
    rows
        Positions along time to present, ascending.
    """

    channels: tuple[Series, ...]
    rows: npt.NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Samples, channels, latitudes, longitudes."""
        source = self.channels[0].sources[0]
        return (self.rows.size, len(self.channels), source.lat.values.size, source.lon.values.size)

    @property
    def ndim(self) -> int:
        """Four."""
        return 4

    @property
    def dtype(self) -> np.dtype[np.float32]:
        """Single precision, whatever the files hold."""
        return np.dtype(np.float32)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # Told apart by what would be read, without reading it.
        parts: list[Any] = [self.rows]
        for series in self.channels:
            for source in series.sources:
                state = source.path.stat()
                parts += [str(source.path.absolute()), state.st_size, state.st_mtime_ns]
                parts += [source.location.variable, source.lat.positions, source.lon.positions]
        return tuple(parts)

    def __getitem__(self, key: tuple[Any, ...]) -> npt.NDArray[np.float32]:
        """Read what a key of integers, slices and lists picks, each along its own dimension.

        Dask hands on any slice that is taken of the fields later.
        """
        keys = (*key, *(slice(None),) * (4 - len(key)))
        picked = [np.arange(size)[part] for size, part in zip(self.shape, keys, strict=True)]
        samples, channels, lat, lon = (np.atleast_1d(part) for part in picked)
        rows, places = np.unique(self.rows[samples], return_inverse=True)
        block = np.empty((rows.size, channels.size, *self.shape[2:]), np.float32)
        for number, channel in enumerate(channels):
            _fill(block[:, number], self.channels[channel], rows)
        for axis, order in ((0, places), (2, lat), (3, lon)):
            if not np.array_equal(order, np.arange(block.shape[axis])):
                block = np.take(block, order, axis=axis)
        return block.reshape([part.size for part in picked if part.ndim])


def row_chunks(blocks: Blocks, rows: int | None) -> tuple[int, ...]:
    """Return the lengths of the chunks along sample.

    Parameters
    ----------
    blocks
        The fields.
    rows
        Length to use; None takes about 32 MB, in multiples of the file's own chunks and beginning
        where one of them begins.
    """
    total = blocks.rows.size
    if rows is not None:
        return _lengths(total, rows, rows)
    per_row = 4 * max(1, int(np.prod(blocks.shape[1:])))
    rows = max(1, TARGET_BYTES // per_row)
    source = blocks.channels[0].sources[0]
    contiguous = int(blocks.rows[-1] - blocks.rows[0]) + 1 == total
    together = source.rows_together
    if not contiguous or together <= 1 or together * per_row > LARGEST_BYTES:
        return _lengths(total, rows, rows)
    rows = max(together, rows // together * together)
    return _lengths(total, rows - int(blocks.rows[0]) % together, rows)


def _lengths(total: int, first: int, rows: int) -> tuple[int, ...]:
    edges = [0, *range(min(first, total), total, rows), total]
    return tuple(int(length) for length in np.diff(edges) if length)


def _fill(out: npt.NDArray[np.float32], series: Series, rows: npt.NDArray[np.int64]) -> None:
    """Read ``rows`` of a series into ``out`` [row, lat, lon], file by file, run by run."""
    owner = np.searchsorted(series.starts, rows, side="right") - 1
    for number in np.unique(owner):
        source = series.sources[number]
        places = np.flatnonzero(owner == number)
        within = rows[places] - series.starts[number]
        for run in _runs(within, source.rows_together):
            wanted = within[run]
            read = source.read(slice(int(wanted[0]), int(wanted[-1]) + 1))
            out[places[run]] = read[wanted - wanted[0]]


def _runs(rows: npt.NDArray[np.int64], together: int) -> Iterator[slice]:
    # Rows in the same or the next chunk of the file are read at once: it is decompressed anyway.
    breaks = np.flatnonzero(np.diff(rows) > max(1, together)) + 1
    edges = [0, *breaks.tolist(), rows.size]
    for start, stop in pairwise(edges):
        yield slice(start, stop)
