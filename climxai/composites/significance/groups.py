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
    all other samples is compared with that of each permutation. p = (1 + permutations that differ
    at least as much) / (1 + permutations): no smaller than 1 / (1 + permutations). It suits methods
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
        """Return the map's autocorrelation and the length of blocks: as given, or Wilks (1997)."""
        chosen = series.against(group)
        held, series = probe[chosen].astype(np.float64), series.take(chosen)
        for inside in (series.group == group, series.group != group):
            if inside.any():
                held[inside] -= held[inside].mean(axis=0)
        r = autocorrelation(held, series)
        length = self.block_length or blocks.block_length(len(series), r)
        return Memory(float(np.median(r)) if r.size else 0.0, length)

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
        rng = blocks.generator(self.seed, self.name, group)
        chosen = np.empty((self.permutations + 1, len(series)))
        chosen[0] = inside
        for i in range(1, len(chosen)):
            chosen[i] = inside[blocks.shuffled(rng, series, memory.block or 1)]
        # mean inside - mean outside, as weights of the samples
        chosen *= 1 / n + 1 / m
        chosen -= 1 / m
        p = np.empty(values.shape[1])
        for cells in blocks.pieces(values.shape[1], 2 * len(chosen) + len(values), BYTES):
            held = values[:, cells].astype(np.float64)
            held -= held.mean(axis=0)
            difference = np.abs(chosen @ held)
            # Equal arrangements must come out equal whatever the order of the sum.
            tie = difference[0] - 1e-9 * np.abs(held).max(axis=0)
            beyond = (difference[1:] >= tie).sum(axis=0)
            p[cells] = (1 + beyond) / (1 + self.permutations)
        return p


BYTES = 32 * 2**20
"""Differences of permutations held at once."""
