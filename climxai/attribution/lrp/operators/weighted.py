"""Linear maps with weights: convolution, transposed convolution, batch norm."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from climxai.attribution.lrp.operators.linear_map import Variant, Weighted


class Convolution(Weighted):
    """A convolution in 1-3 dimensions, transposed or not; weight as torch holds it.

    Parameters
    ----------
    margin
        Zero padding added first, as ``torch.nn.functional.pad`` takes it; for 'same' padding that
        is not alike on both sides.
    """

    def __init__(
        self,
        place: str,
        weight: Tensor,
        bias: Tensor | None,
        *,
        stride: list[int],
        padding: list[int],
        dilation: list[int],
        groups: int,
        transposed: bool = False,
        output_padding: list[int] | None = None,
        margin: list[int] | None = None,
    ) -> None:
        dims = weight.ndim - 2
        shaped = None if bias is None else bias.reshape(1, -1, *[1] * dims)
        super().__init__(place, weight, shaped)
        self._stacks: dict[bool, Tensor] = {}
        self.kind = "transposed_convolution" if transposed else "convolution"
        self.margin = margin
        self.settings: tuple[Any, ...] = (
            _each(stride, dims),
            _each(padding, dims),
            _each(dilation, dims),
            transposed,
            _each(output_padding or [0], dims),
            groups,
        )

    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return the convolution of ``x``."""
        if self.margin is not None:
            x = functional.pad(x, self.margin)
        flat = self.bias.flatten() if bias and self.bias is not None else None
        return torch.convolution(x, self.variant(variant), flat, *self.settings)

    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return the transposed convolution of ``s``: the gradient with respect to the input."""
        if self.margin is not None:
            padded = list(shape)
            for i, width in enumerate(self.margin):
                padded[-1 - i // 2] += width
            return functional.pad(self._pull(s, padded, variant), [-m for m in self.margin])
        return self._pull(s, list(shape), variant)

    def _pull(self, s: Tensor, shape: list[int], variant: Variant) -> Tensor:
        return self._pull_by(s, shape, self.variant(variant), self.settings)

    def _pull_by(
        self, s: Tensor, shape: list[int], weight: Tensor, settings: tuple[Any, ...]
    ) -> Tensor:
        # Only the shape of the input counts: a tensor of stride zero stands for it.
        like = s.new_zeros(()).expand(shape)
        pulled: Tensor = torch.ops.aten.convolution_backward(
            s, like, weight, None, *settings, [True, False, False]
        )[0]
        return pulled

    def _stackable(self) -> bool:
        return self.settings[5] == 1 and self.margin is None

    def _stacked_weight(self, *, nonnegative: bool) -> Tensor:
        """Return w+ and w- side by side, so that one convolution gives both sums.

        For signed inputs the channels are doubled too: positive parts first, then negative ones.
        """
        if nonnegative not in self._stacks:
            out, into = (1, 0) if self.kind == "transposed_convolution" else (0, 1)
            plus, minus = self.variant("positive"), self.variant("negative")
            weight = torch.cat((plus, minus), out)
            if not nonnegative:
                weight = torch.cat((weight, torch.cat((minus, plus), out)), into)
            self._stacks[nonnegative] = weight
        return self._stacks[nonnegative]

    def parts(self, x: Tensor, *, nonnegative: bool) -> tuple[Tensor, Tensor, Any]:
        """Return the sums of positive and negative contributions, and what `gather` needs."""
        if not self._stackable():
            return super().parts(x, nonnegative=nonnegative)
        halves = x if nonnegative else torch.cat((x.clamp(min=0), x.clamp(max=0)), 1)
        weight = self._stacked_weight(nonnegative=nonnegative)
        sums = torch.convolution(halves, weight, None, *self.settings)
        parts = sums.view(len(sums), 2, -1, *sums.shape[2:])
        return parts, self.total(parts), (halves, nonnegative)

    def gather(self, kept: Any, shape: torch.Size, factors: Tensor) -> Tensor:
        """Return ``(x w)+ positive + (x w)- negative`` summed over the outputs."""
        if not self._stackable():
            return super().gather(kept, shape, factors)
        halves, nonnegative = kept
        weight = self._stacked_weight(nonnegative=nonnegative)
        pulled = self._pull_by(factors.flatten(1, 2), list(halves.shape), weight, self.settings)
        pulled *= halves
        if nonnegative:
            return pulled
        up, down = pulled.chunk(2, 1)
        return up + down

    def gather_positive(self, kept: Any, shape: torch.Size, factors: Tensor) -> Tensor:
        """Return ``(x w)+`` times factors [sample, ...out], summed over the outputs."""
        if not self._stackable():
            return super().gather_positive(kept, shape, factors)
        halves, nonnegative = kept
        if nonnegative:
            return self.pull(factors, shape, "positive").mul_(halves)
        up, down = halves.chunk(2, 1)
        return super().gather_positive((up, down), shape, factors)


class Scaling(Weighted):
    """One factor and one shift per channel: batch norm in evaluation; weight [1, channel, ...]."""

    kind = "batch_norm"

    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return ``x`` times the factors."""
        scaled = x * self.variant(variant)
        return scaled + self.bias if bias and self.bias is not None else scaled

    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return ``s`` times the factors."""
        del shape
        return s * self.variant(variant)

    def valid(self, x: Tensor) -> Tensor | None:
        """Return the valid cells: they stay where they are."""
        return x

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the bounds of the scaled values."""
        up, down = self.variant("positive"), self.variant("negative")
        shift = 0 if self.bias is None else self.bias
        return low * up + high * down + shift, high * up + low * down + shift


def _each(values: list[int], dims: int) -> list[int]:
    return list(values) * dims if len(values) == 1 else list(values)


def same_margin(weight: Tensor, dilation: list[int]) -> tuple[list[int], list[int] | None]:
    """Return the padding of a 'same' convolution, and the margin where both sides differ."""
    dims = weight.ndim - 2
    totals = [d * (k - 1) for d, k in zip(_each(dilation, dims), weight.shape[2:], strict=True)]
    if all(total % 2 == 0 for total in totals):
        return [total // 2 for total in totals], None
    margin: list[int] = []
    for total in reversed(totals):
        margin += [total // 2, total - total // 2]
    return [0] * dims, margin
