"""A baseline's patterns, and what is left of its own samples by patterns found without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.data.novelty.subspace import Subspace, decompose, leading

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
    left
        What the patterns of the other blocks leave of each of the baseline's own samples, scaled
        [row, direction], along ``basis``; None where the baseline is compared with itself.
    basis
        Orthonormal directions [direction, column] that hold every sample of the baseline.
    """

    whole: Subspace
    rows: Rows
    left: Array | None
    basis: Array

    def novelty(self, values: npt.ArrayLike, rows: Rows) -> Array:
        """Return the novelty [sample] of samples [sample, column] that stand at ``rows``."""
        found = self.whole.novelty(values)
        own, at = self._own(rows)
        if self.left is not None:
            found[own] = np.sqrt((self.left[at] ** 2).sum(axis=1))
        return found

    def error(self, values: npt.ArrayLike, rows: Rows) -> Array:
        """Return what the patterns leave [sample, column] of samples that stand at ``rows``."""
        found = self.whole.error(values)
        own, at = self._own(rows)
        if self.left is not None:
            found[own] = self.whole.unscaled(self.left[at] @ self.basis)
        return found

    def _own(self, rows: Rows) -> tuple[npt.NDArray[np.bool_], Rows]:
        """Return which samples are the baseline's own, and where they stand in it."""
        own = np.isin(rows, self.rows)
        return own, np.searchsorted(self.rows, rows[own]).astype(np.int64)


def fit_patterns(
    baseline: Array,
    rows: Rows,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    variance: float,
    folds: int,
    names: tuple[str, ...] = (),
) -> Patterns:
    """Return the patterns of a baseline, and what those without a sample's block leave of it.

    Parameters
    ----------
    baseline
        Samples [sample, column].
    rows
        Their positions in the record, ascending; blocks are stretches of them.
    weights, groups, variance, names
        As for `fit_subspace`.
    folds
        Number of blocks; with 1, or fewer than four samples, the baseline is compared with itself.

    Raises
    ------
    DataError
        When a group of columns does not vary over the baseline.
    """
    whole, places, basis = decompose(baseline, weights, groups, variance, names)
    # Every block leaves at least two samples for the others' patterns.
    folds = min(folds, len(rows) // 2)
    left = _left_of_blocks(places, folds, variance) if folds > 1 else None
    return Patterns(whole, rows, left, basis)


def _left_of_blocks(places: Array, folds: int, variance: float) -> Array:
    """Return what patterns of the other blocks leave of samples, given by `decompose`'s places.

    All samples lie in the span of the basis, so everything happens in its few coordinates.
    """
    from scipy.linalg import svd

    left = np.empty_like(places)
    for block in np.array_split(np.arange(len(places)), folds):
        others = np.delete(places, block, axis=0)
        mean = others.mean(axis=0)
        _, sizes, directions = svd(others - mean, full_matrices=False, overwrite_a=True)
        # What rounding leaves of samples that are all alike is no direction.
        sizes[sizes < 1e-10 * np.linalg.norm(places)] = 0.0
        directions = directions[: leading(sizes, variance)]
        away = places[block] - mean
        left[block] = away - (away @ directions.T) @ directions
    return left
