"""Groups of cells that a fill leaves as they are: nothing can depend on filling them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor

from climxai.attribution.front import front_of
from climxai.attribution.groups.indices import Indices
from climxai.attribution.network import Network
from climxai.attribution.replacement import Replacement

GATHERED: Final = 1 << 18
"""Values gathered at once before they are worked on: about what the caches can hold."""


def unchanged(network: Network, x: Tensor, fill: Replacement, indices: Indices) -> Tensor:
    """Return which groups [sample, group] of ``x`` a fill leaves as they are, all looked at."""
    cover, values = indices.cover, x.flatten(1).T.contiguous()
    looked_at = ~idle_cells(network)
    maps = torch.zeros_like(x[:1]) if fill.maps is None else fill.maps
    differs = values != maps.flatten(1).T
    area = x.shape[2] * x.shape[3]

    def changed(groups: Tensor, cells: Tensor) -> Tensor:
        """Return which values change [group, cell, sample]."""
        if fill.levels is None:
            found = differs[cells]
        else:
            levels = fill.levels.permute(1, 2, 0)
            found = values[cells] != levels[groups[:, None], cells // area]
        return found & looked_at[cells][..., None]

    begins = torch.from_numpy(cover.cell[np.concatenate([[0], np.cumsum(cover.sizes)[:-1]])])
    found = ~changed(torch.arange(len(cover)), begins[:, None])[:, 0]
    # Only where the first cell stays need the others be looked at.
    for bucket in indices.some(torch.nonzero(found.any(1))[:, 0]):
        size = max(1, GATHERED // max(1, bucket.cells.shape[1] * len(x)))
        for part in Indices.parts(bucket, size):
            found[part.groups] = ~changed(part.groups, part.cells).any(1)
    return found.T


def idle_cells(network: Network) -> Tensor:
    """Return which cells [cell] of the flattened map the network's beginning does not look at."""
    if "idle_cells" not in network.cache:
        front = front_of(network)
        if front is None:
            found = torch.zeros(math.prod(network.shape), dtype=torch.bool)
        else:
            # A column of zeros, and almost surely no other, is orthogonal to a random direction.
            draw = torch.Generator().manual_seed(0)
            direction = torch.randn((1, *front.shape), generator=draw, dtype=network.dtype)
            found = front.pull(direction).reshape(-1) == 0
        network.cache["idle_cells"] = found
    idle: Tensor = network.cache["idle_cells"]
    return idle
