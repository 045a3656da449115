"""Linear maps with weights: dense, convolution, transposed convolution, batch norm."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from climxai.attribution.lrp.operators.linear_map import Variant, Weighted


class Dense(Weighted):
    """A dense layer on the last dimension; weight [out, in]."""

    kind = "dense"

    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return ``x W^T``."""
        return functional.linear(x, self.variant(variant), self.bias if bias else None)

    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return ``s W``."""
        del shape
        return s @ self.variant(variant)


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
        # Only the shape of the input counts: a tensor of stride zero stands for it.
        like = s.new_zeros(()).expand(shape)
        pulled: Tensor = torch.ops.aten.convolution_backward(
            s, like, self.variant(variant), None, *self.settings, [True, False, False]
        )[0]
        return pulled


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
