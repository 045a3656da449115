"""What part of a neuron's relevance its positive and its negative contributions get."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Bias, EmptySide, Settled
from climxai.attribution.lrp.crossing import ratio, stabilised
from climxai.attribution.lrp.rules import Gamma, Rule


@dataclass
class Claim:
    """One denominator: relevance per unit of it, and what in it is no contribution of an input.

    Parameters
    ----------
    s
        Relevance over the stabilised denominator [sample, ...out].
    bias
        The bias in the denominator, or None.
    sums, stable
        The denominator before and after stabilising.
    """

    s: Tensor
    bias: Tensor | None
    sums: Tensor
    stable: Tensor


@dataclass
class Weighed:
    """Factors by which contributions are multiplied, and the denominators behind them.

    Parameters
    ----------
    positive, negative
        Factors [sample, ...out] of positive and negative contributions; None where they get none.
    claims
        The denominators, for what biases and stabilisers took.
    """

    positive: Tensor | None
    negative: Tensor | None
    claims: tuple[Claim, ...]

    def bias_taken(self) -> Tensor:
        """Return the relevance that biases claimed [sample, ...out]."""
        total = torch.zeros_like(self.claims[0].s)
        for claim in self.claims:
            if claim.bias is not None:
                total += claim.s * claim.bias
        return total

    def stabiliser_taken(self) -> Tensor:
        """Return the relevance that stabilisers claimed [sample, ...out]."""
        total = torch.zeros_like(self.claims[0].s)
        for claim in self.claims:
            total += claim.s * (claim.stable - claim.sums)
        return total


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
        own = getattr(rule, "epsilon", None)
        return Shares(
            alpha=float(getattr(rule, "alpha", 1.0)),
            beta=float(getattr(rule, "beta", 0.0)),
            gamma=rule.gamma if isinstance(rule, Gamma) else None,
            epsilon=float(settled.epsilon if own is None else own),
            bias=settled.bias,
            empty_side=settled.empty_side,
            favour_positive=settled.signed_inputs == "whole",
        )

    def weigh(
        self,
        relevance: Tensor,
        positive: Tensor,
        negative: Tensor,
        bias: Tensor | None,
    ) -> Weighed:
        """Return the factors for sums of positive and negative contributions [sample, ...out]."""
        if self.bias == "ignored":
            bias = None
        if self.gamma is not None:
            return self._gamma(relevance, positive, negative, bias, self.gamma)
        return self._alpha_beta(relevance, positive, negative, bias)

    def _alpha_beta(
        self, relevance: Tensor, positive: Tensor, negative: Tensor, bias: Tensor | None
    ) -> Weighed:
        upper = lower = bias
        if bias is not None and self.bias != "whole_in_both":
            upper, lower = bias.clamp(min=0), bias.clamp(max=0)
        above = positive if upper is None else positive + upper
        stable = stabilised(above, self.epsilon)
        s = ratio(relevance, stable)
        rescale = self.empty_side == "rescale"
        if self.beta == 0 and not rescale:
            if self.alpha != 1:
                s *= self.alpha
            return Weighed(s, None, (Claim(s, upper, above, stable),))
        below = negative if lower is None else negative + lower
        # An empty negative side may be +0: turned around, it gets the sign of a negative sum.
        stable_below = -stabilised(-below, self.epsilon)
        s_below = ratio(relevance, stable_below)
        if rescale:
            s = s * torch.where(below == 0, 1.0, self.alpha).to(s.dtype)
            s_below = s_below * torch.where(above == 0, 1.0, -self.beta).to(s.dtype)
        else:
            s, s_below = s * self.alpha, s_below * -self.beta
        claims = (Claim(s, upper, above, stable), Claim(s_below, lower, below, stable_below))
        return Weighed(s, s_below, claims)

    def _gamma(
        self,
        relevance: Tensor,
        positive: Tensor,
        negative: Tensor,
        bias: Tensor | None,
        gamma: float,
    ) -> Weighed:
        total = positive + negative
        z = total if bias is None else total + bias
        up = torch.ones_like(z, dtype=torch.bool) if self.favour_positive else z > 0
        sums = z + gamma * torch.where(up, positive, negative)
        counted = bias
        if bias is not None and self.bias != "whole_in_both":
            favoured = gamma * torch.where(up, bias.clamp(min=0), bias.clamp(max=0))
            counted, sums = bias + favoured, sums + favoured
        stable = stabilised(sums, self.epsilon)
        s = ratio(relevance, stable)
        if not self.favour_positive:
            s = s.masked_fill_(z == 0, 0.0)
        more = s * (1 + gamma)
        return Weighed(
            torch.where(up, more, s), torch.where(up, s, more), (Claim(s, counted, sums, stable),)
        )
