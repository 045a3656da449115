"""Means of the field over the samples whose maps count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from climxai.composites.reductions import Array
from climxai.composites.running import Running
from climxai.composites.shards import BLOCK_BYTES
from climxai.core import dims
from climxai.core.progress import Tick

if TYPE_CHECKING:
    import xarray as xr

CELLS: Final = 4096
"""Cells worked on at once, in float64."""
KINDS: Final = 32
"""Kinds of samples, by their weights, that are summed one by one."""


def field_blocks(fields: xr.DataArray) -> Iterator[tuple[int, int]]:
    """Yield (begin, end) of blocks along sample: the chunks of dask, or `BLOCK_BYTES`."""
    total = fields.sizes[dims.SAMPLE]
    chunks = fields.chunksizes.get(dims.SAMPLE)
    if chunks is None:
        step = max(1, BLOCK_BYTES // max(1, fields.nbytes // max(total, 1)))
        chunks = tuple(min(step, total - begin) for begin in range(0, total, step))
    begin = 0
    for length in chunks:
        yield begin, begin + length
        begin += length


def field_means(fields: xr.DataArray, weights: Array, tick: Tick) -> Array:
    """Return the weighted mean of the field over samples, each block of it read once.

    Parameters
    ----------
    fields
        [sample, channel, lat, lon], lazy.
    weights
        How often each sample counts for each group, [sample, group].
    tick
        Called after each block.

    Returns
    -------
    mean
        [group, channel, lat, lon], NaN where no sample with a weight has a value.
    """
    shape = tuple(fields.sizes[name] for name in dims.MAP_DIMS)
    cells = int(np.prod(shape))
    patterns, kind = np.unique(weights, axis=0, return_inverse=True)
    # Samples with the same weights are summed together, unless there are many kinds of them.
    running = Running(cells, "none", spread=False) if len(patterns) <= KINDS else None
    kind = kind.reshape(-1).astype(np.int64)
    total = np.zeros((weights.shape[1], cells))
    count = np.zeros_like(total)
    for begin, end in field_blocks(fields):
        needed = begin + np.flatnonzero(weights[begin:end].any(axis=1))
        if needed.size:
            chosen = slice(begin, end) if needed.size == end - begin else needed
            block = fields.isel({dims.SAMPLE: chosen}).transpose(*dims.FIELD_DIMS).values
            flat = block.reshape(len(block), -1)
            if running is None or flat.dtype != np.float32:
                _add(flat, weights[needed].T, total, count)
            else:
                _, odd = running.add(flat, kind[needed])
                if odd.size:
                    _add(flat[odd], weights[needed[odd]].T, total, count)
        tick(1, note="field")
    for number, moments in ({} if running is None else running.moments()).items():
        total += patterns[number][:, None] * (moments.mean * moments.count)
        count += patterns[number][:, None] * moments.count
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean.reshape(-1, *shape)


def _add(block: Array, times: Array, total: Array, count: Array) -> None:
    """Add the weighted sums of a block [sample, cell], and the weights of its values."""
    for begin in range(0, block.shape[1], CELLS):
        part = slice(begin, begin + CELLS)
        values = block[:, part].astype(np.float64)
        finite = np.isfinite(values)
        # Land is the same in every sample, almost always: then the count needs no product.
        alike = bool((finite == finite[:1]).all())
        np.copyto(values, 0, where=~finite)
        total[:, part] += times @ values
        count[:, part] += times.sum(axis=1)[:, None] * finite[:1] if alike else times @ finite
