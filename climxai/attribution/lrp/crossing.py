"""How relevance crosses one operator: the interface the engine walks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass
class Ledger:
    """What one layer kept of the relevance that reached it, per sample.

    Parameters
    ----------
    bias
        Relevance that its bias claimed [sample].
    stabiliser
        Relevance that its stabiliser claimed [sample].
    """

    bias: Tensor | None = None
    stabiliser: Tensor | None = None


@dataclass(frozen=True)
class Ground:
    """What is known of an operator's input before any sample is seen; each has one sample.

    Parameters
    ----------
    valid
        1 where an input cell holds data, 0 on land, gaps and padding.
    low, high
        Bounds of the input, or None where none are known.
    """

    valid: Tensor
    low: Tensor | None = None
    high: Tensor | None = None


class Crossing(ABC):
    """How relevance crosses one operator."""

    kind: str = "operator"
    """What the operator is called in rule maps and messages."""
    needs_ground: bool = False
    """Whether `forward` wants the `Ground` of its input."""
    moves: bool = False
    """Whether it only moves values, so that land and bounds can be followed through it."""
    keeps_sign: bool = True
    """Whether inputs that are never negative give outputs that are never negative."""

    @abstractmethod
    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the operator's output, and what `backward` needs."""

    @abstractmethod
    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance of every input; fill in the ledger where there is one."""


def stabilised(sums: Tensor, epsilon: float | Tensor) -> Tensor:
    """Return ``sums + epsilon * sign(sums)``; zero counts as positive."""
    if isinstance(epsilon, float):
        if epsilon == 0.0:
            return sums
        return torch.copysign(sums.new_full((), epsilon), sums).add_(sums)
    return torch.copysign(epsilon.expand_as(sums), sums).add_(sums)


def ratio(relevance: Tensor, sums: Tensor) -> Tensor:
    """Return ``relevance / sums``, and 0 where that is not a finite number."""
    return (relevance / sums).nan_to_num_(nan=0.0, posinf=0.0, neginf=0.0)


def per_sample(values: Tensor) -> Tensor:
    """Return the sum [sample] over everything but the sample dimension."""
    return values.flatten(1).sum(1) if values.ndim > 1 else values


def relative_epsilon(sums: Tensor, epsilon: float) -> Tensor:
    """Return epsilon times the root mean square of each sample's sums, shaped to broadcast."""
    square = sums.square().flatten(1).mean(1) if sums.ndim > 1 else sums.square()
    return (epsilon * square.sqrt()).reshape(-1, *[1] * (sums.ndim - 1))
