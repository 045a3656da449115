"""Streaming statistics: each is declared by how it reads a chunk, combines two, and ends.

Memory does not grow with the number of samples, and any partition of the samples into chunks, taken
in any order, gives the same result to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Reduction(Protocol):
    """A statistic over samples that is gathered piece by piece."""

    @classmethod
    def chunk(cls, values: npt.NDArray[np.floating], weights: npt.NDArray[np.number]) -> Self:
        """Return the state after one chunk [sample, …] with its weights [sample]."""

    def combine(self, other: Self) -> Self:
        """Return the state after the samples of both; associative and commutative."""

    def finalise(self) -> dict[str, Array]:
        """Return the statistics by name, NaN where no sample counted."""


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations per cell.

    A value that is not finite has weight 0: a cell's statistics are those of the samples that are
    valid there. Pieces are combined without subtracting large sums (Chan, Golub & LeVeque 1983).
    """

    count: Array
    """sum of weights per cell"""
    mean: Array
    """mean per cell, 0 where the count is 0"""
    m2: Array
    """weighted sum of squared deviations from the mean"""

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> Self:
        """Return the state before any sample, for maps of a shape."""
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape))

    @classmethod
    def chunk(cls, values: npt.NDArray[np.floating], weights: npt.NDArray[np.number]) -> Self:
        """Return the moments of one chunk.

        Parameters
        ----------
        values
            [sample, …]; not finite where a sample does not count.
        weights
            [sample], 0 or more: how many times a sample counts.
        """
        shape = values.shape[1:]
        flat = values.reshape(len(values), math.prod(shape)).astype(np.float64)
        times: Array = weights.astype(np.float64)
        finite = np.isfinite(flat)
        np.copyto(flat, 0, where=~finite)
        # Land is the same in every sample, almost always: then a count per cell needs no product.
        alike = bool((finite == finite[:1]).all())
        count: Array = times.sum() * finite[:1].any(axis=0) if alike else times @ finite
        mean = _divided(times @ flat, count)
        flat -= mean
        if not alike:
            flat *= finite
        np.square(flat, out=flat)
        m2: Array = times @ flat
        return cls(count.reshape(shape), mean.reshape(shape), m2.reshape(shape))

    def combine(self, other: Self) -> Self:
        """Return the moments of the samples of both."""
        count = self.count + other.count
        delta = other.mean - self.mean
        share = _divided(other.count, count)
        mean = self.mean + delta * share
        m2 = self.m2 + other.m2 + delta**2 * self.count * share
        return type(self)(count, mean, m2)

    def finalise(self) -> dict[str, Array]:
        """Return ``mean`` and ``std`` (divisor: the count), NaN where the count is 0."""
        seen = self.count > 0
        variance = _divided(self.m2, self.count)
        return {
            "mean": np.where(seen, self.mean, np.nan),
            "std": np.where(seen, np.sqrt(variance), np.nan),
        }


def _divided(numerator: Array, denominator: Array) -> Array:
    """Return the quotient, 0 where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)
