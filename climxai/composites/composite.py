"""Composites of relevance, and of the field behind it, from shards; one block in memory at a time.

Per class and seed the maps that count are normalised, then averaged. Over seeds all those maps are
pooled: a seed weighs as much as it has maps. The field is averaged over the same maps: a sample
that counts for three seeds weighs three times. Each shard and each row of the field is read once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.composites.normalise import normalised
from climxai.composites.reductions import Array, Moments
from climxai.composites.select import NOT_COUNTED, assign
from climxai.composites.settings import Composite
from climxai.composites.shards import (
    BLOCK_BYTES,
    Head,
    check_alike,
    read_head,
    relevance_blocks,
    same_degrees,
)
from climxai.core import dims
from climxai.core.errors import OutputError
from climxai.core.progress import Tick

if TYPE_CHECKING:
    import xarray as xr

LOG = logging.getLogger(__name__)


def work(shards: Mapping[int, Sequence[Path]], fields: xr.DataArray) -> int:
    """Return how many pieces of work `compose` ticks off: shards and blocks of the field."""
    return sum(len(paths) for paths in shards.values()) + sum(1 for _ in _field_blocks(fields))


def compose(
    shards: Mapping[int, Sequence[Path]],
    fields: xr.DataArray,
    classes: Sequence[str],
    settings: Composite,
    *,
    tick: Tick,
) -> xr.Dataset:
    """Average relevance per class and seed and over seeds, and the field over the same samples.

    Parameters
    ----------
    shards
        Seed -> shards of one method.
    fields
        [sample, channel, lat, lon] in physical units, lazy, with the coordinate ``row(sample)``.
    classes
        Names of the classes; a class without a map gets the count 0 and NaN, with a warning.
    settings
        How maps are selected and normalised.
    tick
        Called after each piece of work, `work` times in all.

    Returns
    -------
    composite
        ``relevance``, ``relevance_std``, ``relevance_seed_std`` and ``field`` (class, channel, lat,
        lon); ``count`` (class); ``relevance_by_seed`` (seed, class, channel, lat, lon);
        ``count_by_seed``, ``zero_fraction`` and ``conservation`` (seed, class). With attributes
        after CF 1.11 and encodings; nothing is written.

    Raises
    ------
    OutputError
        When shards are missing, corrupt, of different runs, or do not belong to the fields.
    """
    from climxai.composites.dataset import assemble

    heads = _read_heads(shards, classes, fields)
    seeds = sorted(heads)
    shape = tuple(fields.sizes[name] for name in dims.MAP_DIMS)
    n = len(classes)
    pooled = [Moments.empty(shape) for _ in classes]
    between = [Moments.empty(shape) for _ in classes]
    by_seed = np.full((len(seeds), n, *shape), np.nan, dtype=np.float32)
    count = np.zeros((len(seeds), n), dtype=np.int32)
    zero_fraction = np.full((len(seeds), n), np.nan)
    conservation = np.full((len(seeds), n), np.nan)
    weights = np.zeros((fields.sizes[dims.SAMPLE], n))
    place = _places(fields)
    for i, seed in enumerate(seeds):
        numbers = [assign(head.label, head.prediction, settings) for head in heads[seed]]
        for k, moments in enumerate(_moments_of(heads[seed], numbers, shape, n, settings, tick)):
            statistics = _per_sample(heads[seed], numbers, k)
            count[i, k] = sum(int(np.count_nonzero(number == k)) for number in numbers)
            zero_fraction[i, k], conservation[i, k] = statistics.finalise()["mean"]
            mean = moments.finalise()["mean"]
            by_seed[i, k] = mean
            pooled[k] = pooled[k].combine(moments)
            if count[i, k]:
                between[k] = between[k].combine(Moments.chunk(mean[None], np.ones(1)))
        for head, number in zip(heads[seed], numbers, strict=True):
            counted = number != NOT_COUNTED
            rows = [place[row] for row in head.row[counted].tolist()]
            np.add.at(weights, (rows, number[counted]), 1)
    _warn_of_empty(classes, seeds, count)
    final = [moments.finalise() for moments in pooled]
    spread = [np.where(moments.count > 1, moments.finalise()["std"], np.nan) for moments in between]
    return assemble(
        fields,
        classes,
        seeds,
        {
            "relevance": np.stack([each["mean"] for each in final]),
            "relevance_std": np.stack([each["std"] for each in final]),
            "relevance_seed_std": np.stack(spread),
            "field": np.stack(_field_means(fields, weights, tick)),
            "count": count.sum(axis=0, dtype=np.int32),
            "relevance_by_seed": by_seed,
            "count_by_seed": count,
            "zero_fraction": zero_fraction,
            "conservation": conservation,
        },
        method=heads[seeds[0]][0].method,
        signed=heads[seeds[0]][0].signed,
        settings=settings,
    )


def _read_heads(
    shards: Mapping[int, Sequence[Path]], classes: Sequence[str], fields: xr.DataArray
) -> dict[int, list[Head]]:
    for seed, paths in shards.items():
        if not paths:
            raise OutputError(f"no shard of relevance for seed {seed}: run `climxai explain`")
    if not shards:
        raise OutputError("no shard of relevance: run `climxai explain`")
    heads = {seed: [read_head(path) for path in paths] for seed, paths in shards.items()}
    for seed, found in heads.items():
        for head in found:
            if head.seed != seed:
                raise OutputError(
                    f"{head.path}: made with seed {head.seed}, expected {seed}: delete it and run "
                    "`climxai explain` again"
                )
    together = [head for found in heads.values() for head in found]
    check_alike(together, classes)
    _check_fields(together, fields)
    return heads


def _check_fields(heads: Sequence[Head], fields: xr.DataArray) -> None:
    first, place = heads[0], _places(fields)
    same = same_degrees(first.lat, fields[dims.LAT].values) and same_degrees(
        first.lon, fields[dims.LON].values
    )
    channels = tuple(str(name) for name in fields[dims.CHANNEL].values)
    if not same or first.channels != channels:
        raise OutputError(
            f"{first.path}: its grid or channels ({', '.join(first.channels)}) are not those of "
            f"the data ({', '.join(channels)}): the data changed, run `climxai explain` again"
        )
    for head in heads:
        lost = [row for row in head.row.tolist() if row not in place]
        if lost:
            raise OutputError(
                f"{head.path}: explains row {lost[0]}, which the data do not hold: the data "
                "changed, run `climxai explain` again"
            )


def _places(fields: xr.DataArray) -> dict[int, int]:
    return {row: i for i, row in enumerate(fields[dims.ROW].values.tolist())}


def _moments_of(
    heads: Sequence[Head],
    numbers: Sequence[npt.NDArray[np.int64]],
    shape: tuple[int, ...],
    n: int,
    settings: Composite,
    tick: Tick,
) -> list[Moments]:
    """Return the moments of the normalised maps of one seed, per class."""
    state = [Moments.empty(shape) for _ in range(n)]
    for head, number in zip(heads, numbers, strict=True):
        for positions, block in relevance_blocks(head, number != NOT_COUNTED):
            maps = normalised(block, settings.normalise)
            for k in np.unique(number[positions]):
                chosen = maps[number[positions] == k]
                state[k] = state[k].combine(Moments.chunk(chosen, np.ones(len(chosen))))
        tick(1, note=f"seed {head.seed}")
    return state


def _per_sample(heads: Sequence[Head], numbers: Sequence[npt.NDArray[np.int64]], k: int) -> Moments:
    """Return the moments of (zero map, conservation ratio) over the maps of one class."""
    state = Moments.empty((2,))
    for head, number in zip(heads, numbers, strict=True):
        values = np.stack([head.zero_map, head.conservation], axis=1)
        state = state.combine(Moments.chunk(values, number == k))
    return state


def _field_blocks(fields: xr.DataArray) -> Iterator[tuple[int, int]]:
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


def _field_means(fields: xr.DataArray, weights: Array, tick: Tick) -> list[Array]:
    """Return the weighted mean of the field per class; ``weights`` are [sample, class]."""
    shape = tuple(fields.sizes[name] for name in dims.MAP_DIMS)
    state = [Moments.empty(shape) for _ in range(weights.shape[1])]
    for begin, end in _field_blocks(fields):
        needed = begin + np.flatnonzero(weights[begin:end].any(axis=1))
        if needed.size:
            block = fields.isel({dims.SAMPLE: needed}).transpose(*dims.FIELD_DIMS).values
            for k in range(weights.shape[1]):
                counted = weights[needed, k] > 0
                if counted.any():
                    chunk = Moments.chunk(block[counted], weights[needed, k][counted])
                    state[k] = state[k].combine(chunk)
        tick(1, note="field")
    return [moments.finalise()["mean"] for moments in state]


def _warn_of_empty(
    classes: Sequence[str], seeds: Sequence[int], count: npt.NDArray[np.int32]
) -> None:
    for name, column in zip(classes, count.T, strict=True):
        without = [str(seed) for seed, number in zip(seeds, column, strict=True) if number == 0]
        if len(without) == len(seeds):
            LOG.warning("class %s: no map counted, its composite is empty", name)
        elif without:
            LOG.warning("class %s: no map counted for seeds %s", name, ", ".join(without))
