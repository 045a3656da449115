"""Blocks of maps in the order of their files: single maps, or means over the seeds of a sample."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.composites.samples import Samples
from climxai.composites.shards import (
    check_block,
    relevance_blocks,
    relevance_of,
)

Numbers = npt.NDArray[np.int64]
Maps = npt.NDArray[np.float32]
Blocks = Generator[tuple[Numbers, Maps], None, None]
"""Numbers of maps, and the maps [sample, cell]."""


def single_maps(
    samples: Samples,
    wanted: npt.NDArray[np.bool_],
    *,
    lat: slice = slice(None),
) -> Blocks:
    """Yield the wanted maps, unchecked.

    Parameters
    ----------
    samples
        All maps.
    wanted
        Which of them, [map].
    lat
        The latitudes that are read.
    """
    for number, head in enumerate(samples.heads):
        first, last = np.searchsorted(samples.head, [number, number + 1])
        if not wanted[first:last].any():
            continue
        for positions, block in relevance_blocks(head, wanted[first:last], lat=lat, check=False):
            yield first + positions, block.reshape(len(block), -1)


def check_maps(samples: Samples, numbers: Numbers, maps: Maps) -> None:
    """Refuse maps [sample, cell] that are infinite or have no valid cell.

    Raises
    ------
    OutputError
        Naming the shard and the row of the first such map.
    """
    for head in np.unique(samples.head[numbers]).tolist():
        chosen = samples.head[numbers] == head
        check_block(samples.heads[head], samples.position[numbers[chosen]], maps[chosen])


@dataclass(frozen=True)
class Means:
    """Maps that are means over the seeds of one sample; arrays are [mean]."""

    members: Numbers
    """[mean, seed]: the maps that are averaged, -1 where there are fewer"""
    group: npt.NDArray[np.bool_]
    """[mean, group]"""

    @property
    def first(self) -> Numbers:
        """Any map of each mean: what it says of its sample holds for all."""
        return self.members[:, 0]


def means_over_seeds(samples: Samples, group: npt.NDArray[np.bool_]) -> Means:
    """Return the means over those seeds' maps of a sample that are in a group.

    Parameters
    ----------
    samples
        All maps.
    group
        Which map is in which group, [map, group]. Where the seeds of a sample that are in one group
        are not those that are in another, the sample has a mean for each.
    """
    found: dict[tuple[int, ...], list[int]] = {}
    order = np.argsort(samples.row, kind="stable")
    cuts = np.flatnonzero(np.diff(samples.row[order])) + 1
    for maps in np.split(order, cuts):
        member = group[maps]
        for k in np.flatnonzero(member.any(axis=0)).tolist():
            found.setdefault(tuple(sorted(maps[member[:, k]].tolist())), []).append(k)
    keys = sorted(found)
    width = max((len(key) for key in keys), default=1)
    members = np.full((len(keys), width), -1, dtype=np.int64)
    groups = np.zeros((len(keys), group.shape[1]), dtype=bool)
    for i, key in enumerate(keys):
        members[i, : len(key)] = key
        groups[i, found[key]] = True
    return Means(members, groups)


def mean_maps(
    samples: Samples,
    means: Means,
    *,
    lat: slice = slice(None),
) -> Blocks:
    """Yield means over seeds, of maps that are checked."""
    step = max((head.at_once for head in samples.heads), default=1)
    for begin in range(0, len(means.members), step):
        members = means.members[begin : begin + step]
        total: npt.NDArray[np.float64] | None = None
        # A seed after the other: one block of each is held at a time.
        needed = np.unique(members[members >= 0])
        for head in np.unique(samples.head[needed]).tolist():
            maps = needed[samples.head[needed] == head]
            block = relevance_of(samples.heads[head], samples.position[maps], lat)
            flat = block.reshape(len(block), -1)
            check_maps(samples, maps, flat)
            if total is None:
                total = np.zeros((len(members), flat.shape[1]))
            for column in members.T:
                held = np.isin(column, maps)
                total[held] += flat[np.searchsorted(maps, column[held])]
        if total is not None:
            total /= np.count_nonzero(members >= 0, axis=1)[:, None]
            yield begin + np.arange(len(members)), total.astype(np.float32)
