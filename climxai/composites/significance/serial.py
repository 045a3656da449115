"""The order of samples, and how much a sample repeats the one before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Samples in the order of members, then of time; arrays are [sample].

    A sample is what was explained once, whatever the number of networks: the maps of several seeds
    of one date repeat each other and are averaged beforehand.
    """

    group: npt.NDArray[np.int64]
    """number of the class"""
    member: npt.NDArray[np.int64]
    """number of the member, or run, of which the sample is; members do not depend on each other"""
    row: npt.NDArray[np.int64]
    """which sample it is: groups that overlap hold a sample several times"""

    def __len__(self) -> int:
        return len(self.group)

    def of(self, group: int) -> Series:
        """Return the samples of one class alone."""
        inside = self.group == group
        return self.take(inside)

    def take(self, chosen: npt.NDArray[np.bool_]) -> Series:
        """Return some of the samples."""
        return Series(self.group[chosen], self.member[chosen], self.row[chosen])

    def against(self, group: int) -> npt.NDArray[np.bool_]:
        """Return which samples stand for a class and for all others: each sample once.

        A sample of the class itself is none of the others, also where it counts for them, too.
        """
        inside = self.group == group
        outside = ~inside & ~np.isin(self.row, self.row[inside])
        first = np.zeros(len(self), dtype=bool)
        where = np.flatnonzero(outside)
        first[where[np.unique(self.row[where], return_index=True)[1]]] = True
        return np.asarray(inside | first)

    def lengths(self) -> npt.NDArray[np.int64]:
        """Return how many samples follow each other in each member, in order."""
        starts = np.flatnonzero(np.diff(self.member, prepend=-1))
        return np.diff(np.append(starts, len(self.member))).astype(np.int64)


def autocorrelation(
    values: npt.NDArray[np.floating], series: Series, at_least: float = 0.0
) -> Array:
    """Return the autocorrelation of each cell from one sample to the next of the same class.

    The next sample is the next of the series, however far away in time: months of one El Niño
    follow each other, and so do the last of one and the first of the next. What is returned is the
    dependence from sample to sample that `effective` needs. Across members there is none.

    Where samples are few the plain estimate is too low, by (1 + 3r) / n on average (Kendall 1954,
    Biometrika 41, 403); this is undone. An estimate below ``at_least`` is raised to it: with 0 no
    sample counts for more than one, and with the value of the map's median cell chance does not
    make a cell's samples look independent.

    Parameters
    ----------
    values
        [sample, cell], finite.
    series
        Order of the samples, all of one class.
    at_least
        From 0 to 1.

    Returns
    -------
    r
        [cell], from ``at_least`` to just below 1; ``at_least`` where a cell is constant or no
        sample follows another.
    """
    n, cells = values.shape
    follows = series.member[1:] == series.member[:-1]
    pairs = int(np.count_nonzero(follows))
    if pairs == 0 or n < MINIMUM:
        return np.full(cells, at_least)
    deviation = values.astype(np.float64)
    deviation -= deviation.mean(axis=0)
    variance = np.einsum("ij,ij->j", deviation, deviation) / n
    counted = follows.astype(np.float64)
    product = np.einsum("ij,ij,i->j", deviation[:-1], deviation[1:], counted) / pairs
    r = np.divide(product, variance, out=np.zeros(cells), where=variance > 0)
    r = np.where(variance > 0, (n * r + 1) / (n - 3), at_least)
    return np.asarray(np.clip(r, at_least, HIGHEST))


def effective(n: float, r: Array) -> Array:
    """Return how many independent samples are worth as much as ``n`` with autocorrelation ``r``.

    n (1 - r) / (1 + r), right for the mean of a long first-order autoregressive series.

    Source: Zwiers & von Storch 1995, J. Climate 8, 336, after Bayley & Hammersley 1946.
    """
    return n * (1 - r) / (1 + r)


def variance_of_mean(n: float, r: Array) -> Array:
    """Return the variance of the mean of ``n`` samples of a first-order autoregressive series.

    In units of the variance of one sample: (1 + 2 Σ_k (1 - k / n) r^k) / n, summed up.
    """
    total = 1 + 2 * r / (1 - r) - 2 * r * (1 - r**n) / (n * (1 - r) ** 2)
    return np.asarray(total / n)


MINIMUM = 4
"""Samples below which no autocorrelation can be told."""
HIGHEST = 1 - 1e-6
