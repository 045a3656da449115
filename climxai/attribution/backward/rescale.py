"""DeepLIFT's rescale rule: a backward pass with mean slopes in place of derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.backward.crossed import crossed
from climxai.attribution.backward.operations import Operation, anatomy, run
from climxai.attribution.backward.slopes import first, of_maximum, secant
from climxai.attribution.network import Network, ordinary
from climxai.attribution.scalar import check_start


def rescaled(
    network: Network, x: Tensor, baseline: Tensor, start: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return contributions [sample, ...], outputs, and outputs at the baseline.

    Parameters
    ----------
    network
        The traced network.
    x
        Inputs [sample, channel, lat, lon].
    baseline
        What they are compared with [1, channel, lat, lon].
    start
        Weights of the outputs [sample, *output_shape].
    """
    bent = {
        node: each
        for node, each in anatomy(network).operations.items()
        if each.kind in ("relu", "activation", "max")
    }
    bases: dict[Node, tuple[Tensor, ...]] = {}
    with torch.inference_mode(False), torch.no_grad():
        x, baseline, start = ordinary(x, baseline, start)
        recording = {node: partial(_recorded, each, bases) for node, each in bent.items()}
        at_baseline = run(network, baseline, recording)
    replaced = {node: _replacement(each, bases[node]) for node, each in bent.items()}
    with torch.inference_mode(False), torch.enable_grad():
        leaf = x.detach().requires_grad_()
        outputs = run(network, leaf, replaced)
        check_start(outputs, start)
        (multipliers,) = torch.autograd.grad(
            (outputs * start).sum(), leaf, allow_unused=True, materialize_grads=True
        )
    return multipliers.mul_(x - baseline), outputs.detach(), at_baseline


def _recorded(operation: Operation, bases: dict[Node, tuple[Tensor, ...]], *inputs: Tensor) -> Any:
    bases[operation.call.node] = inputs
    return operation.call.function()(*inputs)


def _replacement(operation: Operation, bases: tuple[Tensor, ...]) -> Callable[..., Any]:
    function, name = operation.call.function(), operation.call.name

    def slope_back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (arrived[0] * secant(name, function, inputs[0], bases[0]),)

    def maximum_back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return of_maximum(function, arrived[0], inputs, bases)

    back = maximum_back if operation.kind == "max" else slope_back

    def replacement(*inputs: Tensor) -> Any:
        value = crossed(lambda *taken: first(function(*taken)), back, *inputs)
        return value if operation.one else (value,)

    return replacement
