"""Slopes between two points: of activations, and of the largest of several values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.backward.crossed import pulled

_SMOOTH = {
    "aten.tanh.default",
    "aten.sigmoid.default",
    "aten.softplus.default",
    "aten.exp.default",
    "aten.gelu.default",
    "aten.silu.default",
    "aten.mish.default",
}
"""Activations without a kink: between near points the derivative half-way is the better slope."""


def near(name: str, step: Tensor, z: Tensor) -> Tensor:
    """Return where a step from ``z`` is too small for a quotient of differences.

    Smooth activations lose half their digits in the quotient at such a step, and the derivative
    half-way is off by its square only; across a kink nothing but rounding noise counts as small.
    """
    eps = torch.finfo(z.dtype).eps
    scale = z.abs().clamp(min=1) * eps**0.5 if name in _SMOOTH else z.abs() * (32 * eps)
    close: Tensor = step.abs() <= scale
    return close


def derivative(function: Callable[..., Any], z: Tensor) -> Tensor:
    """Return the derivative of an element-wise function."""
    return pulled(function, torch.ones_like(z), z)[0]


def secant(name: str, function: Callable[..., Any], z: Tensor, base: Tensor) -> Tensor:
    """Return the mean slope of an activation between ``base`` and ``z``.

    Where both are the same it is the derivative.

    Parameters
    ----------
    name
        The operator's name.
    function
        The activation.
    z, base
        The points, alike in shape but for a sample dimension of 1 in ``base``.
    """
    step = z - base
    slope: Tensor = (function(z) - function(base)) / step
    close = near(name, step, z)
    if bool(close.any()):
        slope = torch.where(close, derivative(function, (z + base) / 2), slope)
    return slope


def of_maximum(
    function: Callable[..., Any],
    arrived: Tensor,
    inputs: tuple[Tensor, ...],
    bases: tuple[Tensor, ...],
) -> tuple[Tensor, ...]:
    """Return the multipliers of the inputs of a maximum, for those at its output.

    The rise of the output goes to the inputs that win at the sample, its fall to those that win at
    the baseline, and each is divided by the input's own change; where an input does not change its
    multiplier is the gradient. Sums to the output's change, and is what captum does for max
    pooling whose windows do not overlap.

    Parameters
    ----------
    function
        The maximum; of several outputs the first counts.
    arrived
        Multipliers of the output.
    inputs, bases
        What it takes at the sample and at the baseline.
    """
    bases = tuple(b.expand_as(x) for b, x in zip(bases, inputs, strict=True))
    at_sample, at_base = first(function(*inputs)), first(function(*bases))
    top = torch.maximum(at_sample, at_base)
    risen = pulled(function, arrived * (top - at_base), *inputs)
    fallen = pulled(function, arrived * (at_sample - top), *bases)
    plain = pulled(function, arrived, *inputs)
    return tuple(
        torch.where(x == b, gradient, (up + down) / (x - b))
        for x, b, up, down, gradient in zip(inputs, bases, risen, fallen, plain, strict=True)
    )


def first(result: Any) -> Tensor:
    """Return the first of several outputs, or the only one."""
    found: Tensor = result[0] if isinstance(result, tuple) else result
    return found
