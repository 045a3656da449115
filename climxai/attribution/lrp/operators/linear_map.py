"""Linear maps: what every rule needs to know of a dense, convolution or pooling operator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import torch
from torch import Tensor

from climxai.core.errors import ModelError

Variant = Literal["plain", "positive", "negative", "square", "ones", "half", "half_size"]
"""A layer's weights w as they are; w+; w-; w^2 over the largest; 1 for each; w/2; |w|/2."""


class LinearMap(ABC):
    """A linear operator z = W x + b on inputs [sample, ...].

    Parameters
    ----------
    place
        Where it is in the network, for messages.
    bias
        Shaped to be added to the output, or None.
    """

    kind: str = "linear"
    signed: bool = True
    """Whether coefficients can be negative."""
    stack: int = 1
    """The dimension along which sums of positive and negative contributions are stacked."""
    even: bool = True
    """Whether the rules that do not look at the input's values suit it."""

    def __init__(self, place: str, bias: Tensor | None = None) -> None:
        self.place = place
        self.bias = bias

    def largest(self) -> Tensor:
        """Return what coefficients are divided by before they are squared."""
        return torch.ones(())

    def valid(self, x: Tensor) -> Tensor | None:
        """Return 1 where an output rests on valid inputs, else 0; None: all count as valid."""
        del x
        return None

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the bounds of the output, or None where they are not followed."""
        del low, high
        return None

    @abstractmethod
    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return the map of ``x`` under a variant of the weights, with the plain bias if asked."""

    @abstractmethod
    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return the transposed map of ``s``; ``shape`` is the input's."""

    def pull_times(self, s: Tensor, x: Tensor) -> Tensor:
        """Return ``x`` times the transposed map of ``s``."""
        return self.pull(s, x.shape).mul_(x)

    def parts(self, x: Tensor, *, nonnegative: bool) -> tuple[Tensor, Tensor, Any]:
        """Return the sums of positive and negative contributions, and what `gather` needs.

        Parameters
        ----------
        x
            Inputs [sample, ...].
        nonnegative
            Whether they are known never to be negative: half of the products do not exist then.

        Returns
        -------
        Tensor
            Both sums, stacked along dimension ``stack``.
        Tensor
            Their total.
        Any
            For `gather` and `gather_positive`.
        """
        if nonnegative:
            positive = self.apply(x, "positive")
            negative = self.apply(x, "negative") if self.signed else torch.zeros_like(positive)
            parts = torch.stack((positive, negative), self.stack)
            return parts, positive.add_(negative), (x, None)
        up = x.clamp(min=0)
        down = x - up
        positive, negative = self.apply(up, "positive"), self.apply(down, "positive")
        if self.signed:
            positive += self.apply(down, "negative")
            negative += self.apply(up, "negative")
        parts = torch.stack((positive, negative), self.stack)
        return parts, positive.add_(negative), (up, down)

    def total(self, parts: Tensor) -> Tensor:
        """Return the sum of stacked positive and negative sums."""
        return parts.select(self.stack, 0) + parts.select(self.stack, 1)

    def gather(self, kept: Any, shape: torch.Size, factors: Tensor) -> Tensor:
        """Return ``(x w)+ positive + (x w)- negative`` summed over the outputs.

        Parameters
        ----------
        kept
            What `parts` returned.
        shape
            The input's shape.
        factors
            Factors of positive and negative contributions, stacked along ``stack``.
        """
        up, down = kept
        positive, negative = factors.unbind(self.stack)
        upper = self.pull(positive, shape, "positive")
        if self.signed:
            upper += self.pull(negative, shape, "negative")
        upper *= up
        if down is not None:
            lower = self.pull(negative, shape, "positive")
            if self.signed:
                lower += self.pull(positive, shape, "negative")
            upper.addcmul_(lower, down)
        return upper

    def gather_positive(self, kept: Any, shape: torch.Size, factors: Tensor) -> Tensor:
        """Return ``(x w)+`` times factors [sample, ...out], summed over the outputs."""
        up, down = kept
        result = self.pull(factors, shape, "positive").mul_(up)
        if down is not None and self.signed:
            result.addcmul_(self.pull(factors, shape, "negative"), down)
        return result


class Weighted(LinearMap):
    """A linear map with a weight tensor; variants of it are made once and kept."""

    def __init__(self, place: str, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(place, bias)
        self.weight = weight
        self._variants: dict[Variant, Tensor] = {"plain": weight}
        self._largest: Tensor | None = None

    def variant(self, variant: Variant) -> Tensor:
        """Return the weights in a variant."""
        if variant not in self._variants:
            self._variants[variant] = self._make(variant)
        return self._variants[variant]

    def _make(self, variant: Variant) -> Tensor:
        if variant == "positive":
            return self.weight.clamp(min=0)
        if variant == "negative":
            return self.weight.clamp(max=0)
        if variant == "half":
            return self.weight * 0.5
        if variant == "half_size":
            return self.weight.abs().mul_(0.5)
        if variant == "ones":
            return torch.ones_like(self.weight)
        # Squares of very small or large weights leave the range of float32: scale them first.
        return (self.weight / self.largest()).square()

    def largest(self) -> Tensor:
        """Return the largest absolute weight, or 1 where all are zero."""
        if self._largest is None:
            largest = self.weight.abs().amax() if self.weight.numel() else self.weight.new_ones(())
            self._largest = torch.where(largest > 0, largest, torch.ones_like(largest))
        return self._largest


class Unweighted(LinearMap):
    """A linear map with fixed coefficients that are never negative: a mean, an interpolation."""

    signed = False

    @abstractmethod
    def compute(self, x: Tensor) -> Tensor:
        """Return the map of ``x``."""

    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return the map of ``x`` under a variant of the coefficients."""
        del bias
        if variant == "negative":
            raise ModelError(f"{self.place}: there are no negative coefficients")
        return self.compute(x)

    def valid(self, x: Tensor) -> Tensor | None:
        """Return 1 where an output has a valid input, else 0."""
        return (self.compute(x) != 0).to(x.dtype)

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the map of the bounds: coefficients are not negative."""
        return self.compute(low), self.compute(high)

    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return the transposed map of ``s``."""
        del variant
        with torch.enable_grad():
            leaf = s.new_zeros(()).expand(shape).requires_grad_()
            image = self.compute(leaf)
            (pulled,) = torch.autograd.grad(image, leaf, s)
        # A sum's gradient is one value seen many times, which cannot be changed in place.
        return pulled.contiguous()
