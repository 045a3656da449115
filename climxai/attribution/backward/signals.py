"""The signal of an output traced back by patterns: PatternNet and PatternAttribution."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.backward.crossed import crossed
from climxai.attribution.backward.operations import Operation, anatomy, run
from climxai.attribution.backward.patterns import Layers, merged_away, structure
from climxai.attribution.backward.slopes import first
from climxai.attribution.lrp.operators.arithmetic import Factor
from climxai.attribution.lrp.operators.dense import Dense
from climxai.attribution.lrp.operators.weighted import Scaling
from climxai.attribution.network import Network, ordinary
from climxai.attribution.scalar import check_start


def traced_back(
    network: Network,
    patterns: dict[Node, Tensor],
    x: Tensor,
    start: Tensor,
    reference: Tensor | None,
    *,
    weighted: bool,
) -> tuple[Tensor, Tensor]:
    """Return what the weighted outputs become at the input [sample, ...], and the outputs.

    Parameters
    ----------
    network
        The traced network.
    patterns
        Every layer's patterns, shaped like its weights.
    x
        Inputs [sample, channel, lat, lon].
    start
        Weights of the outputs [sample, *output_shape].
    reference
        Outputs subtracted before weighting, or None.
    weighted
        Layers are crossed by weights times patterns (PatternAttribution) or by patterns alone
        (PatternNet). Other operators keep their gradient, but a factor: its pattern is one over it.
    """
    parts = structure(network)
    replaced: dict[Node, Callable[..., Any]] = dict(merged_away(network))
    for node, layer in parts.layers.items():
        pattern = patterns[node]
        used = like(layer, layer.weight * pattern if weighted else pattern)
        replaced[node] = partial(_by_pattern, layer, used)
    for node, operation in anatomy(network).operations.items():
        if node not in replaced and isinstance(operation.built, Scaling | Factor):
            replaced[node] = partial(_by_factor, operation, weighted)
    with torch.inference_mode(False), torch.enable_grad():
        x, start = ordinary(x, start)
        leaf = x.requires_grad_()
        outputs = run(network, leaf, replaced)
        check_start(outputs, start)
        scores = outputs.detach()
        arrived = (scores if reference is None else scores - reference) * start
        (signal,) = torch.autograd.grad(
            outputs, leaf, arrived, allow_unused=True, materialize_grads=True
        )
    return signal, scores


def like(layer: Layers, weight: Tensor) -> Layers:
    """Return a layer with other weights and no bias."""
    if isinstance(layer, Dense):
        return Dense(layer.place, weight, None)
    stride, padding, dilation, transposed, output_padding, groups = layer.settings
    return type(layer)(
        layer.place,
        weight,
        None,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        transposed=transposed,
        output_padding=output_padding,
        margin=layer.margin,
    )


def _by_pattern(layer: Layers, pattern: Layers, x: Tensor) -> Any:
    def forward(x: Tensor) -> Tensor:
        return layer.apply(x, bias=True)

    def back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        return (pattern.pull(arrived[0], inputs[0].shape),)

    return crossed(forward, back, x)


def _by_factor(operation: Operation, weighted: bool, x: Tensor) -> Any:
    function, built = operation.call.function(), operation.built

    def forward(x: Tensor) -> Tensor:
        return first(function(x))

    def back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        (signal,), (taken,) = arrived, inputs
        factor = built.weight if isinstance(built, Scaling) else function(torch.ones_like(taken))
        passed = signal if weighted else signal / factor
        return (torch.where(factor == 0, 0.0, passed).sum_to_size(taken.shape),)

    value = crossed(forward, back, x)
    return value if operation.one else (value,)
