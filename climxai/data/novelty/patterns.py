"""A baseline's patterns, and for its own samples patterns that were found without them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.data.novelty.subspace import Subspace, fit_subspace

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Patterns:
    """What samples are compared with.

    Parameters
    ----------
    whole
        Patterns of the whole baseline.
    rows
        Positions of the baseline's rows in the record, ascending.
    blocks
        Patterns of the baseline without one block of it; none where it is scored with itself.
    """

    whole: Subspace
    rows: Rows
    blocks: tuple[Subspace, ...]

    def novelty(self, values: npt.ArrayLike, rows: Rows) -> Array:
        """Return the novelty [sample] of samples [sample, column] that stand at ``rows``."""
        values = np.asarray(values)
        found = np.empty(len(values))
        for subspace, which in self._each(rows):
            found[which] = subspace.novelty(values[which])
        return found

    def error(self, values: npt.ArrayLike, rows: Rows) -> Array:
        """Return what the patterns leave [sample, column] of samples that stand at ``rows``."""
        values = np.asarray(values)
        found = np.empty(values.shape)
        for subspace, which in self._each(rows):
            found[which] = subspace.error(values[which])
        return found

    def _each(self, rows: Rows) -> Iterator[tuple[Subspace, Rows]]:
        """Yield the patterns, and which of the samples they are for."""
        number = np.zeros(len(rows), dtype=np.int64)
        for block, members in enumerate(_cut(self.rows, len(self.blocks))):
            number[np.isin(rows, members)] = block + 1
        for which, subspace in enumerate((self.whole, *self.blocks)):
            chosen = np.flatnonzero(number == which)
            if chosen.size:
                yield subspace, chosen


def fit_patterns(
    baseline: Array,
    rows: Rows,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    variance: float,
    folds: int,
    names: tuple[str, ...] = (),
) -> Patterns:
    """Return the patterns of a baseline, and those without each of ``folds`` blocks of its rows.

    Parameters
    ----------
    baseline
        Samples [sample, column].
    rows
        Their positions in the record, ascending; blocks are stretches of them.
    weights, groups, variance, names
        As for `fit_subspace`.
    folds
        Number of blocks; with 1, or fewer than four samples, the baseline is scored with itself.

    Raises
    ------
    DataError
        When a group of columns does not vary over the baseline.
    """
    whole = fit_subspace(baseline, weights, groups, variance, names)
    # Every block leaves at least two samples for the others' patterns.
    folds = min(folds, len(rows) // 2)
    blocks = tuple(
        fit_subspace(
            baseline[~np.isin(rows, members)], weights, groups, variance, names, whole.scale
        )
        for members in _cut(rows, folds if folds > 1 else 0)
    )
    return Patterns(whole, rows, blocks)


def _cut(rows: Rows, folds: int) -> list[Rows]:
    return list(np.array_split(rows, folds)) if folds else []
