"""How relevance crosses one operator: the interface the engine walks."""

from __future__ import annotations

import math
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
    outside
        How many valid inputs lay outside the bounds of its rule [sample].
    """

    bias: Tensor | None = None
    stabiliser: Tensor | None = None
    outside: Tensor | None = None


@dataclass(frozen=True)
class Ground:
    """What is known of an operator's input before any sample is seen; each has one sample.

    Parameters
    ----------
    valid
        1 where an input cell holds data, 0 on land, gaps and padding.
    low, high
        Bounds of the input, or None where none are known.
    clean
        Whether cells that are not valid are known to hold 0.
    """

    valid: Tensor
    low: Tensor | None = None
    high: Tensor | None = None
    clean: bool = True


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
    closed: bool = True
    """Whether all relevance that reaches it goes on to its inputs; where not, an audit shows what
    stays."""

    @abstractmethod
    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the operator's output, and what `backward` needs."""

    @abstractmethod
    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance of every input; fill in the ledger where there is one."""

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return 1 where its output rests on valid cells, else 0; None where all of it does."""
        del inputs

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return bounds of its output from those of its inputs, or None where none are known."""
        del low, high
        return None


def stabilised(sums: Tensor, epsilon: float | Tensor) -> Tensor:
    """Return ``sums + epsilon * sign(sums)``; zero counts as positive."""
    if isinstance(epsilon, float):
        if epsilon == 0.0:
            return sums
        return torch.copysign(sums.new_full((), epsilon), sums).add_(sums)
    return torch.copysign(epsilon.expand_as(sums), sums).add_(sums)


def ratio(relevance: Tensor, sums: Tensor) -> Tensor:
    """Return ``relevance / sums``, and 0 where the sum is 0: a neuron without contributions.

    What else is no finite number stays, so that the walk is repeated in a wider number type.
    """
    s = relevance / sums
    if s.device.type != "cpu":
        return s.masked_fill_(sums == 0, 0.0)
    if math.isfinite(s.sum().item()):
        return s
    # Arithmetic with the sign: choosing by a condition takes several times as long.
    there = sums.sign().abs_()
    return torch.div(relevance, sums + (1 - there), out=s).mul_(there)


def per_sample(values: Tensor) -> Tensor:
    """Return the sum [sample] over everything but the sample dimension."""
    wide = torch.float64
    return values.flatten(1).sum(1, dtype=wide) if values.ndim > 1 else values.to(wide)


def relative_epsilon(sums: Tensor, epsilon: float) -> Tensor:
    """Return epsilon times the root mean square of each sample's sums, shaped to broadcast."""
    flat = sums.flatten(1) if sums.ndim > 1 else sums[:, None]
    # Squares of very small or large sums leave the range of float32: scale them first.
    largest = flat.abs().amax(1, keepdim=True)
    scaled = flat / torch.where(largest > 0, largest, torch.ones_like(largest))
    size = epsilon * largest * scaled.square().mean(1, keepdim=True).sqrt()
    return size.reshape(-1, *[1] * (sums.ndim - 1))
