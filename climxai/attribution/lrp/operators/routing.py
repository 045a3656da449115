"""Operators that only move values: reshaping, slicing, padding, concatenation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing, Ground, Ledger
from climxai.attribution.lrp.operators.call import Call


class Routing(Crossing):
    """Moves, repeats or drops values; relevance goes back the way the values came.

    Parameters
    ----------
    run
        The operator as a function of the values it takes, sizes included.
    """

    kind = "routing"
    moves = True

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the moved values."""
        del ground
        return self.run(*inputs), inputs

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance of every input: the transposed move."""
        del ledger
        with torch.enable_grad():
            leaves = [
                x.new_zeros(()).expand(x.shape).requires_grad_() if isinstance(x, Tensor) else x
                for x in saved
            ]
            moved = self.run(*leaves)
        wanted = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        if isinstance(relevance, dict):
            outputs = [moved[i] for i in relevance]
            pulled = torch.autograd.grad(
                outputs, wanted, list(relevance.values()), allow_unused=True
            )
        else:
            pulled = torch.autograd.grad(moved, wanted, relevance, allow_unused=True)
        parts = iter(pulled)
        return tuple(next(parts) if isinstance(x, Tensor) else None for x in leaves)


class Reshaping(Crossing):
    """Gives the same values another shape; the sample dimension stays first."""

    kind = "routing"
    moves = True

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the reshaped values."""
        del ground
        x = inputs[0]
        return x.reshape(x.shape[0], *self.shape), (x.shape, len(inputs))

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance in the input's shape."""
        del ledger
        shape, count = saved
        return (relevance.reshape(shape), *[None] * (count - 1))


class Same(Crossing):
    """Leaves values as they are: dropout in evaluation, copies, changes of memory layout."""

    kind = "routing"
    moves = True

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the values."""
        del ground
        return inputs[0], len(inputs)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance."""
        del ledger
        return (relevance, *[None] * (saved - 1))


class Size(Crossing):
    """A number that depends on how many samples there are; it carries no relevance."""

    kind = "size"
    moves = True

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the number."""
        del ground
        return self.run(*inputs), len(inputs)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return nothing."""
        del relevance, ledger
        return (None,) * int(saved)


def reshaping(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a view, reshape or flatten."""
    del settled
    before, after = call.input_shape(), call.shape
    free = bool(before) and bool(after) and before[0] == after[0]
    if free and all(isinstance(n, int) for n in after[1:]):
        return Reshaping(tuple(int(n) for n in after[1:]))
    return Routing(call.function())


def moving(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an operator that moves values."""
    del settled
    return Routing(call.function())


def same(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an operator that leaves values as they are."""
    del call, settled
    return Same()


def padding(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a padding; a constant other than zero keeps what reaches it."""
    del settled
    crossing = Routing(call.function())
    crossing.keeps_sign = "value" not in call.names or (call["value"] or 0) >= 0
    return crossing
