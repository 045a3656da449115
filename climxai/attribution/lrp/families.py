"""How the families of rules cross a linear map: whole, split by sign, and input-independent."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import (
    Crossing,
    Ground,
    Ledger,
    per_sample,
    ratio,
    relative_epsilon,
    stabilised,
)
from climxai.attribution.lrp.operators.linear_map import LinearMap
from climxai.attribution.lrp.rules import Epsilon, Rule
from climxai.attribution.lrp.shares import Shares
from climxai.core.errors import ModelError


class Whole(Crossing):
    """LRP-0 and LRP-epsilon: one product forward, one back."""

    def __init__(self, linear: LinearMap, rule: Rule, settled: Settled) -> None:
        self.linear = linear
        self.kind = linear.kind
        self.bias = settled.bias
        own = getattr(rule, "epsilon", None)
        self.epsilon = float(settled.epsilon if own is None else own)
        self.relative = isinstance(rule, Epsilon) and rule.relative
        self.needs_ground = self.bias == "spread" and linear.bias is not None

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input."""
        (x,) = inputs
        z = self.linear.apply(x, bias=True)
        return z, (x, z, ground)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return ``x * W^T(relevance / (z + epsilon))``."""
        x, z, ground = saved
        bias = self.linear.bias
        if bias is not None and self.bias == "ignored":
            z, bias = z - bias, None
        epsilon: float | Tensor = self.epsilon
        if self.relative:
            epsilon = relative_epsilon(z, self.epsilon)
        sums = stabilised(z, epsilon)
        s = ratio(relevance, sums)
        result = self.linear.pull_times(s, x)
        if bias is not None and self.bias == "spread":
            result += spread(self.linear, bias * s, x.shape, ground)
            bias = None
        if ledger is not None:
            ledger.bias = None if bias is None else per_sample(bias * s)
            ledger.stabiliser = per_sample((sums - z) * s)
        return (result,)


class Split(Crossing):
    """LRP-alpha-beta and LRP-gamma: positive and negative contributions apart.

    Parameters
    ----------
    nonnegative
        Whether the input is known never to be negative (it comes from a ReLU, for example); then
        half of the products do not exist.
    """

    def __init__(
        self, linear: LinearMap, rule: Rule, settled: Settled, *, nonnegative: bool
    ) -> None:
        self.linear = linear
        self.kind = linear.kind
        self.shares = Shares.of(rule, settled)
        self.bias = settled.bias
        self.nonnegative = nonnegative or settled.signed_inputs == "whole"
        self.needs_ground = self.bias == "spread" and linear.bias is not None
        self.counted = self.shares.stacked_bias(linear.bias, linear.stack)

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input as the sum of its positive and negative part."""
        (x,) = inputs
        parts, z, kept = self.linear.parts(x, nonnegative=self.nonnegative)
        if self.linear.bias is not None:
            z += self.linear.bias
        return z, (x.shape, kept, parts, ground)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the positive and negative contributions times their shares of the relevance."""
        shape, kept, parts, ground = saved
        shares = self.shares.weigh(relevance, parts, self.counted, self.linear.stack)
        gather = self.linear.gather_positive if shares.positive_only else self.linear.gather
        result = gather(kept, shape, shares.factors)
        spreading = self.bias == "spread" and self.linear.bias is not None
        if spreading:
            result += spread(self.linear, shares.bias_taken(), shape, ground)
        if ledger is not None:
            ledger.bias = None if spreading else per_sample(shares.bias_taken())
            ledger.stabiliser = per_sample(shares.stabiliser_taken())
        return (result,)


class Constant(Crossing):
    """The flat and w-square rules: shares that do not depend on the input's values."""

    needs_ground = True

    def __init__(self, linear: LinearMap, rule: Rule, settled: Settled) -> None:
        self.linear = linear
        self.kind = linear.kind
        self.square = rule.family == "w_square"
        self.count_bias = self.square and settled.w_square_bias

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input."""
        (x,) = inputs
        return self.linear.apply(x, bias=True), (x.shape, ground)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return every valid input's fixed share."""
        shape, ground = saved
        valid = ground.valid.to(relevance.dtype)
        variant: Any = "square" if self.square else "ones"
        sums = self.linear.apply(valid, variant)
        bias = None
        if self.count_bias and self.linear.bias is not None:
            largest = self.linear.largest() if hasattr(self.linear, "largest") else 1.0
            bias = (self.linear.bias / largest).square()
            sums = sums + bias
        s = ratio(relevance, sums)
        if ledger is not None:
            ledger.bias = None if bias is None else per_sample(bias * s)
        return (self.linear.pull(s, shape, variant).mul_(valid),)


class Box(Crossing):
    """The z-B rule: contributions measured from the bound that makes them non-negative."""

    needs_ground = True

    def __init__(self, linear: LinearMap, rule: Rule, settled: Settled) -> None:
        self.linear = linear
        self.kind = linear.kind
        own = getattr(rule, "epsilon", None)
        self.epsilon = float(settled.epsilon if own is None else own)
        self.low, self.high = getattr(rule, "low", None), getattr(rule, "high", None)

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input."""
        (x,) = inputs
        z = self.linear.apply(x, bias=True)
        return z, (x, z, ground)

    def _bound(self, given: float | None, known: Tensor | None, valid: Tensor) -> Tensor:
        if given is not None:
            return valid * given
        if known is None:
            raise ModelError(
                f"{self.linear.place}: rule z_box needs bounds of its inputs, and none are known "
                "there: use it in the first layer with the training data's bounds, or set `low` "
                "and `high`"
            )
        return known * valid

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return ``x W^T s - low (W+)^T s - high (W-)^T s`` on valid cells."""
        x, z, ground = saved
        linear, valid = self.linear, ground.valid
        low = self._bound(self.low, ground.low, valid)
        high = self._bound(self.high, ground.high, valid)
        sums = z - linear.apply(low, "positive")
        if linear.bias is not None:
            sums = sums - linear.bias
        if linear.signed:
            sums = sums - linear.apply(high, "negative")
        stable = stabilised(sums, self.epsilon)
        s = ratio(relevance, stable)
        plus = linear.pull(s, x.shape, "positive")
        result = plus * (x * valid - low)
        if linear.signed:
            result += linear.pull(s, x.shape, "negative").mul_(x * valid - high)
        if ledger is not None:
            ledger.stabiliser = per_sample((stable - sums) * s)
        return (result,)


class Through(Crossing):
    """The pass-through rule on a map whose output has the shape of its input."""

    def __init__(self, linear: LinearMap) -> None:
        self.linear = linear
        self.kind = linear.kind

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input."""
        del ground
        (x,) = inputs
        z = self.linear.apply(x, bias=True)
        if z.shape != x.shape:
            raise ModelError(
                f"{self.linear.place}: rule `pass` needs an output shaped like its input, found "
                f"{tuple(z.shape[1:])} from {tuple(x.shape[1:])}: choose another rule there"
            )
        return z, None

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance unchanged."""
        del saved, ledger
        return (relevance,)


def bind(linear: LinearMap, rule: Rule, settled: Settled, *, nonnegative: bool) -> Crossing:
    """Return how relevance crosses a linear map under a rule."""
    match rule.family:
        case "whole":
            return Whole(linear, rule, settled)
        case "split":
            return Split(linear, rule, settled, nonnegative=nonnegative)
        case "flat" | "w_square":
            return Constant(linear, rule, settled)
        case "box":
            return Box(linear, rule, settled)
        case "pass":
            return Through(linear)


def spread(linear: LinearMap, taken: Tensor, shape: torch.Size, ground: Ground | None) -> Tensor:
    """Return what biases claimed [sample, ...out], spread evenly over the valid inputs."""
    valid = taken.new_ones((1, *shape[1:])) if ground is None else ground.valid.to(taken.dtype)
    count = linear.apply(valid, "ones")
    return linear.pull(ratio(taken, count), shape, "ones") * valid
