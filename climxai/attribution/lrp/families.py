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


class Bound(Crossing):
    """A linear map under a rule."""

    def __init__(self, linear: LinearMap) -> None:
        self.linear = linear
        self.kind = linear.kind

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return which outputs rest on valid cells, None where all count as such."""
        return self.linear.valid(inputs[0])

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the bounds of the output, or None where none are followed."""
        return self.linear.bounds(low[0], high[0])


class Whole(Bound):
    """LRP-0 and LRP-epsilon: one product forward, one back."""

    def __init__(self, linear: LinearMap, rule: Rule, settled: Settled) -> None:
        super().__init__(linear)
        self.bias = settled.bias
        self.epsilon = settled.stabiliser(rule)
        self.ignoring = self.bias == "ignored" and linear.bias is not None
        self.relative = isinstance(rule, Epsilon) and rule.relative
        self.needs_ground = self.bias == "spread" and linear.bias is not None

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input."""
        x = inputs[0]
        z = self.linear.apply(x, bias=not self.ignoring)
        if not self.ignoring or self.linear.bias is None:
            return z, (x, z, ground)
        # Taking a large bias away again afterwards would cost digits.
        return z + self.linear.bias, (x, z, ground)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return ``x * W^T(relevance / (z + epsilon))``."""
        x, z, ground = saved
        bias = None if self.ignoring else self.linear.bias
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


class Split(Bound):
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
        super().__init__(linear)
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


class Constant(Bound):
    """The flat and w-square rules: shares that do not depend on the input's values."""

    needs_ground = True

    def __init__(self, linear: LinearMap, rule: Rule, settled: Settled) -> None:
        super().__init__(linear)
        self.square = rule.family == "w_square"
        self.count_bias = self.square and settled.w_square_bias
        self.epsilon = settled.stabiliser(rule)

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
            bias = (self.linear.bias / self.linear.largest()).square()
            sums = sums + bias
        stable = stabilised(sums, self._stabiliser(sums))
        s = ratio(relevance, stable)
        if ledger is not None:
            ledger.bias = None if bias is None else per_sample(bias * s)
            ledger.stabiliser = per_sample((stable - sums) * s)
        return (self.linear.pull(s, shape, variant).mul_(valid),)

    def _stabiliser(self, sums: Tensor) -> float | Tensor:
        if not self.square or self.epsilon == 0:
            return self.epsilon
        # Squares stand over the largest one; so does what is added to them.
        largest = self.linear.largest()
        return (self.epsilon / largest / largest).clamp(max=torch.finfo(sums.dtype).max)


class Box(Bound):
    """The z-B rule: contributions measured from the bound that makes them non-negative."""

    needs_ground = True

    def __init__(self, linear: LinearMap, rule: Rule, settled: Settled) -> None:
        super().__init__(linear)
        self.epsilon = settled.stabiliser(rule)
        self.low, self.high = getattr(rule, "low", None), getattr(rule, "high", None)

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input; its valid part is kept without the bias."""
        (x,) = inputs
        counted = x if ground is None or ground.clean else x * ground.valid
        plain = self.linear.apply(counted)
        z = plain if counted is x else self.linear.apply(x)
        return (z if self.linear.bias is None else z + self.linear.bias), (counted, plain, ground)

    def _bound(self, given: float | None, known: Tensor | None, valid: Tensor) -> Tensor:
        if given is not None:
            return valid * given
        if known is None:
            raise self.unbounded()
        return known * valid

    def unbounded(self) -> ModelError:
        """Return the error that nothing is known of the inputs' bounds."""
        return ModelError(
            f"{self.linear.place}: rule z_box needs bounds of its inputs, and none are known "
            "there: the training data's are followed from the network's input up to its first "
            "dense or convolution layer, through steps that keep order (constants added or "
            "multiplied, ReLU, pooling, moves); use the rule there, or set `low` and `high`"
        )

    def check(self, ground: Ground) -> None:
        """Raise `ModelError` when a bound is neither given nor known."""
        if (self.low is None and ground.low is None) or (self.high is None and ground.high is None):
            raise self.unbounded()

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return ``x W^T s - low (W+)^T s - high (W-)^T s`` on valid cells."""
        x, plain, ground = saved
        linear, valid = self.linear, ground.valid
        low = self._bound(self.low, ground.low, valid)
        high = self._bound(self.high, ground.high, valid)
        sums = plain - linear.apply(low, "positive")
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
            slack = 1e-6 * (low.abs() + high.abs())
            beyond = (x * valid < low - slack) | (x * valid > high + slack)
            ledger.outside = per_sample(beyond)
        return (result,)


class Through(Bound):
    """The pass-through rule on a map whose output has the shape of its input."""

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the map of the input."""
        del ground
        return self.linear.apply(inputs[0], bias=True), None

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance unchanged."""
        del saved, ledger
        return (relevance,)


def bind(
    linear: LinearMap,
    rule: Rule,
    settled: Settled,
    *,
    nonnegative: bool,
    shapes: tuple[tuple[int, ...] | None, tuple[int, ...] | None],
) -> Crossing:
    """Return how relevance crosses a linear map under a rule.

    Parameters
    ----------
    nonnegative
        Whether the input is known never to be negative.
    shapes
        Shapes of one sample of the input and of the output, None where unknown.

    Raises
    ------
    ModelError
        When the rule does not suit the map.
    """
    if rule.family == "pass" and None not in shapes and shapes[0] != shapes[1]:
        raise ModelError(
            f"{linear.place}: rule `pass` needs an output shaped like its input, found "
            f"{shapes[1]} from {shapes[0]}: choose another rule there"
        )
    if rule.family in ("flat", "w_square") and not linear.even:
        raise ModelError(
            f"{linear.place}: the flat and w-square rules do not suit an interpolation: give the "
            "kind `interpolation` another rule, for example `zero`"
        )
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
