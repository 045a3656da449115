"""Advice where a network's architecture hurts the reading of its relevance maps."""

from __future__ import annotations

import torch
from torch import Tensor

from climxai.attribution.network import Network, place_of

_SIGMOIDS = ("aten.sigmoid.default", "aten.hardsigmoid.default")


def advise(
    network: Network,
    *,
    scores: Tensor | None = None,
    first_layer_penalty: float | None = None,
) -> tuple[str, ...]:
    """Return advice, one sentence or two each, with the reason.

    Parameters
    ----------
    network
        The traced network.
    scores
        Explained scalars and, beside them, outputs are compared with what biases alone give:
        outputs [sample, *output_shape] of typical samples, or None to leave that out.
    first_layer_penalty
        Coefficient of the first layer's L2 or L1 penalty in training, None where unknown.
    """
    return (
        *_max_pooling(network),
        *_sigmoids(network),
        *_strides(network),
        *_biases(network, scores),
        *_penalty(first_layer_penalty),
    )


def _named(network: Network, names: tuple[str, ...]) -> list[str]:
    return [place_of(n) for n in network.graph.nodes if str(n.target) in names]


def _max_pooling(network: Network) -> list[str]:
    found = [
        place_of(n)
        for n in network.graph.nodes
        if "max_pool" in str(n.target) and n.op == "call_function"
    ]
    if not found:
        return []
    return [
        f"Max pooling at {', '.join(found)}: all relevance of a window goes to one cell, so that "
        "maps are speckled and jump with small shifts of the field. Average pooling, or the "
        "convention `max_pooling: proportional`, gives smoother maps."
    ]


def _sigmoids(network: Network) -> list[str]:
    found = _named(network, _SIGMOIDS)
    if not found:
        return []
    return [
        f"Sigmoid inside the network at {', '.join(found)}: it returns 0.5 for no signal at all, "
        "so relevance is given to units that say nothing. ReLU or tanh return zero there."
    ]


def _strides(network: Network) -> list[str]:
    found = []
    for node in network.graph.nodes:
        name = str(node.target)
        if not name.startswith("aten.conv") or "transpose" in name:
            continue
        weight, stride = node.args[1].meta["val"].shape, node.args[3] if len(node.args) > 3 else [1]
        uneven = any(
            step > 1 and kernel % step
            for step, kernel in zip(_each(stride, len(weight) - 2), weight[2:], strict=True)
        )
        if uneven:
            found.append(place_of(node))
    if not found:
        return []
    return [
        f"Strided convolution at {', '.join(found)} with a kernel that is no multiple of its "
        "stride: some cells enter more windows than others, which prints a checkerboard on the "
        "maps. Use a kernel that is a multiple of the stride, or pooling after a convolution "
        "without stride."
    ]


def _each(stride: list[int], dims: int) -> list[int]:
    return list(stride) * dims if len(stride) == 1 else list(stride)


def _biases(network: Network, scores: Tensor | None) -> list[str]:
    if scores is None or not scores.numel():
        return []
    zeros = torch.zeros((1, *network.shape), dtype=network.dtype, device=network.device)
    with torch.no_grad():
        alone = network(zeros).abs().flatten().amax()
    typical = scores.abs().flatten(1).amax(1).median()
    if typical > alone:
        return []
    return [
        f"Biases alone give an output of {float(alone):.3g}, typical samples {float(typical):.3g}: "
        "more of the score comes from biases than from the field, and relevance is a small "
        "difference of large numbers. Explain a logit difference, subtract the prediction at zero "
        "input (`minus: zero_input`), or train with smaller biases."
    ]


def _penalty(penalty: float | None) -> list[str]:
    if penalty is None or penalty > 0:
        return []
    return [
        "The first layer was trained without L2 or L1 penalty: its weights keep the noise they "
        "started with, and relevance is speckled by it. A penalty on the first layer alone "
        "(`train.l2`) gives maps that follow the field."
    ]
