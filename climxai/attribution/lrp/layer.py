"""Layers as rule maps see them: name, kind and position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WEIGHTED = ("dense", "convolution", "transposed_convolution")
"""Kinds of layers that positions count and that a single rule everywhere means."""

Kind = Literal[
    "dense",
    "convolution",
    "transposed_convolution",
    "batch_norm",
    "pooling",
    "interpolation",
    "sum",
]
"""Kinds of operators that a rule is needed for."""


@dataclass(frozen=True)
class Layer:
    """One operator that needs a rule.

    Parameters
    ----------
    name
        Its dotted path in the module, or the graph node where it has none.
    kind
        Its kind.
    number, count
        Its place among the weighted layers, from 0 at the input, and how many there are; -1 for
        operators without weights.
    first
        Whether it is a weighted layer that sees the input with no other weighted layer between.
    """

    name: str
    kind: str
    number: int
    count: int
    first: bool

    @property
    def weighted(self) -> bool:
        """Whether it is a dense or convolution layer."""
        return self.kind in WEIGHTED

    @property
    def last(self) -> bool:
        """Whether it is the last weighted layer."""
        return self.weighted and self.number == self.count - 1

    @property
    def third(self) -> Literal["lower", "middle", "upper"]:
        """In which third of the weighted layers it lies, from the input up.

        The last of several is always upper.
        """
        if self.last and self.count > 1:
            return "upper"
        thirds: tuple[Literal["lower", "middle", "upper"], ...] = ("lower", "middle", "upper")
        return thirds[min(2, self.number * 3 // max(1, self.count))]
