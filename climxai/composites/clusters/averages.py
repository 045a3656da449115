"""One composite per cluster, of relevance and of the field, and where relevance lies; streaming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.composites.clusters.clusterer import NONE, Numbers
from climxai.composites.clusters.features import divided
from climxai.composites.clusters.gather import Explained, field_blocks, field_bounds
from climxai.composites.clusters.places import Mask
from climxai.composites.clusters.settings import Strategies
from climxai.composites.reductions import Array, Moments
from climxai.composites.shards import relevance_blocks
from climxai.core import dims
from climxai.core.progress import Tick

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Averages:
    """What the maps of each cluster have in common; arrays are [cluster, channel, lat, lon]."""

    relevance: Array
    relevance_std: Array
    field: Array
    maps: Numbers
    """[cluster]: maps that were averaged, one per sample and seed"""
    shares: dict[str, Array]
    """place -> [cluster]: share of the absolute relevance there"""
    sample_shares: dict[str, Array]
    """place -> [sample]: the same per sample, over its seeds"""
    totals: dict[str, Array]
    """place -> [cluster, 2]: absolute relevance there and everywhere"""

    def elsewhere(self, cluster: int) -> dict[str, float]:
        """Return place -> the share of all clusters but one together, NaN where there are none."""
        found = {}
        for place, totals in self.totals.items():
            part, whole = np.delete(totals, cluster - 1, axis=0).sum(axis=0)
            found[place] = _ratio(part, whole)
        return found


def averages(
    explained: Explained,
    fields: xr.DataArray,
    row: Numbers,
    labels: Numbers,
    settings: Strategies,
    masks: Mapping[str, Mask],
    tick: Tick,
) -> Averages:
    """Average relevance and field over each cluster's samples, on the whole grid.

    Every map is divided as `settings.normalise` says, then all maps of all seeds are pooled. Shares
    are of relevance as it is, what was found on invalid cells counted as on land.

    Parameters
    ----------
    explained, fields
        Shards of one method; the field in physical units.
    row, labels
        [sample]: rows, ascending, and their clusters.
    settings
        ``normalise`` and ``seed`` are read.
    masks
        Place -> cells [lat, lon].
    tick
        Called after each shard and each block of the field.
    """
    clusters = int(labels.max(initial=0))
    shape = tuple(fields.sizes[name] for name in dims.MAP_DIMS)
    state = [Moments.empty(shape) for _ in range(clusters)]
    field_state = [Moments.empty(shape) for _ in range(clusters)]
    maps = np.zeros(clusters, dtype=np.int64)
    inside = {place: np.zeros(len(row)) for place in masks}
    total = np.zeros(len(row))
    seeds = list(explained.heads) if settings.seed == "mean" else [int(settings.seed)]
    wanted = row[labels != NONE]
    for seed in seeds:
        for head in explained.heads[seed]:
            leak = _leak(head.path) if masks else np.zeros(len(head.row))
            for positions, block in relevance_blocks(head, np.isin(head.row, wanted)):
                at = np.searchsorted(row, head.row[positions])
                _add_shares(block, leak[positions], at, masks, inside, total)
                values = divided(block.reshape(len(block), -1), settings.normalise)
                values = values.reshape(block.shape)
                for number in np.unique(labels[at]).tolist():
                    chosen = values[labels[at] == number]
                    state[number - 1] = state[number - 1].combine(
                        Moments.chunk(chosen, np.ones(len(chosen)))
                    )
                    maps[number - 1] += len(chosen)
            tick(1, note=f"seed {seed}")
    for at, block in field_blocks(fields, row, tick):
        for number in np.unique(labels[at]).tolist():
            if number != NONE:
                chosen = block[labels[at] == number]
                field_state[number - 1] = field_state[number - 1].combine(
                    Moments.chunk(chosen, np.ones(len(chosen)))
                )
    final = [each.finalise() for each in state]

    def stacked(parts: list[Array]) -> Array:
        return np.stack(parts) if parts else np.empty((0, *shape))

    numbers = range(1, clusters + 1)
    totals = {
        place: np.array(
            [[held[labels == k].sum(), total[labels == k].sum()] for k in numbers]
        ).reshape(clusters, 2)
        for place, held in inside.items()
    }
    return Averages(
        relevance=stacked([each["mean"] for each in final]),
        relevance_std=stacked([each["std"] for each in final]),
        field=stacked([each.finalise()["mean"] for each in field_state]),
        maps=maps,
        shares={
            place: np.array([_ratio(part, whole) for part, whole in pairs])
            for place, pairs in totals.items()
        },
        sample_shares={
            place: np.array([_ratio(a, b) for a, b in zip(held, total, strict=True)])
            for place, held in inside.items()
        },
        totals=totals,
    )


def work(explained: Explained, fields: xr.DataArray, settings: Strategies) -> int:
    """Return how many pieces of work one pass over shards and field ticks off."""
    heads = explained.heads
    seeds = list(heads) if settings.seed == "mean" else [int(settings.seed)]
    return sum(len(heads[seed]) for seed in seeds) + len(field_bounds(fields))


def _add_shares(
    block: npt.NDArray[np.floating],
    leak: Array,
    at: Numbers,
    masks: Mapping[str, Mask],
    inside: Mapping[str, Array],
    total: Array,
) -> None:
    size = np.abs(np.nan_to_num(block.astype(np.float64))).sum(axis=1)
    total[at] += size.sum(axis=(1, 2)) + leak
    for place, mask in masks.items():
        on_land = leak if place in ("land", "any") and "land" in masks else 0.0
        inside[place][at] += size[:, mask].sum(axis=1) + on_land


def _leak(path: Path) -> Array:
    """Return the absolute relevance [sample] that a shard found on invalid cells."""
    import netCDF4

    with netCDF4.Dataset(path) as file:
        if "mask_leak" not in file.variables:
            return np.zeros(len(file.dimensions["sample"]))
        return np.nan_to_num(np.asarray(file.variables["mask_leak"][:], dtype=np.float64))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
