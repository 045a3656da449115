"""Dense layers, whose first one on a whole map takes most of the time of a small network.

For signed inputs, sums of positive and negative contributions follow from two products with the
plain number of columns, ``(x w +- |x| |w|) / 2``. That loses digits where one sum is nearly empty;
then four products, two at a time, take over.
"""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from climxai.attribution.lrp.operators.linear_map import Variant, Weighted

WIDE = 1024
"""Inputs from which on a layer is wide: the cost lies in its memory traffic."""
BLOCK = 1 << 19
"""Values of a block of samples of a wide layer: what the processor's caches can hold."""
BALANCE = 16.0
"""A sum counts as nearly empty below this fraction (one over it) of both together."""


class Dense(Weighted):
    """A dense layer on the last dimension; weight [out, in]."""

    kind = "dense"
    stack = -2

    def __init__(self, place: str, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__(place, weight, bias)
        self._stacked: tuple[Tensor, Tensor] | None = None
        self._scratch = threading.local()

    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return ``x W^T``."""
        weight, shift = self.variant(variant), self.bias if bias else None
        if not self._wide(x) or not _turned(x, weight):
            return functional.linear(x, weight, shift)
        sums = torch.mm(weight, x.t()).t()
        return sums if shift is None else sums.add_(shift)

    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return ``s W``."""
        del shape
        return s @ self.variant(variant)

    def _both(self) -> tuple[Tensor, Tensor]:
        """Return w+ over w- and w- over w+, each [2 out, in]: two products in one."""
        if self._stacked is None:
            parts = self.variant("positive"), self.variant("negative")
            self._stacked = torch.cat(parts), torch.cat(parts[::-1])
        return self._stacked

    def _buffer(self, name: str, like: Tensor) -> Tensor:
        """Return memory shaped like a tensor, the same from block to block of one thread."""
        held: Tensor | None = getattr(self._scratch, name, None)
        if held is None or held.shape != like.shape or held.dtype != like.dtype:
            held = torch.empty_like(like)
            setattr(self._scratch, name, held)
        return held

    def _wide(self, x: Tensor) -> bool:
        return x.ndim == 2 and x.shape[1] >= WIDE and x.device.type == "cpu"

    def _blocks(self, x: Tensor) -> list[slice]:
        rows = max(1, BLOCK // x.shape[1])
        return [slice(i, i + rows) for i in range(0, x.shape[0], rows)]

    def parts(self, x: Tensor, *, nonnegative: bool) -> tuple[Tensor, Tensor, Any]:
        """Return the sums of positive and negative contributions, and what `gather` needs."""
        both, swapped = self._both()
        if nonnegative:
            parts = self._unstacked(functional.linear(x, both))
            return parts, self.total(parts), (x, "one")
        if not self._wide(x):
            up = x.clamp(min=0)
            parts = self._unstacked(
                functional.linear(up, both) + functional.linear(x - up, swapped)
            )
            return parts, self.total(parts), (x, "halves")
        plain, size = x.new_empty((2, len(x), len(self.weight)))
        half, half_size = self.variant("half"), self.variant("half_size")
        for rows in self._blocks(x):
            part = x[rows]
            _product(part, half, plain[rows])
            _product(torch.abs(part, out=self._buffer("a", part)), half_size, size[rows])
        if _balanced(plain, size):
            parts = torch.stack((plain + size, plain - size), 1)
            return parts, plain.mul_(2), (x, "sizes")
        sums = x.new_empty((len(x), len(both)))
        for rows in self._blocks(x):
            part = x[rows]
            up = torch.clamp(part, min=0, out=self._buffer("a", part))
            torch.mm(up, both.t(), out=sums[rows])
            sums[rows].addmm_(torch.sub(part, up, out=up), swapped.t())
        parts = self._unstacked(sums)
        return parts, self.total(parts), (x, "halves")

    def _unstacked(self, sums: Tensor) -> Tensor:
        return sums.view(*sums.shape[:-1], 2, -1)

    def gather(self, kept: Any, shape: torch.Size, factors: Tensor) -> Tensor:
        """Return ``(x w)+ positive + (x w)- negative`` summed over the outputs."""
        del shape
        x, how = kept
        both, swapped = self._both()
        if how == "one":
            return (factors.flatten(-2) @ both).mul_(x)
        if how == "sizes":
            positive, negative = factors.unbind(-2)
            half, half_size = self.variant("half"), self.variant("half_size")
            up, down = positive + negative, positive - negative
            return self._gather(x, up, half, down, half_size, sizes=True)
        s = factors.flatten(-2)
        return self._gather(x, s, both, s, swapped, sizes=False)

    def gather_positive(self, kept: Any, shape: torch.Size, factors: Tensor) -> Tensor:
        """Return ``(x w)+`` times factors [sample, ...out], summed over the outputs."""
        del shape
        x, how = kept
        plus, minus = self.variant("positive"), self.variant("negative")
        if how == "one":
            return (factors @ plus).mul_(x)
        # Never from sizes: a cell without positive contributions gets exactly zero.
        return self._gather(x, factors, plus, factors, minus, sizes=False)

    def _gather(
        self, x: Tensor, s: Tensor, weight: Tensor, t: Tensor, other: Tensor, *, sizes: bool
    ) -> Tensor:
        """Return ``x s W + |x| t V`` where ``sizes``, else ``x+ s W + x- t V``."""
        if not self._wide(x):
            up = x.clamp(min=0)
            return (s @ weight).mul_(up).addcmul_(t @ other, x - up)
        result = torch.empty_like(x)
        blocks = self._blocks(x)
        for rows in blocks:
            part, into = x[rows], result[rows]
            factor, pulled = self._buffer("a", part), self._buffer("b", part)
            torch.mm(s[rows], weight, out=into)
            torch.mm(t[rows], other, out=pulled)
            if sizes:
                if len(blocks) > 1:  # a single block's sizes are still there
                    torch.abs(part, out=factor)
                into.mul_(part).addcmul_(pulled, factor)
            else:
                into.mul_(torch.clamp(part, min=0, out=factor))
                into.addcmul_(pulled, torch.sub(part, factor, out=factor))
        return result

    def pull_times(self, s: Tensor, x: Tensor) -> Tensor:
        """Return ``x`` times the transposed map of ``s``."""
        if not self._wide(x):
            return super().pull_times(s, x)
        result = torch.empty_like(x)
        for rows in self._blocks(x):
            torch.mm(s[rows], self.weight, out=result[rows])
            result[rows] *= x[rows]
        return result


def _turned(x: Tensor, weight: Tensor) -> bool:
    """Whether ``W x^T`` is computed faster than ``x W^T``: few outputs for many samples."""
    return len(weight) < len(x)


def _product(x: Tensor, weight: Tensor, into: Tensor) -> None:
    """Write ``x W^T`` of a wide layer."""
    if _turned(x, weight):
        into.copy_(torch.mm(weight, x.t()).t())
    else:
        torch.mm(x, weight.t(), out=into)


def _balanced(plain: Tensor, size: Tensor) -> bool:
    """Whether no sum of positive or of negative contributions is nearly empty."""
    return float(torch.sub(plain.abs(), size, alpha=1 - 2 / BALANCE).amax()) <= 0
