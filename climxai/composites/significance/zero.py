"""Tests of one class against zero that count every sample for what it is worth."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from climxai.composites.significance.method import Against, Array, Memory, SignificanceTest
from climxai.composites.significance.serial import Series, autocorrelation, effective


class TTest(SignificanceTest):
    """Student's t-test of the mean against zero, with the effective number of samples.

    Successive samples repeat each other: n samples with autocorrelation r from one to the next
    count as n (1 - r) / (1 + r), per cell. t = mean / sqrt(v / (n_eff - 1)), v the mean squared
    deviation, with n_eff - 1 degrees of freedom; without autocorrelation the classic test. No cell
    is taken to have less autocorrelation than the median cell of the map.

    Source: Zwiers & von Storch 1995, J. Climate 8, 336.
    """

    name: Literal["t_test"] = "t_test"

    against: ClassVar[Against] = "zero"
    question: ClassVar[str] = "the mean over samples is zero"

    def p_values(
        self, values: npt.NDArray[np.float32], group: int, series: Series, memory: Memory
    ) -> Array:
        """Return the two-sided p-value of each cell; 1 where the samples are worth one or less."""
        from scipy.special import stdtr

        values, series = values[series.group == group], series.of(group)
        n = len(values)
        freedom = effective(n, autocorrelation(values, series, memory.r)) - 1
        held = values.astype(np.float64)
        mean, variance = held.mean(axis=0), held.var(axis=0)
        told = (freedom > 0) & (mean != 0)
        with np.errstate(divide="ignore"):
            t = np.abs(mean[told]) / np.sqrt(variance[told] / freedom[told])
        p = np.ones(values.shape[1])
        p[told] = 2 * stdtr(freedom[told], -t)
        return p


class SignTest(SignificanceTest):
    """Sign test: whether as many samples lie above zero as below it.

    Zeros do not count. Signs of successive samples repeat each other: they count for as much as the
    signs of a normally distributed first-order autoregressive series whose r is that of the values,
    found as in `t_test` (signs that are all alike would tell nothing of it). The binomial
    probability is taken at such a fraction of the counts: it is an incomplete beta function, which
    goes on between whole numbers.

    Source: Conover 1999, Practical Nonparametric Statistics, section 3.4.
    """

    name: Literal["sign_test"] = "sign_test"

    against: ClassVar[Against] = "zero"
    question: ClassVar[str] = "the median over samples is zero"

    def p_values(
        self, values: npt.NDArray[np.float32], group: int, series: Series, memory: Memory
    ) -> Array:
        """Return the two-sided p-value of each cell; 1 where all samples are zero."""
        from scipy.special import betainc

        values, series = values[series.group == group], series.of(group)
        signs = np.sign(values)
        above, below = (signs > 0).sum(axis=0), (signs < 0).sum(axis=0)
        share = worth_of_signs(len(values), autocorrelation(values, series, memory.r))
        n = (above + below) * share
        most = np.maximum(above, below) * share
        # P(at least `most` of n) with even odds.
        tail = betainc(np.maximum(most, 1e-12), n - most + 1, 0.5)
        return np.asarray(np.where(n > 0, np.minimum(1, 2 * tail), 1.0))


def worth_of_signs(n: int, r: Array) -> Array:
    """Return for how many independent signs one of ``n`` counts: 1 / (1 + 2 Σ_k (1 - k / n) ρ_k).

    ρ_k = 2 / π · asin(r^k) is the autocorrelation of the signs of a normally distributed series of
    which r^k is the autocorrelation (Sheppard 1899).
    """
    # Read from a table that is dense where r is near 1; the sum has n terms for every entry.
    memory = np.logspace(0, -6, 256)
    worth = np.empty(len(memory))
    k = np.arange(1, n)
    for i, each in enumerate(memory):
        rho = 2 / np.pi * np.arcsin((1 - each) ** k)
        worth[i] = 1 / (1 + 2 * ((1 - k / n) * rho).sum())
    return np.interp(-np.log10(1 - r), -np.log10(memory), worth)
