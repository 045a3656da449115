"""Bootstrap with moving blocks: the mean of one class against zero."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeInt, PositiveInt

from climxai.composites.significance import blocks
from climxai.composites.significance.method import Against, Array, Memory, SignificanceTest
from climxai.composites.significance.serial import Series, autocorrelation, variance_of_mean


class BlockBootstrap(SignificanceTest):
    """Bootstrap with moving blocks: the mean against zero, without a shape for the samples' spread.

    Blocks of successive samples are drawn with replacement until there are as many samples as
    before, the same ones for all cells. The mean of a resample, less what all resamples have on
    average, is compared with the mean itself, each divided by its own standard error from the
    spread of its blocks (the bootstrap-t). Blocks that are short against the memory of the samples
    see too little of the spread: the standard error of the mean is enlarged by what they miss of a
    first-order autoregressive series, with an autocorrelation as in `t_test`.
    p = (1 + resamples at least as far from zero) / (1 + resamples): never less than
    1 / (1 + resamples).

    Source: Künsch 1989, Ann. Stat. 17, 1217; Götze & Künsch 1996, Ann. Stat. 24, 1914;
    Wilks 1997, J. Climate 10, 65.
    """

    name: Literal["block_bootstrap"] = "block_bootstrap"
    block_length: PositiveInt | None = None
    """samples kept together; null: chosen from their autocorrelation (Wilks 1997)"""
    resamples: int = Field(1000, ge=19, le=1_000_000)
    """how often samples are drawn anew"""
    seed: NonNegativeInt = 0
    """which random numbers"""

    against: ClassVar[Against] = "zero"
    question: ClassVar[str] = "the mean over samples is zero"

    def prepare(self, probe: npt.NDArray[np.float32], group: int, series: Series) -> Memory:
        """Return the map's autocorrelation and the length of blocks: as given, or Wilks (1997)."""
        own = series.of(group)
        r = autocorrelation(probe[series.group == group], own)
        length = self.block_length or blocks.block_length(len(own), r)
        return Memory(float(np.median(r)) if r.size else 0.0, length)

    def p_values(
        self, values: npt.NDArray[np.float32], group: int, series: Series, memory: Memory
    ) -> Array:
        """Return the two-sided p-value of each cell; 1 where all samples are zero."""
        values, series = values[series.group == group], series.of(group)
        begin, end = blocks.starts(series, memory.block or 1)
        lengths = (end - begin).astype(np.float64)
        drawn = max(2, round(len(series) / lengths.mean()))
        rng = blocks.generator(self.seed, self.name, group)
        times = blocks.draws(rng, len(begin), drawn, self.resamples)
        size = times @ lengths
        p = np.empty(values.shape[1])
        for cells in blocks.pieces(values.shape[1], 4 * self.resamples, BYTES):
            unseen = enlargement(
                len(series), lengths.mean(), autocorrelation(values[:, cells], series, memory.r)
            )
            p[cells] = self._of(values[:, cells], begin, end, lengths, times, size, drawn, unseen)
        return p

    def _of(
        self,
        values: npt.NDArray[np.float32],
        begin: npt.NDArray[np.int64],
        end: npt.NDArray[np.int64],
        lengths: Array,
        times: Any,
        size: Array,
        drawn: int,
        unseen: Array,
    ) -> Array:
        total = np.zeros((len(values) + 1, values.shape[1]))
        np.cumsum(values, axis=0, dtype=np.float64, out=total[1:])
        mean = total[-1] / len(values)
        # Sums of every block about the mean of all blocks, which resamples have on average.
        sums = total[end] - total[begin]
        centre = sums.sum(axis=0) / lengths.sum()
        sums -= centre * lengths[:, None]
        spread = np.einsum("ij,ij->j", sums, sums) / len(sums)
        error = np.sqrt(drawn * spread) / (drawn * lengths.mean()) * unseen
        # Resamples: mean, and its standard error from the spread of the blocks about it.
        drift = np.asarray(times @ sums) / size[:, None]
        squares = np.asarray(times @ sums**2)
        squares -= 2 * drift * np.asarray(times @ (sums * lengths[:, None]))
        squares += drift**2 * np.asarray(times @ lengths**2)[:, None]
        own = np.sqrt(np.maximum(squares, 0)) / size[:, None]
        # |drift| / own >= |mean| / error, without dividing by what may be zero.
        beyond = np.abs(drift) * error >= np.abs(mean) * own * (1 - 1e-12)
        # A cell that is the same in all samples differs from zero as clearly as can be.
        beyond &= error > 1e-12 * np.abs(mean)
        p = (1 + beyond.sum(axis=0)) / (1 + self.resamples)
        return np.asarray(np.where(mean != 0, p, 1.0))


def enlargement(n: int, length: float, r: Array) -> Array:
    """Return by what blocks of a ``length`` see too small a standard error of a mean of ``n``.

    1 without autocorrelation. Deviations of blocks from the mean of all have on average the
    variance V(length) - V(n) in place of (1 - length / n) · n / length · V(n), V as in
    `variance_of_mean`.
    """
    whole, part = variance_of_mean(n, r), variance_of_mean(length, r)
    if length >= n:
        return np.ones_like(r)
    return np.sqrt((1 - length / n) * n / length * whole / (part - whole))


BYTES = 32 * 2**20
"""Resampled means held at once."""
