"""The patterns of a baseline, and what they leave of other samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subspace:
    """Mean and leading patterns of a baseline.

    Parameters
    ----------
    mean
        Mean of the baseline [column].
    scale
        What a departure is multiplied by before it is compared [column].
    patterns
        Orthonormal rows [pattern, column], of scaled departures.
    variance
        The share of the baseline's variance in every pattern that there is [all patterns].
    """

    mean: Array
    scale: Array
    patterns: Array
    variance: Array

    @property
    def explained(self) -> float:
        """The share of the baseline's variance that the patterns hold."""
        return float(self.variance[: len(self.patterns)].sum())

    def novelty(self, values: npt.ArrayLike) -> Array:
        """Return the novelty [sample] of samples [sample, column].

        It is the weighted root mean square of what the patterns leave, in standard deviations of
        the baseline: 0 is known, 1 is as far from the patterns as the baseline is from its mean.
        """
        return np.asarray(np.sqrt((self._left(values) ** 2).sum(axis=1)))

    def error(self, values: npt.ArrayLike) -> Array:
        """Return what the patterns leave of samples [sample, column], in the columns' units."""
        return self.unscaled(self._left(values))

    def unscaled(self, scaled: Array) -> Array:
        """Return scaled departures [sample, column] in the columns' units, NaN where none count."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.scale > 0, scaled / self.scale, np.nan)

    def _left(self, values: npt.ArrayLike) -> Array:
        scaled = (np.asarray(values, dtype=np.float64) - self.mean) * self.scale
        return np.asarray(scaled - (scaled @ self.patterns.T) @ self.patterns)


def fit_subspace(
    baseline: npt.ArrayLike,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    variance: float,
    names: tuple[str, ...] = (),
) -> Subspace:
    """Return the fewest patterns that hold a share of a baseline's variance.

    Departures from the mean are weighted, divided by the standard deviation of their group, and
    decomposed into singular vectors.

    Parameters
    ----------
    baseline
        Samples [sample, column], finite, at least two; held in memory in float64.
    weights
        Weight of every column's square within its group [column], such as its area.
    groups
        Number of each column's group [column], from 0: columns of one unit, such as a channel. All
        groups count alike.
    variance
        The share, above 0 and up to 1.
    names
        What the groups are called, for messages.

    Raises
    ------
    DataError
        When a group does not vary over the baseline.
    """
    return decompose(baseline, weights, groups, variance, names)[0]


def decompose(
    baseline: npt.ArrayLike,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    variance: float,
    names: tuple[str, ...] = (),
) -> tuple[Subspace, Array, Array]:
    """Return `fit_subspace`, and the baseline's scaled departures as ``places @ basis``.

    Returns
    -------
    subspace, places, basis
        ``places`` [sample, direction]; orthonormal ``basis`` [direction, column], which begins with
        the subspace's patterns.
    """
    from scipy.linalg import svd

    values = np.array(baseline, dtype=np.float64)
    mean = values.mean(axis=0)
    values -= mean
    scale = _scale(values, mean, np.asarray(weights, np.float64), np.asarray(groups), names)
    values *= scale
    left, sizes, basis = svd(values, full_matrices=False, overwrite_a=True)
    shares = sizes**2 / (sizes**2).sum()
    subspace = Subspace(mean, scale, basis[: leading(sizes, variance)], shares)
    return subspace, left * sizes, basis


def leading(sizes: Array, variance: float) -> int:
    """Return how many of the singular values, largest first, hold a share of their squares."""
    squares = sizes**2
    if not squares.any():
        return 0
    # The sum of all shares may miss 1 by rounding.
    held = np.cumsum(squares) / squares.sum()
    return int(np.searchsorted(held, variance * (1 - 1e-12))) + 1


def _scale(
    departures: Array,
    mean: Array,
    weights: npt.NDArray[np.floating],
    groups: npt.NDArray[np.integer],
    names: tuple[str, ...],
) -> Array:
    """Return what departures are multiplied by [column], so that their mean square sum is 1."""
    spread = (departures**2).mean(axis=0)
    scale = np.empty_like(mean)
    count = int(groups.max()) + 1
    for number in range(count):
        columns = groups == number
        share = weights[columns] / weights[columns].sum()
        deviation = float(np.sqrt((share * spread[columns]).sum()))
        # What rounding leaves of a constant is no deviation.
        if deviation <= 1e-10 * float(np.abs(mean[columns]).max()):
            what = names[number] if names else "what is compared"
            raise DataError(
                f"novelty.baseline: {what} does not vary over the {len(departures)} rows of the "
                "baseline: choose another baseline or another space"
            )
        scale[columns] = np.sqrt(share / count) / deviation
    return scale
