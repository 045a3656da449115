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
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.scale > 0, self._left(values) / self.scale, np.nan)

    def _left(self, values: npt.ArrayLike) -> Array:
        scaled = (np.asarray(values, dtype=np.float64) - self.mean) * self.scale
        return np.asarray(scaled - (scaled @ self.patterns.T) @ self.patterns)


def fit_subspace(
    baseline: npt.ArrayLike,
    weights: npt.ArrayLike,
    groups: npt.ArrayLike,
    variance: float,
    names: tuple[str, ...] = (),
    scale: Array | None = None,
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
    scale
        The scale of another baseline, to be compared with; None makes it from this one.

    Raises
    ------
    DataError
        When a group does not vary over the baseline.
    """
    from scipy.linalg import svd

    values = np.array(baseline, dtype=np.float64)
    mean = values.mean(axis=0)
    values -= mean
    if scale is None:
        scale = _scale(values, mean, np.asarray(weights), np.asarray(groups), names)
    values *= scale
    _, sizes, patterns = svd(values, full_matrices=False, overwrite_a=True)
    total = float((sizes**2).sum())
    if total == 0:
        return Subspace(mean, scale, patterns[:0], np.zeros(0))
    shares = sizes**2 / total
    # The sum of all shares may miss 1 by rounding.
    kept = int(np.searchsorted(np.cumsum(shares), variance * (1 - 1e-12))) + 1
    return Subspace(mean, scale, np.ascontiguousarray(patterns[:kept]), shares)


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
