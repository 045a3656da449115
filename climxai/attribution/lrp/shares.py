"""What part of a neuron's relevance its positive and its negative contributions get.

Sums of positive and of negative contributions stand in one tensor, stacked along one dimension
(0 positive, 1 negative): half as many operations, each on twice as many values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Bias, EmptySide, Settled
from climxai.attribution.lrp.crossing import ratio, stabilised
from climxai.attribution.lrp.rules import Gamma, Rule


@dataclass
class Weighed:
    """Factors by which contributions are multiplied, and the denominators behind them.

    Parameters
    ----------
    factors
        Stacked factors of positive and negative contributions; or, where ``positive_only``, those
        of the positive ones alone, not stacked.
    positive_only
        Whether negative contributions get nothing.
    s
        Relevance over the denominators, stacked where there are two.
    bias
        The bias in the denominators, or None.
    sums, stable
        The denominators before and after stabilising.
    stacked
        The stacked dimension of ``s``, None where there is one denominator.
    """

    factors: Tensor
    positive_only: bool
    s: Tensor
    bias: Tensor | None
    sums: Tensor
    stable: Tensor
    stacked: int | None

    def _total(self, values: Tensor) -> Tensor:
        return values if self.stacked is None else values.sum(self.stacked)

    def bias_taken(self) -> Tensor:
        """Return the relevance that biases claimed [sample, ...out]."""
        if self.bias is None:
            return self._total(torch.zeros_like(self.s))
        return self._total(self.s * self.bias)

    def stabiliser_taken(self) -> Tensor:
        """Return the relevance that stabilisers claimed [sample, ...out]."""
        return self._total(self.s * (self.stable - self.sums))


@dataclass(frozen=True)
class Shares:
    """The shares of one rule under one set of conventions.

    Parameters
    ----------
    alpha, beta
        Shares of the alpha-beta rule.
    gamma
        Set for the gamma rule instead.
    epsilon
        Stabiliser of the denominators.
    favour_positive
        Whether gamma favours the positive weights whatever the sign of the sum.
    """

    alpha: float
    beta: float
    gamma: float | None
    epsilon: float
    bias: Bias
    empty_side: EmptySide
    favour_positive: bool

    @staticmethod
    def of(rule: Rule, settled: Settled) -> Shares:
        """Return the shares of an alpha-beta or gamma rule."""
        return Shares(
            alpha=float(getattr(rule, "alpha", 1.0)),
            beta=float(getattr(rule, "beta", 0.0)),
            gamma=rule.gamma if isinstance(rule, Gamma) else None,
            epsilon=settled.stabiliser(rule),
            bias=settled.bias,
            empty_side=settled.empty_side,
            favour_positive=settled.signed_inputs == "whole",
        )

    def stacked_bias(self, bias: Tensor | None, dim: int) -> Tensor | None:
        """Return what biases add to both denominators, stacked along ``dim``, or None."""
        if bias is None or self.bias == "ignored":
            return None
        if self.bias == "whole_in_both" and self.gamma is None:
            return torch.stack((bias, bias), dim)
        return torch.stack((bias.clamp(min=0), bias.clamp(max=0)), dim)

    def weigh(self, relevance: Tensor, parts: Tensor, bias: Tensor | None, dim: int) -> Weighed:
        """Return the factors of positive and negative contributions.

        Parameters
        ----------
        relevance
            Relevance [sample, ...out].
        parts
            Sums of positive and negative contributions, stacked along ``dim``.
        bias
            What `stacked_bias` returned.
        dim
            The stacked dimension.
        """
        if self.gamma is not None:
            return self._gamma(relevance, parts, bias, dim, self.gamma)
        if self.beta == 0 and self.empty_side == "drop":
            return self._positive_only(relevance, parts, bias, dim)
        sums = parts if bias is None else parts + bias
        stable = stabilised(sums, self.epsilon)
        coefficients = self._coefficients(sums, dim)
        s = ratio(relevance.unsqueeze(dim) * coefficients, stable)
        return Weighed(s, False, s, bias, sums, stable, dim)

    def _positive_only(
        self, relevance: Tensor, parts: Tensor, bias: Tensor | None, dim: int
    ) -> Weighed:
        sums, upper = parts.select(dim, 0), None
        if bias is not None:
            upper = bias.select(dim, 0)
            sums = sums + upper
        stable = stabilised(sums, self.epsilon)
        s = ratio(relevance, stable)
        return Weighed(s, True, s, upper, sums, stable, None)

    def _coefficients(self, sums: Tensor, dim: int) -> Tensor:
        shares = _pair(self.alpha, -self.beta, dim, sums.ndim, sums.dtype, sums.device)
        if self.empty_side == "drop":
            return shares
        # Where one side is empty, the other carries all the relevance.
        alone = (sums == 0).flip(dim)
        return torch.where(alone, torch.ones_like(shares), shares)

    def _gamma(
        self, relevance: Tensor, parts: Tensor, bias: Tensor | None, dim: int, gamma: float
    ) -> Weighed:
        counted = parts if bias is None else parts + bias
        like = (dim, parts.ndim, parts.dtype, parts.device)
        if self.favour_positive:
            sign = None
            favour = _pair(1 + gamma, 1.0, *like)
        else:
            # Arithmetic with the sign: choosing by a condition takes several times as long.
            sign = _both(counted, dim).sign_()
            turn = _pair(gamma / 2, -gamma / 2, *like)
            favour = (sign.unsqueeze(dim) * turn).add_(1 + gamma / 2)
        if bias is not None and self.bias == "whole_in_both":
            whole = bias.sum(dim)
            own: Tensor | None = whole
            sums = _both(parts * favour, dim) + whole
        else:
            own = None if bias is None else _both(bias * favour, dim)
            sums = _both(counted * favour, dim)
        stable = stabilised(sums, self.epsilon)
        s = ratio(relevance, stable)
        if sign is not None:
            # A sum of exactly zero has no sign to agree with: nothing passes.
            s *= sign.abs_()
        return Weighed(favour * s.unsqueeze(dim), False, s, own, sums, stable, None)


@lru_cache(maxsize=64)
def _pair(
    first: float, second: float, dim: int, ndim: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return two numbers along the stacked dimension of a tensor with ``ndim`` dimensions."""
    shape = [1] * ndim
    shape[dim] = 2
    return torch.tensor((first, second), dtype=dtype, device=device).reshape(shape)


def _both(parts: Tensor, dim: int) -> Tensor:
    # Faster than a sum over a dimension of two.
    return parts.select(dim, 0) + parts.select(dim, 1)
