"""Composites of networks that had nothing to learn: trained on shuffled labels."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def null_p_values(composite: npt.NDArray[np.floating], nulls: npt.NDArray[np.floating]) -> Array:
    """Return how often a network trained on shuffled labels has as large a composite.

    Parameters
    ----------
    composite
        Relevance […] of the networks in question; its size counts, not its sign.
    nulls
        [network, …], the same composite of each network trained on shuffled labels.

    Returns
    -------
    p
        (1 + networks at least as far from zero) / (1 + networks), NaN where something is missing.
    """
    size = np.abs(composite)
    beyond = (np.abs(nulls) >= size).sum(axis=0)
    p = (1 + beyond) / (1 + len(nulls))
    missing = ~np.isfinite(size) | ~np.isfinite(nulls).all(axis=0)
    return np.asarray(np.where(missing, np.nan, p))


def null_quantile(nulls: npt.NDArray[np.floating], quantile: float) -> Array:
    """Return what a composite must exceed to lie beyond a quantile of the null networks' ones.

    The value that so few of N networks reach that one more, drawn like them, would exceed it with
    a probability of at most 1 - ``quantile``: the k-th largest, k = (1 - quantile) (N + 1) rounded
    down. Interpolating between values would promise more than N networks can keep.

    Parameters
    ----------
    nulls
        [network, …]; the absolute value counts.
    quantile
        From 0 to 1.

    Returns
    -------
    value
        […]; infinite where there are too few networks (see `networks_needed`).

    Source: Labe & Barnes 2021, J. Adv. Model. Earth Syst. 13, e2021MS002464, who show relevance
    above the 95th percentile of networks trained on shuffled labels.
    """
    k = math.floor((1 - quantile) * (len(nulls) + 1) + 1e-9)
    if k < 1:
        return np.full(nulls.shape[1:], np.inf)
    size = np.sort(np.abs(nulls), axis=0).astype(np.float64)
    return np.asarray(size[-k])


def networks_needed(quantile: float) -> int:
    """Return how many null networks it takes to tell what lies beyond a quantile of theirs."""
    return math.ceil(1 / (1 - quantile) - 1 - 1e-9)
