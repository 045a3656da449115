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
    "l2": "l2: each map is divided by the root of the sum of squares of the relevance of its valid "
    "cells, over all channels, before averaging; a map of zeros stays zero and counts",
    "rank": "rank: before averaging, relevance is replaced by its sign times the rank of its "
    "absolute value among the map's valid cells, over all channels, divided by their number; equal "
    "values share their mean rank, zero stays zero",
}
"""One sentence per normalisation, written into the attributes of what was normalised."""


SAFE: Final = (1e-12, 1e12)
"""Largest values of a map whose squares float32 can hold, down to a millionth of them."""


def scales(maps: npt.NDArray[np.floating], how: Normalisation) -> npt.NDArray[np.float64]:
    """Return what each map is divided by.

    Parameters
    ----------
    maps
        Relevance [sample, …], NaN on invalid cells, which take no part.
    how
        ``none`` and ``rank`` give 1; ``max`` the largest absolute value; ``sum`` the sum of
        absolute values, which for maps without negative relevance is their plain sum (Barnes et al.
        2020 divide maps of α1β0 by it) and stays away from zero for signed ones, whose plain sum
        may vanish; ``l2`` the root of the sum of squares.

    Returns
    -------
    scale
        Shape [sample], positive: a map of zeros gets 1, so that it stays zero.
    """
    flat = maps.reshape(len(maps), math.prod(maps.shape[1:]))
    if how in ("none", "rank"):
        return np.ones(len(maps))
    size = np.abs(flat)
    np.copyto(size, 0, where=np.isnan(size))
    scale: npt.NDArray[np.float64] = np.zeros(len(maps))
    size.max(axis=1, initial=0.0, out=scale)
    if how == "sum":
        size.sum(axis=1, dtype=np.float64, out=scale)
    elif how == "l2":
        largest = np.where(scale == 0, 1, scale)
        scale = largest * np.sqrt(np.square(size / largest[:, None]).sum(axis=1))
    scale[scale == 0] = 1
    return scale


def fast_scale(
    one: npt.NDArray[np.float32], valid: npt.NDArray[np.int64], how: Normalisation
) -> float | None:
    """Return the scale (see `scales`) of one map, None where float32 cannot hold its squares.

    Parameters
    ----------
    one
        Relevance [cell], float32.
    valid
        Numbers of its valid cells.
    how
        What maps are divided by.
    """
    # fmax passes over NaN; an infinite map is refused here, too.
    largest = max(float(np.fmax.reduce(one)), -float(np.fmin.reduce(one)))
    if largest == 0:
        return 1.0
    if not SAFE[0] < largest < SAFE[1]:
        return None
    if how in ("none", "rank"):
        return 1.0
    if how == "max":
        return largest
    held = one[valid]
    if how == "sum":
        return float(np.abs(held, out=held).sum())
    return math.sqrt(float(np.square(held, out=held).sum()))


def ranks(maps: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return maps [sample, cell] as signed ranks from -1 to 1; NaN stays NaN (see `MEANING`)."""
    from scipy.stats import rankdata

    result = np.full(maps.shape, np.nan, dtype=np.float32)
    for one, ranked in zip(maps, result, strict=True):
        valid = np.isfinite(one)
        values = one[valid]
        if values.size:
            ranked[valid] = np.sign(values) * rankdata(np.abs(values)) / values.size
    return result


def normalised(maps: npt.NDArray[np.floating], how: Normalisation) -> npt.NDArray[np.float64]:
    """Return maps [sample, …] in float64, each divided by its own scale, or ranked."""
    if how == "rank":
        return ranks(maps.reshape(len(maps), -1)).reshape(maps.shape).astype(np.float64)
    scale = scales(maps, how).reshape(-1, *(1,) * (maps.ndim - 1))
    result: npt.NDArray[np.float64] = maps.astype(np.float64)
    result /= scale
    return result
