"""Activations, which relevance passes unchanged, and operators where the largest value wins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing, Ground, Ledger
from climxai.attribution.lrp.operators.call import Call

RISING = frozenset(
    (
        *("aten.relu.default", "aten.relu6.default", "aten.sigmoid.default", "aten.tanh.default"),
        *("aten.hardsigmoid.default", "aten.softplus.default", "aten.exp.default"),
        *("aten.elu.default", "aten.selu.default", "aten.celu.default", "aten.hardtanh.default"),
        *("aten.clamp.default", "aten.clamp_min.default"),
    )
)
"""Activations that keep order: a larger input never gives a smaller output."""


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

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells: they stay where they are."""
        return inputs[0]

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the activations of the bounds, None for functions that do not keep order."""
        return (self.run(*low), self.run(*high)) if self.name in RISING else None

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance unchanged."""
        del saved, ledger
        return (relevance,)


class Winner(Crossing):
    """The largest of several values: it takes all the relevance.

    Parameters
    ----------
    run
        The operator as a function of its inputs.
    blank
        The same with fixed numbers among the values as 0; the relevance that such a number wins
        goes to no input.
    """

    kind = "max"

    def __init__(self, run: Callable[..., Any], blank: Callable[..., Any] | None = None) -> None:
        self.run = run
        self.blank = run if blank is None else blank
        self.closed = blank is None

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
        """Return the relevance at the winners.

        Where values tie, a pooling window's first one wins; a maximum of several tensors or over
        dimensions shares evenly.
        """
        del ledger
        leaves, result = saved
        if isinstance(relevance, dict):
            result, relevance = result[0], relevance[0]
        parts = torch.autograd.grad(result, leaves, relevance)
        return tuple(parts)

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return 1 where any of the values is valid."""
        return self.blank(*inputs)

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the largest of the bounds."""
        return self.run(*low), self.run(*high)


class Softmax(Crossing):
    """Softmax, by a first-order Taylor expansion: ``R_i = x_i (R_i - s_i sum_j R_j)``.

    Source: Achtibat et al. (2024), arXiv 2402.05602, proposition 3.1.
    """

    kind = "softmax"
    closed = False

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
    return Winner(call.function(), call.function(blank=True) if call.fixed else None)


def softmax(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a softmax."""
    del settled
    return Softmax(call.function(), call["dim"])
