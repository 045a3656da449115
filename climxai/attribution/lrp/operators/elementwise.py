"""Activations, which relevance passes unchanged, and operators where the largest value wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing, Ground, Ledger
from climxai.attribution.lrp.operators.call import Call


class Activation(Crossing):
    """An element-wise function of one input; relevance passes unchanged."""

    kind = "activation"

    def __init__(self, run: Callable[..., Any], name: str) -> None:
        self.run = run
        self.name = name

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the activations."""
        del ground
        return self.run(*inputs), None

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance unchanged."""
        del saved, ledger
        return (relevance,)


class Winner(Crossing):
    """The largest of several values: it takes all the relevance."""

    kind = "max"

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the largest values, keeping which they were."""
        del ground
        with torch.enable_grad():
            leaves = tuple(x.detach().requires_grad_() for x in inputs)
            result = self.run(*leaves)
        if isinstance(result, tuple):
            return tuple(r.detach() for r in result), (leaves, result)
        return result.detach(), (leaves, result)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance at the winners, shared evenly where several values tie."""
        del ledger
        leaves, result = saved
        if isinstance(relevance, dict):
            result, relevance = result[0], relevance[0]
        parts = torch.autograd.grad(result, leaves, relevance)
        return tuple(parts)


class Softmax(Crossing):
    """Softmax, by a first-order Taylor expansion: ``R_i = x_i (R_i - s_i sum_j R_j)``.

    Source: Achtibat et al. (2024), arXiv 2402.05602, proposition 3.1.
    """

    kind = "softmax"

    def __init__(self, run: Callable[..., Any], dim: int) -> None:
        self.run = run
        self.dim = dim

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the probabilities."""
        del ground
        (x,) = inputs
        s = self.run(x)
        return s, (x, s)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance of the scores."""
        del ledger
        x, s = saved
        return (x * (relevance - s * relevance.sum(self.dim, keepdim=True)),)


def activation(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an activation of one input."""
    del settled
    if len(call.active) != 1:
        raise call.unsuited(
            f"{len(call.active)} of its arguments depend on the input",
            "Use an activation of one argument with fixed parameters",
        )
    return Activation(call.function(), call.name)


def winner(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a maximum."""
    del settled
    return Winner(call.function())


def softmax(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a softmax."""
    del settled
    return Softmax(call.function(), call["dim"])
