"""Operators that only move values: reshaping, slicing, padding, concatenation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing, Ground, Ledger
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.over_samples import over_samples


class Routing(Crossing):
    """Moves, repeats or drops values; relevance goes back the way the values came.

    Parameters
    ----------
    run
        The operator as a function of the values it takes, sizes included.
    blank
        The same with fixed numbers that it puts among the values as 0, None where it puts none.
        What relevance reaches such numbers goes to no input.
    kind
        What it is called.

    Attributes
    ----------
    clean
        Whether the fixed numbers are all 0.
    """

    moves = True

    def __init__(
        self,
        run: Callable[..., Any],
        blank: Callable[..., Any] | None = None,
        kind: str = "routing",
    ) -> None:
        self.run = run
        self.blank = run if blank is None else blank
        self.closed = blank is None
        self.clean = True
        self.kind = kind

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

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells where they are moved to; fixed numbers are none."""
        return self.blank(*inputs)

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the bounds where they are moved to."""
        return self.run(*low), self.run(*high)


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

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells where they are moved to."""
        return self.forward(inputs, None)[0]

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the bounds where they are moved to."""
        return self.forward(low, None)[0], self.forward(high, None)[0]


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

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells where they are moved to."""
        return self.forward(inputs, None)[0]

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the bounds where they are moved to."""
        return self.forward(low, None)[0], self.forward(high, None)[0]


class Cast(Crossing):
    """Another number type; relevance comes back in the input's."""

    kind = "routing"
    moves = True

    def __init__(self, run: Callable[..., Any]) -> None:
        self.run = run

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the values in the other type."""
        del ground
        return self.run(*inputs), inputs[0].dtype

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance in the input's type."""
        del ledger
        return (relevance.to(saved),)

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells where they are moved to."""
        return self.forward(inputs, None)[0]

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the bounds where they are moved to."""
        return self.forward(low, None)[0], self.forward(high, None)[0]


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

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells where they are moved to."""
        return self.forward(inputs, None)[0]

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the bounds where they are moved to."""
        return self.forward(low, None)[0], self.forward(high, None)[0]


def reshaping(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a view, reshape or flatten."""
    del settled
    before, after = call.input_shape(), call.shape
    free = bool(before) and bool(after) and before[0] == after[0]
    if free and all(isinstance(n, int) for n in after[1:]):
        return Reshaping(tuple(int(n) for n in after[1:]))
    return Routing(call.function())


def moving(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an operator that moves values.

    Raises
    ------
    ModelError
        When it moves values from sample to sample.
    """
    del settled
    if over_samples(call):
        raise call.unsuited(
            "it moves values from one sample to another",
            "Explain a network that treats every sample by itself",
        )
    return _routing(call)


def copying(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an assignment: the values of the second argument, spread out."""
    del settled
    which, shape = call.active.index(call["src"]), call.shape[1:]
    return Routing(lambda *values: values[which].expand(len(values[which]), *shape))


def same(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an operator that leaves values as they are."""
    del call, settled
    return Same()


def casting(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a change of number type.

    Raises
    ------
    ModelError
        When the type holds no fractions.
    """
    del settled
    if not call.node.meta["val"].dtype.is_floating_point:
        raise call.unsuited(
            f"it turns values into {call.node.meta['val'].dtype}", "Keep them floating-point"
        )
    return Cast(call.function())


def padding(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a padding; fixed numbers keep what reaches them."""
    del settled
    if "mode" in call.names and call["mode"] != "constant":
        return Routing(call.function())
    return _routing(call, "padding")


def _routing(call: Call, kind: str = "routing") -> Crossing:
    fixed = call.fixed
    crossing = Routing(call.function(), call.function(blank=True) if fixed else None, kind)
    crossing.keeps_sign = all(bool((value >= 0).all()) for value in fixed)
    crossing.clean = not any(bool(value.any()) for value in fixed)
    return crossing
