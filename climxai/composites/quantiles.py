"""Exact quantiles over maps, a part of the grid at a time.

All maps of a few latitudes are held at once, as many as the memory allows, and sorted; then the
next latitudes are read. There is no sketch, hence no error but rounding.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np
import numpy.typing as npt

from climxai.composites.blocks import Blocks

LOG = logging.getLogger(__name__)

COPIES = 3
"""How often the values of one part are held: gathered, chosen and sorted."""


def quantiles(
    read: Callable[[slice], Blocks],
    scale: npt.NDArray[np.float64],
    group: npt.NDArray[np.bool_],
    at: Sequence[float],
    shape: tuple[int, int, int],
    memory: int,
) -> npt.NDArray[np.float32]:
    """Return quantiles over the maps of each group, linear between neighbours.

    Parameters
    ----------
    read
        Yields the maps of some latitudes in blocks: numbers, and [sample, cell].
    scale
        What each map is divided by, [map].
    group
        Which map is in which group, [map, group]; a map in none is not asked for.
    at
        The quantiles, from 0 to 1.
    shape
        Channels, latitudes and longitudes.
    memory
        Bytes that may be used.

    Returns
    -------
    quantiles
        [quantile, group, channel, lat, lon], NaN where a cell is valid in no map.
    """
    channels, lats, lons = shape
    wanted = np.flatnonzero(group.any(axis=1))
    place = np.full(len(group), -1, dtype=np.int64)
    place[wanted] = np.arange(wanted.size)
    per_lat = max(1, wanted.size) * channels * lons * 4 * COPIES
    step = int(np.clip(memory // per_lat, 1, lats))
    passes = -(-lats // step)
    result = np.full((len(at), group.shape[1], *shape), np.nan, dtype=np.float32)
    for number, begin in enumerate(range(0, lats, step)):
        if passes > 1:
            LOG.info("quantiles: part %d of %d of the grid", number + 1, passes)
        lat = slice(begin, min(begin + step, lats))
        part = (channels, lat.stop - lat.start, lons)
        values = np.empty((wanted.size, int(np.prod(part))), dtype=np.float32)
        with closing(read(lat)) as blocks:
            for numbers, maps in blocks:
                values[place[numbers]] = maps / scale[numbers, None]
        for k in range(group.shape[1]):
            chosen = group[wanted, k]
            if chosen.any():
                found = _of_sorted(np.sort(values[chosen], axis=0), at)
                result[:, k, :, lat] = found.reshape(len(at), *part)
    return result


def _of_sorted(ordered: npt.NDArray[np.float32], at: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return quantiles [quantile, cell] of values [sample, cell] that ascend, NaN at the end."""
    count = np.count_nonzero(~np.isnan(ordered), axis=0)
    last = np.maximum(count - 1, 0)
    cell = np.arange(ordered.shape[1])
    result = np.empty((len(at), ordered.shape[1]))
    for i, quantile in enumerate(at):
        exact = quantile * last
        low = np.floor(exact).astype(np.int64)
        high = np.minimum(low + 1, last)
        one, other = (ordered[rows, cell].astype(np.float64) for rows in (low, high))
        result[i] = one + (other - one) * (exact - low)
    return result
