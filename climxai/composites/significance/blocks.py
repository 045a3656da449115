"""Blocks of successive samples: how long, which there are, and how they are drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.serial import Series, effective

Array = npt.NDArray[np.float64]


def block_length(n: int, r: Array) -> int:
    """Return how many of ``n`` samples should be kept together.

    The length L that solves L = (n - L + 1) ^ (2/3 · (1 - n_eff / n)), for the autocorrelation that
    only one cell in twenty exceeds: one length for the whole map keeps neighbouring cells together.
    At most a quarter of the samples, so that there are blocks to draw from.

    Source: Wilks 1997, J. Climate 10, 65, equation 19.
    """
    if n < 2 or r.size == 0:
        return 1
    high = float(np.quantile(r, 0.95))
    power = 2 / 3 * (1 - float(effective(n, np.asarray(high))) / n)
    low, up = 1.0, float(n)
    # The left side grows with L and the right side falls: halving the interval finds L.
    for _ in range(60):
        middle = (low + up) / 2
        low, up = (middle, up) if middle < (n - middle + 1) ** power else (low, middle)
    return max(1, min(round(low), n // 4))


def starts(series: Series, length: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (begin, end) of every block of ``length`` successive samples inside one member.

    A member with fewer samples is a block of its own.
    """
    begins, ends, first = [], [], 0
    for held in series.lengths().tolist():
        begin = first + np.arange(max(1, held - length + 1))
        begins.append(begin)
        ends.append(np.minimum(begin + length, first + held))
        first += held
    return np.concatenate(begins), np.concatenate(ends)


def draws(
    rng: np.random.Generator, blocks: int, drawn: int, resamples: int
) -> Any:  # scipy.sparse.csr_array [resample, block]
    """Return how often each resample holds each block: ``drawn`` of them, with replacement."""
    from scipy.sparse import csr_array

    chosen = rng.integers(0, blocks, size=(resamples, drawn))
    rows = np.repeat(np.arange(resamples), drawn)
    # Equal entries of one resample add up.
    return csr_array((np.ones(chosen.size), (rows, chosen.ravel())), shape=(resamples, blocks))


def shuffled(rng: np.random.Generator, series: Series, length: int) -> npt.NDArray[np.int64]:
    """Return an order of the samples in which blocks have changed places.

    Each member is cut into blocks of ``length`` samples; where the cutting begins is drawn, too.
    Blocks of all members are then put into one random order.
    """
    pieces: list[npt.NDArray[np.int64]] = []
    first = 0
    for held in series.lengths().tolist():
        phase = int(rng.integers(min(length, held)))
        cuts = np.arange(phase, held, length)
        pieces += [
            piece for piece in np.split(first + np.arange(held, dtype=np.int64), cuts) if piece.size
        ]
        first += held
    return np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])


def generator(seed: int, purpose: str, number: int) -> np.random.Generator:
    """Return random numbers for one purpose and class of a user's seed."""
    return np.random.default_rng([seed, number, *purpose.encode()])


def pieces(cells: int, rows: int, budget: int) -> list[slice]:
    """Return slices of cells for which ``rows`` numbers of 8 bytes each fit in ``budget``.

    A multiple of `ALIGNED` cells each: sums of equal numbers come out equal to the bit only in
    arrays of equal shape.
    """
    step = max(1, math.floor(budget / (8 * max(1, rows) * ALIGNED))) * ALIGNED
    return [slice(begin, min(begin + step, cells)) for begin in range(0, cells, step)]


ALIGNED = 64
