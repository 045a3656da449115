"""What replaces groups of cells, and what is then measured of the network's outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Replacement:
    """What stands in place of a sample's values; with neither of both, zeros.

    Parameters
    ----------
    maps
        Maps [1 or sample, channel, lat, lon], 0 on invalid cells.
    levels
        One value per sample, group and channel [sample, group, channel].
    """

    maps: Tensor | None = None
    levels: Tensor | None = None


Measure = Callable[[Tensor, Tensor], Tensor]
"""From outputs [row, *output_shape], and the samples [row] they belong to, to values [row, …]."""


@dataclass(frozen=True, eq=False)
class Weighted:
    """The explained scalar: outputs times weights [sample, *output_shape], summed."""

    start: Tensor

    def __call__(self, outputs: Tensor, samples: Tensor) -> Tensor:
        """Return the scalar [row]."""
        return (outputs.flatten(1) * self.start.flatten(1)[samples]).sum(1)
