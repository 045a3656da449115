"""Bicubic interpolation: a linear map whose coefficients have both signs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.linear_map import LinearMap, Variant


class Bicubic(LinearMap):
    """An interpolation along latitude, then along longitude: ``A x B^T``.

    Parameters
    ----------
    rows, columns
        The matrices A [lat out, lat in] and B [lon out, lon in].
    """

    kind = "interpolation"
    even = False

    def __init__(self, place: str, rows: Tensor, columns: Tensor) -> None:
        super().__init__(place)
        self.rows, self.columns = rows, columns

    def _pairs(self, variant: Variant) -> list[tuple[Tensor, Tensor]]:
        """Return pairs of matrices whose products add up to the coefficients of a variant."""
        if variant == "plain":
            return [(self.rows, self.columns)]
        up, down = self.rows.clamp(min=0), self.rows.clamp(max=0)
        right, left = self.columns.clamp(min=0), self.columns.clamp(max=0)
        return [(up, right), (down, left)] if variant == "positive" else [(up, left), (down, right)]

    def apply(self, x: Tensor, variant: Variant = "plain", *, bias: bool = False) -> Tensor:
        """Return the interpolation of ``x``."""
        del bias
        first, *more = [a @ x @ b.t() for a, b in self._pairs(variant)]
        return sum(more, first)

    def pull(self, s: Tensor, shape: torch.Size, variant: Variant = "plain") -> Tensor:
        """Return the transposed interpolation of ``s``."""
        del shape
        first, *more = [a.t() @ s @ b for a, b in self._pairs(variant)]
        return sum(more, first)

    def valid(self, x: Tensor) -> Tensor | None:
        """Return 1 where an output has a valid input, else 0."""
        reached = self.rows.abs() @ x @ self.columns.abs().t()
        return (reached > 0).to(x.dtype)

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return the interpolation of what makes every output smallest and largest."""
        return (
            self.apply(low, "positive") + self.apply(high, "negative"),
            self.apply(high, "positive") + self.apply(low, "negative"),
        )


def bicubic(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of a bicubic interpolation, found by unit vectors."""
    del settled
    _, _, lat, lon = call.input_shape()
    size, scales = call["output_size"], call["scale_factors"]
    like = call.node.meta["val"]

    def along(count: int, which: int) -> Tensor:
        # The other dimension has one cell: interpolating it changes nothing.
        unit = torch.eye(count, dtype=like.dtype, device=like.device)[None, :, :, None]
        to = None if size is None else [size[which], 1]
        by: Any = None if scales is None else [scales[which], 1.0]
        found: Tensor = call.target(unit, to, call["align_corners"], by)
        return found[0, :, :, 0].t().contiguous()

    return Bicubic(call.place, along(lat, 0), along(lon, 1))
