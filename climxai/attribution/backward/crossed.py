"""An operator with a backward of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Back = Callable[[tuple[Tensor, ...], tuple[Tensor, ...]], tuple[Tensor | None, ...]]
"""From what arrives at the outputs, and the inputs, to what the inputs get."""


class _Crossed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, run: Callable[..., Any], back: Back, *inputs: Tensor) -> Any:
        ctx.back = back
        ctx.save_for_backward(*inputs)
        return run(*inputs)

    @staticmethod
    def backward(ctx: Any, *arrived: Tensor) -> tuple[Tensor | None, ...]:
        return (None, None, *ctx.back(arrived, ctx.saved_tensors))


def crossed(run: Callable[..., Any], back: Back, *inputs: Tensor) -> Any:
    """Return ``run(*inputs)``; going back, ``back(arrived, inputs)`` takes the gradient's place."""
    return _Crossed.apply(run, back, *inputs)  # type: ignore[no-untyped-call]


def pulled(run: Callable[..., Any], arrived: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Return the plain gradient of ``run`` at ``inputs``, for what arrives at its output.

    Of several outputs the first counts.
    """
    with torch.enable_grad():
        leaves = tuple(x.detach().requires_grad_() for x in inputs)
        result = run(*leaves)
        result = result[0] if isinstance(result, tuple) else result
        return torch.autograd.grad(result, leaves, arrived.expand_as(result))
