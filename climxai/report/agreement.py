"""How alike the composites of the networks of different seeds are."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from climxai.composites.summary import pattern_correlation
from climxai.core import dims

if TYPE_CHECKING:
    import xarray as xr


def between_seeds(dataset: xr.Dataset, class_name: str, channel: str) -> list[float]:
    """Return the pattern correlation of every two networks' composites of one class."""
    if "relevance_by_seed" not in dataset:
        return []
    chosen = dataset["relevance_by_seed"].sel({dims.CLASS: class_name, dims.CHANNEL: channel})
    maps = chosen.transpose(dims.SEED, dims.LAT, dims.LON).values
    lat = dataset[dims.LAT].values
    found = [pattern_correlation(one, other, lat) for one, other in combinations(maps, 2)]
    return [value for value in found if np.isfinite(value)]
