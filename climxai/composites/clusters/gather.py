"""From shards to one row of coarse relevance per sample and seed; a block of maps at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.coarsen import coarse_grid
from climxai.composites.clusters.settings import Strategies
from climxai.composites.shards import BLOCK_BYTES, Head, check_alike, read_head, relevance_blocks
from climxai.core import dims
from climxai.core.errors import DataError, OutputError
from climxai.core.progress import Tick

if TYPE_CHECKING:
    import xarray as xr

Array = npt.NDArray[np.float64]
Maps = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

MOST_BYTES: Final = 2 * 2**30
"""Coarse maps are held whole: more of them than this need a coarser grid."""


@dataclass(frozen=True)
class Explained:
    """The shards of one method, opened but for their maps, and the samples they hold."""

    heads: Mapping[int, Sequence[Head]]
    """seed -> shards"""
    row: Numbers
    """[sample], ascending: samples that any seed explains"""
    label: Numbers
    """[sample]"""
    prediction: Numbers
    """[sample]: the class most seeds gave, the first of equals"""
    right: Array
    """[sample]: fraction of the seeds that gave the true class"""

    @property
    def first(self) -> Head:
        """Any of the shards."""
        return next(iter(self.heads.values()))[0]


@dataclass(frozen=True)
class Gathered:
    """Coarse maps of some samples; what is compared is made of them."""

    row: Numbers
    """[sample]"""
    relevance: Mapping[int, Maps]
    """seed -> [sample, feature], float32; NaN for a sample that this seed does not explain"""
    field: Maps
    """[sample, feature], float32"""
    area: Array
    """[feature]: valid area"""
    lat: Array
    """[feature]"""
    lon: Array
    """[feature]"""

    def mean(self, seeds: Sequence[int] | None = None) -> Array:
        """Return the mean relevance [sample, feature] over the seeds that explain each sample."""
        chosen = list(self.relevance) if seeds is None else list(seeds)
        total = np.zeros(self.field.shape)
        count = np.zeros(len(self.row))
        for seed in chosen:
            has = np.isfinite(self.relevance[seed][:, 0])
            total[has] += self.relevance[seed][has]
            count += has
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count[:, None] > 0, total / count[:, None], np.nan)

    def take(self, positions: Numbers) -> Gathered:
        """Return the coarse maps of some of the samples."""
        return Gathered(
            row=self.row[positions],
            relevance={seed: maps[positions] for seed, maps in self.relevance.items()},
            field=self.field[positions],
            area=self.area,
            lat=self.lat,
            lon=self.lon,
        )


def read_heads(shards: Mapping[int, Sequence[Path]], classes: Sequence[str]) -> Explained:
    """Read what stands beside the maps of one method's shards.

    Raises
    ------
    OutputError
        When a shard is missing, corrupt or of another run than the rest.
    """
    heads = {seed: [read_head(path) for path in shards[seed]] for seed in sorted(shards)}
    together = [head for found in heads.values() for head in found]
    if not together:
        raise OutputError("no shard of relevance: run `climxai explain`")
    check_alike(together, classes)
    row = np.unique(np.concatenate([head.row for head in together]))
    label = np.full(row.size, -1, dtype=np.int64)
    votes = np.zeros((row.size, len(classes)))
    for head in together:
        at = np.searchsorted(row, head.row)
        label[at] = head.label
        given = head.prediction >= 0
        np.add.at(votes, (at[given], head.prediction[given]), 1)
    voters = votes.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        right = votes[np.arange(row.size), np.maximum(label, 0)] / voters
    prediction = np.where(voters > 0, votes.argmax(axis=1), -1)
    return Explained(heads, row, label, prediction, np.where(label >= 0, right, np.nan))


def gather(
    explained: Explained,
    fields: xr.DataArray,
    chosen: Numbers,
    settings: Strategies,
    tick: Tick,
) -> Gathered:
    """Coarsen relevance and field of the chosen rows.

    Parameters
    ----------
    explained
        Shards of one method.
    fields
        [sample, channel, lat, lon] in physical units, lazy, with ``row(sample)``.
    chosen
        Rows to gather, ascending.
    settings
        ``coarsen`` and ``seed`` are read.
    tick
        Called after each shard and each block of the field.

    Raises
    ------
    DataError
        When no coarse cell is valid in all maps, or the coarse maps are too many to be held.
    OutputError
        When a shard is corrupt or explains a row that the data do not hold.
    """
    grid = coarse_grid(explained.first.lat, explained.first.lon, settings.coarsen)
    channels = len(explained.first.channels)
    seeds = list(explained.heads) if settings.seed == "mean" else [int(settings.seed)]
    _check_size(len(chosen), channels * grid.count, len(seeds))
    shape = (len(chosen), channels, grid.count)
    area = np.full(shape[1:], np.inf)
    relevance: dict[int, Maps] = {}
    for seed in seeds:
        held = np.full(shape, np.nan, dtype=np.float32)
        for head in explained.heads[seed]:
            for positions, block in relevance_blocks(head, np.isin(head.row, chosen)):
                means, valid = grid.means(block)
                held[np.searchsorted(chosen, head.row[positions])] = means
                area = np.minimum(area, valid)
            tick(1, note=f"seed {seed}")
        relevance[seed] = held
    field = np.full(shape, np.nan, dtype=np.float32)
    for at, block in field_blocks(fields, chosen, tick):
        means, valid = grid.means(block)
        field[at] = means
        area = np.minimum(area, valid)
    kept = np.isfinite(area) & (area > 0)
    if not kept.any():
        raise DataError(
            "no cell holds relevance and field in all samples that are to be clustered: choose "
            "other samples, or a coarser grid (`strategies.coarsen`)"
        )
    flat = kept.ravel()
    return Gathered(
        row=chosen,
        relevance={
            seed: held.reshape(len(chosen), -1)[:, flat] for seed, held in relevance.items()
        },
        field=field.reshape(len(chosen), -1)[:, flat],
        area=area[kept],
        lat=np.tile(grid.lat, channels)[flat],
        lon=np.tile(grid.lon, channels)[flat],
    )


def field_blocks(
    fields: xr.DataArray, rows: Numbers, tick: Tick
) -> Iterator[tuple[Numbers, npt.NDArray[np.floating]]]:
    """Yield positions in ``rows`` and their maps of the field, by chunks of the record.

    Raises
    ------
    OutputError
        When the data do not hold a row.
    """
    place = {int(row): at for at, row in enumerate(fields[dims.ROW].values.tolist())}
    lost = [int(row) for row in rows if int(row) not in place]
    if lost:
        raise OutputError(
            f"relevance explains row {lost[0]}, which the data do not hold: the data changed, run "
            "`climxai explain` again"
        )
    where = np.array([place[int(row)] for row in rows], dtype=np.int64)
    for begin, end in field_bounds(fields):
        at = np.flatnonzero((where >= begin) & (where < end))
        if at.size:
            block = fields.isel({dims.SAMPLE: where[at]}).transpose(*dims.FIELD_DIMS).values
            yield at, block
        tick(1, note="field")


def field_bounds(fields: xr.DataArray) -> list[tuple[int, int]]:
    """Return (begin, end) of blocks along sample: the chunks of dask, or `BLOCK_BYTES`."""
    total = fields.sizes[dims.SAMPLE]
    chunks = fields.chunksizes.get(dims.SAMPLE)
    if chunks is None:
        step = max(1, BLOCK_BYTES // max(1, fields.nbytes // max(total, 1)))
        chunks = tuple(min(step, total - begin) for begin in range(0, total, step))
    ends = np.cumsum(chunks).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _check_size(samples: int, features: int, seeds: int) -> None:
    size = 4 * samples * features * (seeds + 1)
    if size > MOST_BYTES:
        raise DataError(
            f"{samples} samples of {features} cells from {seeds} seeds take {size / 1e9:.1f} GB to "
            f"compare, at most {MOST_BYTES / 1e9:.1f} GB are held: coarsen the maps, for example "
            "`strategies.coarsen: 4`, or take one seed (`strategies.seed`)"
        )
