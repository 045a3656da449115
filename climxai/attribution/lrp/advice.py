"""Advice where a network's architecture hurts the reading of its relevance maps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.context import Context
from climxai.attribution.network import Network, place_of
from climxai.attribution.scalar import explained

_SIGMOIDS = ("aten.sigmoid.default", "aten.hardsigmoid.default")


def advise(
    network: Network,
    *,
    scores: Iterable[tuple[Tensor, Tensor]] = (),
    first_layer_penalty: float | None = None,
) -> tuple[str, ...]:
    """Return advice, one sentence or two each, with the reason.

    Parameters
    ----------
    network
        The traced network.
    scores
        For every objective, what `scores_and_biases` returned for typical samples.
    first_layer_penalty
        Coefficient of the first layer's L2 or L1 penalty in training, None where unknown.
    """
    return (
        *_max_pooling(network),
        *_sigmoids(network),
        *_strides(network),
        *_biases(scores),
        *_penalty(first_layer_penalty),
    )


def scores_and_biases(
    network: Network, outputs: Tensor, start: Tensor, context: Context
) -> tuple[Tensor, Tensor]:
    """Return explained scalars [sample], and what they are where biases alone act [sample].

    Parameters
    ----------
    outputs
        Outputs [sample, *output_shape] of typical samples.
    start
        The objective's weights of them.
    context
        Its ``reference`` is subtracted from both.
    """
    zeros = torch.zeros((1, *network.shape), dtype=network.dtype, device=network.device)
    with torch.no_grad():
        alone = network(zeros).expand_as(outputs)
    reference = context.reference
    return explained(outputs, start, reference)[0], explained(alone, start, reference)[0]


def _max_pooling(network: Network) -> list[str]:
    found = [
        place_of(n)
        for n in network.graph.nodes
        if n.op == "call_function" and ("max_pool" in str(n.target) or _largest_of_maps(n))
    ]
    if not found:
        return []
    return [
        f"Max pooling at {', '.join(found)}: all relevance of a window goes to one cell, so that "
        "maps are speckled and jump with small shifts of the field. Average pooling, or for "
        "windows the convention `max_pooling: proportional`, gives smoother maps."
    ]


def _largest_of_maps(node: Node) -> bool:
    """Whether a node takes the largest value over the cells of maps [sample, channel, lat, lon]."""
    if str(node.target) not in ("aten.amax.default", "aten.max.dim"):
        return False
    rank = len(node.all_input_nodes[0].meta["val"].shape)
    dims = node.args[1] if len(node.args) > 1 else []
    over = [dims] if isinstance(dims, int) else list(dims)  # type: ignore[arg-type]
    return rank == 4 and any(dim % rank in (2, 3) for dim in over)


def _at_the_end(node: Node) -> bool:
    """Whether a node's value is the network's output, or reshaped to it."""
    return all(
        user.op == "output" or (_only_reshapes(user) and _at_the_end(user)) for user in node.users
    )


def _only_reshapes(node: Node) -> bool:
    return any(word in str(node.target) for word in ("view", "reshape", "flatten", "squeeze"))


def _sigmoids(network: Network) -> list[str]:
    found = [
        place_of(n)
        for n in network.graph.nodes
        if str(n.target) in _SIGMOIDS and not _at_the_end(n)
    ]
    if not found:
        return []
    return [
        f"Sigmoid inside the network at {', '.join(found)}: it returns 0.5 for no signal at all, "
        "so relevance is given to units that say nothing. ReLU or tanh return zero there."
    ]


def _strides(network: Network) -> list[str]:
    down: list[str] = []
    up: list[str] = []
    for node in network.graph.nodes:
        name = str(node.target)
        if not name.startswith("aten.conv"):
            continue
        weight, stride = node.args[1].meta["val"].shape, node.args[3] if len(node.args) > 3 else [1]
        uneven = any(
            step > 1 and kernel % step
            for step, kernel in zip(_each(stride, len(weight) - 2), weight[2:], strict=True)
        )
        if uneven:
            (up if "transpose" in name else down).append(place_of(node))
    advice = []
    if down:
        advice.append(
            f"Strided convolution at {', '.join(down)} with a kernel that is no multiple of its "
            "stride: some cells enter more windows than others, which prints a checkerboard on "
            "the maps. Use a kernel that is a multiple of the stride, or pooling after a "
            "convolution without stride."
        )
    if up:
        advice.append(
            f"Transposed convolution at {', '.join(up)} with a kernel that is no multiple of its "
            "stride: some outputs rest on more inputs than others, which prints a checkerboard on "
            "outputs and maps. Use a kernel that is a multiple of the stride, or interpolation "
            "before a convolution."
        )
    return advice


def _each(stride: list[int], dims: int) -> list[int]:
    return list(stride) * dims if len(stride) == 1 else list(stride)


def _biases(scores: Iterable[tuple[Tensor, Tensor]]) -> list[str]:
    advice = []
    for explained_scalar, alone in scores:
        if not alone.numel():
            continue
        from_biases = float(alone.abs().median())
        from_field = float((explained_scalar - alone).abs().median())
        if from_field >= from_biases:
            continue
        advice.append(
            f"Biases alone give an explained score of {from_biases:.3g}, the field moves it by "
            f"{from_field:.3g} (medians): more of the score comes from biases than from the field, "
            "and relevance is a small part of it. Explain a logit difference, subtract the "
            "prediction at zero input (`minus: zero_input`), or train with smaller biases."
        )
    return advice


def _penalty(penalty: float | None) -> list[str]:
    if penalty is None or penalty > 0:
        return []
    return [
        "The first layer was trained without L2 or L1 penalty: its weights keep the noise they "
        "started with, and relevance is speckled by it. A penalty on the first layer alone "
        "(`train.l2`) gives maps that follow the field."
    ]
