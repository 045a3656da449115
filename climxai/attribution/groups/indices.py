"""Groups of cells as tensors: gathered, summed over and given back to the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from climxai.attribution.groups.cover import Cover


@dataclass(frozen=True, eq=False)
class Bucket:
    """Groups of similar size: their numbers [g], cells [g, size] and which of these count.

    Short groups repeat their first cell, with ``counts`` [g, size] 0 there.
    """

    groups: Tensor
    cells: Tensor
    counts: Tensor


@dataclass(frozen=True, eq=False)
class Indices:
    """A cover, ready for tensors.

    Parameters
    ----------
    cover
        The groups.
    buckets
        The groups by size, so that little is gathered in vain.
    by_cell, first
        The groups of every cell, cell after cell, and where each cell's begin.
    """

    cover: Cover
    buckets: tuple[Bucket, ...]
    by_cell: Tensor
    first: Tensor

    @classmethod
    def of(cls, cover: Cover) -> Indices:
        """Return a cover with its indices."""
        begins = np.concatenate([[0], np.cumsum(cover.sizes)])
        # Powers of two: at most half of what is gathered is repeated.
        classes = np.ceil(np.log2(cover.sizes)).astype(int)
        buckets = []
        for each in np.unique(classes):
            groups = np.flatnonzero(classes == each)
            longest = int(cover.sizes[groups].max())
            steps = np.arange(longest)[None, :]
            within = steps < cover.sizes[groups][:, None]
            pairs = begins[groups][:, None] + np.where(within, steps, 0)
            buckets.append(
                Bucket(
                    torch.from_numpy(groups),
                    torch.from_numpy(cover.cell[pairs]),
                    torch.from_numpy(within),
                )
            )
        order = np.argsort(cover.cell, kind="stable")
        first = np.concatenate([[0], np.cumsum(cover.times)[:-1]])
        return cls(
            cover,
            tuple(buckets),
            torch.from_numpy(cover.group[order]),
            torch.from_numpy(first.astype(np.int64)),
        )

    @property
    def cells(self) -> int:
        """Number of cells of a map, invalid ones included."""
        return int(np.prod(self.cover.shape))

    def some(self, groups: Tensor | None) -> list[Bucket]:
        """Return the buckets of all groups, or of some."""
        if groups is None:
            return list(self.buckets)
        found = []
        for bucket in self.buckets:
            kept = torch.isin(bucket.groups, groups)
            found.append(Bucket(bucket.groups[kept], bucket.cells[kept], bucket.counts[kept]))
        return found

    @staticmethod
    def parts(bucket: Bucket, groups: int) -> list[Bucket]:
        """Return a bucket in parts of at most so many groups."""
        return [
            Bucket(*(tensor[first : first + groups] for tensor in vars(bucket).values()))
            for first in range(0, len(bucket.groups), groups)
        ]

    def mean_over_groups(self, values: Tensor) -> Tensor:
        """Return maps [sample, channel, lat, lon]: per cell the mean of its groups' values.

        Parameters
        ----------
        values
            One value per group [sample, group]; cells in no group get 0.
        """
        table = values.T.contiguous()
        sums = torch.nn.functional.embedding_bag(self.by_cell, table, self.first, mode="sum")
        times = torch.from_numpy(np.maximum(self.cover.times, 1)).to(values)
        return (sums / times[:, None]).T.reshape(len(values), *self.cover.shape)

    def share_over_cells(self, values: Tensor) -> Tensor:
        """Return maps [sample, channel, lat, lon] on which each group's cells sum to its value.

        Cells in several groups get the sum of their shares.

        Parameters
        ----------
        values
            One value per group [sample, group]; it is divided evenly among the group's cells.
        """
        table = (values / torch.from_numpy(self.cover.sizes).to(values)).T.contiguous()
        sums = torch.nn.functional.embedding_bag(self.by_cell, table, self.first, mode="sum")
        return sums.T.reshape(len(values), *self.cover.shape)
