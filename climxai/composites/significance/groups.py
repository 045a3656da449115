"""Permutation of blocks: one class against the others."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeInt, PositiveInt

from climxai.composites.significance import blocks
from climxai.composites.significance.method import (
    Against,
    Array,
    Memory,
    SignificanceTest,
)
from climxai.composites.significance.serial import Series, autocorrelation


class Permutation(SignificanceTest):
    """Permutation of blocks: whether the maps of a class differ from those of the other classes.

    The classes of successive samples change places in blocks, so that they last as long as before
    but no longer belong to the maps. The difference between the mean of the class and the mean of
    all other samples is compared with that of each permutation, enlarged by what the cuts between
    blocks take from its spread (see `enlargement`). p = (1 + permutations that differ
    at least as much) / (1 + permutations): no smaller than 1 / (1 + permutations), so that with the
    false discovery rate few significant cells among many need more permutations. It suits methods
    whose relevance is never negative, such as LRP-α1β0, of which zero is no question.

    Source: Good 2005, Permutation, Parametric and Bootstrap Tests of Hypotheses, chapters 3 and 9;
    Wilks 1997, J. Climate 10, 65 (length of the blocks).
    """

    name: Literal["permutation"] = "permutation"
    block_length: PositiveInt | None = None
    """samples kept together; null: chosen from their autocorrelation (Wilks 1997)"""
    permutations: int = Field(1000, ge=19, le=1_000_000)
    """how often blocks change places"""
    seed: NonNegativeInt = 0
    """which random numbers"""

    against: ClassVar[Against] = "others"
    question: ClassVar[str] = "the mean over samples is that of the samples of all other classes"

    def prepare(self, probe: npt.NDArray[np.float32], group: int, series: Series) -> Memory:
        """Return the length of blocks, as given or after Wilks (1997), and the autocorrelation.

        The autocorrelation is that which one cell in twenty exceeds, as for the length.
        """
        chosen = series.against(group)
        held, series = probe[chosen].astype(np.float64), series.take(chosen)
        for inside in (series.group == group, series.group != group):
            if inside.any():
                held[inside] -= held[inside].mean(axis=0)
        r = autocorrelation(held, series)
        length = self.block_length or blocks.block_length(len(series), r)
        return Memory(float(np.quantile(r, 0.95)) if r.size else 0.0, length)

    def p_values(
        self, values: npt.NDArray[np.float32], group: int, series: Series, memory: Memory
    ) -> Array:
        """Return the two-sided p-value of each cell; NaN where no sample is of another class."""
        wanted = series.against(group)
        if not wanted.all():
            values, series = values[wanted], series.take(wanted)
        inside = series.group == group
        n, m = int(inside.sum()), int((~inside).sum())
        if m == 0:
            return np.full(values.shape[1], np.nan)
        # The same orders for every class: of two, one differs from the other as that from it.
        rng = blocks.generator(self.seed, self.name, 0)
        # mean inside - mean outside, as weights of the samples
        observed = inside * (1 / n + 1 / m) - 1 / m
        beyond = np.zeros(values.shape[1], dtype=np.int64)
        together = max(1, min(self.permutations, BYTES // (8 * len(series))))
        factor: float | None = None
        for first in range(0, self.permutations, together):
            drawn = np.stack(
                [
                    observed[blocks.shuffled(rng, series, memory.block or 1)]
                    for _ in range(min(together, self.permutations - first))
                ]
            )
            if factor is None:
                factor = enlargement(observed, drawn, series, memory.r)
            for cells in blocks.pieces(values.shape[1], 2 * len(drawn) + len(values), BYTES):
                held = values[:, cells].astype(np.float64)
                held -= held.mean(axis=0)
                # Equal arrangements must come out equal whatever the order of the sum.
                tie = np.abs(observed @ held) - 1e-9 * np.abs(held).max(axis=0)
                beyond[cells] += (np.abs(drawn @ held) * factor >= tie).sum(axis=0)
        return np.asarray((1 + beyond) / (1 + self.permutations))


def enlargement(observed: Array, drawn: Array, series: Series, r: float) -> float:
    """Return by what permuted differences are too small, at least 1.

    Where blocks meet, classes that last and maps that last no longer last together. For a
    first-order autoregressive series the variance of a sum Σ w_i x_i is Σ_ij w_i w_j r^|i - j| over
    the pairs within a member: its root for the observed weights, over that for permuted ones.

    Parameters
    ----------
    observed
        Weights [sample] of the classes as they are.
    drawn
        Weights [permutation, sample].
    series
        Order of the samples.
    r
        Autocorrelation from sample to sample.
    """
    weights = np.vstack([observed, drawn[:PERMUTED]])
    follows = np.append(False, series.member[1:] == series.member[:-1])
    before = np.zeros(len(weights))
    variance = np.zeros(len(weights))
    for i in range(len(observed)):
        # Σ_{j < i} w_j r^(i - j), step by step
        before = r * (before + weights[:, i - 1]) if follows[i] else np.zeros(len(weights))
        variance += weights[:, i] ** 2 + 2 * weights[:, i] * before
    return float(np.sqrt(max(1.0, variance[0] / variance[1:].mean())))


PERMUTED = 200
"""Permutations whose spread is worked out."""
BYTES = 32 * 2**20
"""Differences of permutations held at once."""
