"""Batch norm merged into the dense or convolution layer beside it.

In evaluation batch norm is linear, so it and its neighbour are one layer; relevance then crosses
both at once, as if the network had been trained without it.
"""

from __future__ import annotations

from torch import Tensor
from torch.fx import Node

from climxai.attribution.lrp.crossing import Crossing
from climxai.attribution.lrp.operators.dense import Dense
from climxai.attribution.lrp.operators.linear_map import LinearMap
from climxai.attribution.lrp.operators.weighted import Convolution, Scaling
from climxai.attribution.network import Network


def merged_batch_norms(
    network: Network, nodes: list[Node], crossings: dict[Node, Crossing | LinearMap | None]
) -> dict[Node, LinearMap | None]:
    """Return what replaces batch norms and their neighbours; None leaves values as they are.

    A batch norm merges into the layer before it where nothing else takes that layer's output, else
    into the layer after it where no zero padding stands between; otherwise it stays.
    """
    replaced: dict[Node, LinearMap | None] = {}
    for node in nodes:
        scaling = crossings[node]
        if not isinstance(scaling, Scaling):
            continue
        before = node.all_input_nodes[0]
        linear = replaced.get(before) or crossings.get(before)
        if isinstance(linear, Dense | Convolution) and len(before.users) == 1:
            if _channels_match(linear, before):
                key = ("merged", before.name, node.name)
                if key not in network.cache:
                    network.cache[key] = _after(linear, scaling)
                replaced[before], replaced[node] = network.cache[key], None
            continue
        after = _only_user(node)
        following = None if after is None else replaced.get(after) or crossings.get(after)
        if after is not None and isinstance(following, Dense | Convolution):
            key = ("merged", node.name, after.name)
            if key not in network.cache:
                network.cache[key] = _before(scaling, following, after)
            if network.cache[key] is not None:
                replaced[after], replaced[node] = network.cache[key], None
    return replaced


def _channels_match(linear: Dense | Convolution, node: Node) -> bool:
    # Batch norm works on dimension 1, a dense layer on the last.
    return isinstance(linear, Convolution) or len(node.meta["val"].shape) == 2


def _only_user(node: Node) -> Node | None:
    users = list(node.users)
    if len(users) == 1 and "getitem" in str(users[0].target):
        users = list(users[0].users)
    return users[0] if len(users) == 1 else None


def _after(linear: Dense | Convolution, scaling: Scaling) -> LinearMap:
    factor = scaling.weight.flatten()
    shift = scaling.bias if scaling.bias is not None else scaling.weight.new_zeros(())
    if isinstance(linear, Dense):
        bias = shift.flatten() if linear.bias is None else linear.bias * factor + shift.flatten()
        return Dense(linear.place, linear.weight * factor[:, None], bias)
    flat = shift.flatten().expand_as(factor)
    if linear.bias is not None:
        flat = flat + linear.bias.flatten() * factor
    return _rescaled(linear, _scale_outputs(linear, factor), flat)


def _scale_outputs(linear: Convolution, factor: Tensor) -> Tensor:
    weight = linear.weight
    ones = [1] * (weight.ndim - 2)
    if linear.kind == "convolution":
        return weight * factor.reshape(-1, 1, *ones)
    groups = int(linear.settings[5])
    split = weight.reshape(groups, -1, *weight.shape[1:])
    return (split * factor.reshape(groups, 1, -1, *ones)).reshape(weight.shape)


def _before(scaling: Scaling, linear: Dense | Convolution, node: Node) -> LinearMap | None:
    factor = scaling.weight.flatten()
    shift = scaling.bias.flatten() if scaling.bias is not None else factor.new_zeros(len(factor))
    if isinstance(linear, Dense):
        if len(node.meta["val"].shape) != 2:
            return None
        moved = linear.weight @ shift
        bias = moved if linear.bias is None else moved + linear.bias
        return Dense(linear.place, linear.weight * factor, bias)
    padded = any(linear.settings[1]) or linear.margin is not None
    if linear.kind != "convolution" or linear.settings[5] != 1 or padded:
        return None
    ones = [1] * (linear.weight.ndim - 2)
    weight = linear.weight * factor.reshape(1, -1, *ones)
    moved = linear.weight.flatten(2).sum(2) @ shift
    bias = moved if linear.bias is None else moved + linear.bias.flatten()
    return _rescaled(linear, weight, bias)


def _rescaled(linear: Convolution, weight: Tensor, bias: Tensor) -> Convolution:
    stride, padding, dilation, transposed, output_padding, groups = linear.settings
    return Convolution(
        linear.place,
        weight,
        bias,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        transposed=transposed,
        output_padding=output_padding,
        margin=linear.margin,
    )
