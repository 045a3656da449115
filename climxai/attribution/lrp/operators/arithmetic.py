"""Sums, residual connections, and multiplication with a constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

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
from climxai.attribution.lrp.operators.call import Call, Repeated
from climxai.attribution.lrp.rules import Epsilon, Rule
from climxai.attribution.lrp.shares import Shares
from climxai.core.errors import ModelError


class Sum(Crossing):
    """A sum of inputs with fixed coefficients, and perhaps a constant, which acts as a bias.

    Parameters
    ----------
    run
        The sum as a function of its inputs.
    coefficients
        One per input.
    constant
        What is added besides, or None.
    """

    kind = "sum"

    def __init__(
        self,
        place: str,
        run: Callable[..., Any],
        coefficients: tuple[float, ...],
        constant: Tensor | None,
    ) -> None:
        self.place = place
        self.run = run
        self.coefficients = coefficients
        self.constant = constant
        self.keeps_sign = all(c >= 0 for c in coefficients) and (
            constant is None or bool((constant >= 0).all())
        )

    def bind(self, rule: Rule, settled: Settled) -> Crossing:
        """Return the crossing under a rule."""
        return BoundSum(self, rule, settled)

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the sum."""
        del ground
        z = self.run(*inputs)
        return z, (inputs, z)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Not used: a sum is bound to a rule first."""
        raise NotImplementedError


class BoundSum(Crossing):
    """A sum under a rule: relevance is shared out by what each input contributed."""

    kind = "sum"

    def __init__(self, total: Sum, rule: Rule, settled: Settled) -> None:
        self.total = total
        self.family = rule.family
        self.bias = settled.bias
        self.epsilon = settled.stabiliser(rule)
        self.relative = isinstance(rule, Epsilon) and rule.relative
        self.shares = Shares.of(rule, settled)
        if rule.family not in ("whole", "split", "flat"):
            raise ModelError(
                f"{total.place}: a sum cannot take a rule of the family {rule.family!r}: give the "
                "kind `sum` one of zero, epsilon, alpha_beta, gamma, flat"
            )

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the sum."""
        return self.total.forward(inputs, ground)

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return 1 where any of the inputs is valid."""
        found = inputs[0]
        for more in inputs[1:]:
            found = torch.maximum(found, more)
        return found

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the sums of what makes them smallest and largest."""
        pairs = list(zip(self.total.coefficients, low, high, strict=True))
        smallest = [a if c >= 0 else b for c, a, b in pairs]
        largest = [b if c >= 0 else a for c, a, b in pairs]
        return self.total.run(*smallest), self.total.run(*largest)

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return every input's share."""
        inputs, z = saved
        coefficients, constant = self.total.coefficients, self.total.constant
        if self.family == "flat":
            even = relevance / len(inputs)
            return tuple(even.expand(z.shape).sum_to_size(x.shape) for x in inputs)
        terms = [(x * c if c != 1 else x) for x, c in zip(inputs, coefficients, strict=True)]
        if self.family == "whole":
            parts, taken = self._whole(relevance, terms, z, constant, ledger)
        else:
            parts, taken = self._split(relevance, terms, constant, ledger)
        if taken is not None and self.bias == "spread":
            parts = [part + taken / len(parts) for part in parts]
        elif taken is not None and ledger is not None:
            ledger.bias = per_sample(taken)
        return tuple(p.sum_to_size(x.shape) for p, x in zip(parts, inputs, strict=True))

    def _whole(
        self,
        relevance: Tensor,
        terms: list[Tensor],
        z: Tensor,
        constant: Tensor | None,
        ledger: Ledger | None,
    ) -> tuple[list[Tensor], Tensor | None]:
        if constant is not None and self.bias == "ignored":
            # Taking a large constant away from the sum would cost digits.
            z, constant = sum(terms[1:], terms[0]).expand_as(z), None
        epsilon: float | Tensor = self.epsilon
        if self.relative:
            epsilon = relative_epsilon(z, self.epsilon)
        sums = stabilised(z, epsilon)
        s = ratio(relevance, sums)
        if ledger is not None:
            ledger.stabiliser = per_sample((sums - z) * s)
        return [term * s for term in terms], None if constant is None else constant * s

    def _split(
        self,
        relevance: Tensor,
        terms: list[Tensor],
        constant: Tensor | None,
        ledger: Ledger | None,
    ) -> tuple[list[Tensor], Tensor | None]:
        above = torch.stack([term.clamp(min=0).expand_as(relevance) for term in terms]).sum(0)
        below = torch.stack([term.clamp(max=0).expand_as(relevance) for term in terms]).sum(0)
        added = None if constant is None else constant.expand_as(relevance)
        weighed = self.shares.weigh(
            relevance, torch.stack((above, below)), self.shares.stacked_bias(added, 0), 0
        )
        if ledger is not None:
            ledger.stabiliser = per_sample(weighed.stabiliser_taken())
        if weighed.positive_only:
            parts = [term.clamp(min=0) * weighed.factors for term in terms]
        else:
            up, down = weighed.factors
            parts = [term.clamp(min=0) * up + term.clamp(max=0) * down for term in terms]
        return parts, None if constant is None else weighed.bias_taken()


class Factor(Crossing):
    """Multiplication with a constant: relevance passes where the constant is not zero."""

    kind = "multiplication"

    def __init__(self, run: Callable[..., Any], factor: Tensor) -> None:
        self.run = run
        self.keeps_sign = bool((factor >= 0).all())
        zero = factor == 0
        self.zero = zero if bool(zero.any()) else None
        self.closed = self.zero is None

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the product."""
        del ground
        (x,) = inputs
        return self.run(x), x.shape

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return the relevance, 0 where the product is."""
        del ledger
        if self.zero is not None:
            relevance = relevance.masked_fill(self.zero, 0.0)
        return (relevance.sum_to_size(saved),)

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return the valid cells that are not multiplied by zero."""
        (x,) = inputs
        return x if self.zero is None else x * ~self.zero

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the products of the bounds, in order."""
        ends = self.run(*low), self.run(*high)
        return torch.minimum(*ends), torch.maximum(*ends)


def adding(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of an addition or subtraction.

    Raises
    ------
    ModelError
        When a coefficient or term is not fixed.
    """
    del settled
    first, second = call["self"], call["other"]
    alpha = call["alpha"] if "alpha" in call.names else 1
    if isinstance(alpha, Node):
        raise call.unsuited("its alpha depends on the input", "Use a fixed one")
    sizes = {"add": (1.0, float(alpha)), "sub": (1.0, -float(alpha)), "rsub": (-float(alpha), 1.0)}
    coefficients = dict.fromkeys(call.active, 0.0)
    constant: Tensor | None = None
    for term, weight in zip((first, second), sizes[call.name.split(".")[1]], strict=True):
        if isinstance(term, Node):
            if term not in coefficients:
                raise call.unsuited(
                    "it adds a number that depends on how many samples there are",
                    "Explain a network that treats every sample by itself",
                )
            coefficients[term] += weight
        else:
            value = (term.one if isinstance(term, Repeated) else torch.as_tensor(term)) * weight
            constant = value if constant is None else constant + value
    if constant is not None:
        constant = constant.to(dtype=call.node.meta["val"].dtype)
    return Sum(call.place, call.function(), tuple(coefficients.values()), constant)


def multiplying(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of a multiplication with, or division by, a constant."""
    del settled
    other = call["other"] if "other" in call.names else -1.0
    if len(call.active) != 1 or call["self"] is other:
        raise call.unsuited(
            "both factors depend on the input",
            "Layer-wise relevance propagation knows multiplication with constants only: choose a "
            "network without gates or products of its values, or another method",
        )
    if isinstance(other, Node) and not isinstance(call["self"], Node):
        other = call["self"]
        if ".div" in call.name:
            raise call.unsuited(
                "it divides by a value that depends on the input",
                "Divide by constants only, or choose another method",
            )
    if isinstance(other, Node):
        raise call.unsuited(
            "it multiplies with a number that depends on how many samples there are",
            "Explain a network that treats every sample by itself",
        )
    return Factor(
        call.function(), other.one if isinstance(other, Repeated) else torch.as_tensor(other)
    )
