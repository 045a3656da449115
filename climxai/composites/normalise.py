"""What a relevance map is divided by before maps are averaged."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from climxai.composites.settings import Normalisation

MEANING: Final[dict[Normalisation, str]] = {
    "none": "none: maps are averaged as they are, in units of the explained output",
    "max": "max: each map is divided by the largest absolute relevance of its valid cells, over "
    "all channels, before averaging; a map of zeros stays zero and counts",
    "sum": "sum: each map is divided by the sum of the absolute relevance of its valid cells, over "
    "all channels, before averaging; a map of zeros stays zero and counts",
}
"""One sentence per normalisation, written into the attributes of what was normalised."""


def scales(maps: npt.NDArray[np.floating], how: Normalisation) -> npt.NDArray[np.float64]:
    """Return what each map is divided by.

    Parameters
    ----------
    maps
        Relevance [sample, …], NaN on invalid cells, which take no part.
    how
        ``none`` gives 1; ``max`` the largest absolute value; ``sum`` the sum of absolute values,
        which for maps without negative relevance is their plain sum (Barnes et al. 2020 divide
        maps of α1β0 by it) and stays away from zero for signed ones, whose plain sum may vanish.

    Returns
    -------
    scale
        Shape [sample], positive: a map of zeros gets 1, so that it stays zero.
    """
    flat = maps.reshape(len(maps), math.prod(maps.shape[1:]))
    if how == "none":
        return np.ones(len(maps))
    size = np.abs(flat)
    np.copyto(size, 0, where=np.isnan(size))
    scale: npt.NDArray[np.float64] = np.zeros(len(maps))
    if how == "max":
        size.max(axis=1, initial=0.0, out=scale)
    else:
        size.sum(axis=1, dtype=np.float64, out=scale)
    scale[scale == 0] = 1
    return scale


def normalised(maps: npt.NDArray[np.floating], how: Normalisation) -> npt.NDArray[np.float64]:
    """Return maps [sample, …] in float64, each divided by its own scale (see `scales`)."""
    scale = scales(maps, how).reshape(-1, *(1,) * (maps.ndim - 1))
    result: npt.NDArray[np.float64] = maps.astype(np.float64)
    result /= scale
    return result
