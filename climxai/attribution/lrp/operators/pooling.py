"""Pooling, means and interpolation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing, Ground, Ledger, ratio
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.elementwise import Winner
from climxai.attribution.lrp.operators.linear_map import LinearMap, Unweighted


class Averaging(Unweighted):
    """An average or sum over windows or dimensions."""

    kind = "pooling"

    def __init__(self, place: str, run: Callable[..., Any]) -> None:
        super().__init__(place)
        self.run = run

    def compute(self, x: Tensor) -> Tensor:
        """Return the averages."""
        result: Tensor = self.run(x)
        return result


class Interpolation(Averaging):
    """An interpolation with weights that are never negative."""

    kind = "interpolation"
    even = False


class ProportionalPooling(Crossing):
    """Max pooling whose relevance goes to the cells of a window in proportion to their value.

    Only positive values share; a window without any gives all to its largest value.
    """

    kind = "max"

    def __init__(self, place: str, run: Callable[..., Any], average: Callable[..., Any]) -> None:
        self.run = run
        self.average = Averaging(place, average)

    def forward(self, inputs: tuple[Any, ...], ground: Ground | None) -> tuple[Any, Any]:
        """Return the largest value of every window."""
        del ground
        (x,) = inputs
        return self._first(self.run(x)), x

    def backward(
        self, relevance: Any, saved: Any, ledger: Ledger | None
    ) -> tuple[Tensor | None, ...]:
        """Return ``x_j+ / (sum of the window's x+) R``."""
        above = saved.clamp(min=0)
        sums = self.average.compute(above)
        s = ratio(relevance, sums)
        result = self.average.pull(s, saved.shape).mul_(above)
        left = relevance * (sums == 0)
        if left.any():
            winner = Winner(self.run)
            _, kept = winner.forward((saved,), None)
            (alone,) = winner.backward(left, (kept[0], self._first(kept[1])), ledger)
            result += 0 if alone is None else alone
        return (result,)

    @staticmethod
    def _first(result: Any) -> Tensor:
        largest: Tensor = result[0] if isinstance(result, tuple) else result
        return largest

    def valid(self, inputs: tuple[Any, ...]) -> Any:
        """Return 1 where a window has a valid cell."""
        return self._first(self.run(*inputs))

    def bounds(self, low: tuple[Any, ...], high: tuple[Any, ...]) -> tuple[Any, Any] | None:
        """Return the largest of the bounds."""
        return self._first(self.run(*low)), self._first(self.run(*high))


def averaging(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of an average pooling, a mean or a sum over dimensions."""
    del settled
    return Averaging(call.place, call.function())


def over_dimensions(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of a mean or sum over dimensions other than the sample's.

    Raises
    ------
    ModelError
        When it runs over samples.
    """
    del settled
    dims = call["dim"] if "dim" in call.names else None
    rank = len(call.input_shape())
    if not dims or any(d % rank == 0 for d in dims):
        raise call.unsuited(
            "it runs over samples", "Explain a network that treats every sample by itself"
        )
    return Averaging(call.place, call.function())


def interpolation(call: Call, settled: Settled) -> LinearMap:
    """Return the linear map of an up-sampling or interpolation."""
    del settled
    return Interpolation(call.place, call.function())


def max_pooling(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of max pooling: winner takes all, or in proportion to the values."""
    if settled.max_pooling == "winner":
        return Winner(call.function())
    dims = len(call.input_shape()) - 2
    averages: dict[int, Callable[..., Tensor]] = {
        1: torch.nn.functional.avg_pool1d,
        2: torch.nn.functional.avg_pool2d,
        3: torch.nn.functional.avg_pool3d,
    }
    window, padding = call["kernel_size"], call["padding"]
    dilation = call["dilation"]
    if any(d != 1 for d in ([dilation] if isinstance(dilation, int) else dilation)):
        raise call.unsuited(
            "proportional max pooling does not suit dilated windows",
            "Set the convention `max_pooling: winner`",
        )
    stride, ceil = call["stride"] or window, call["ceil_mode"]

    def average(x: Tensor) -> Tensor:
        return averages[dims](x, window, stride, padding, ceil_mode=ceil)

    return ProportionalPooling(call.place, call.function(), average)


def adaptive_max_pooling(call: Call, settled: Settled) -> Crossing:
    """Return the crossing of adaptive max pooling: winner takes all."""
    if settled.max_pooling != "winner":
        raise call.unsuited(
            "proportional max pooling does not suit adaptive windows",
            "Set the convention `max_pooling: winner`",
        )
    return Winner(call.function())
