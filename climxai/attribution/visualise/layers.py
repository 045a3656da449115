"""The values of a network's inner layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import Tensor
from torch.fx import Node

from climxai.attribution.network import Network, call
from climxai.core.errors import ModelError, did_you_mean


def layer_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the layers by their dotted names in order, with the shape of one sample's values.

    A layer that is made of others has the values of its last one.
    """
    return {name: _shape(node) for name, node in _ends(network).items()}


def layer_shape(network: Network, layer: str) -> tuple[int, ...]:
    """Return the shape of one sample's values in a layer.

    Raises
    ------
    ModelError
        When there is no such layer; lists those there are.
    """
    known = layer_shapes(network)
    if layer not in known:
        listed = ", ".join(
            f"{name} ({' x '.join(map(str, shape))})" for name, shape in known.items()
        )
        hint = did_you_mean(layer, tuple(known))
        hint = hint if hint.startswith(" Did") else ""
        raise ModelError(
            f"the network has no layer {layer!r}.{hint} Its layers and their values per sample: "
            f"{listed}"
        )
    return known[layer]


def outputs_and_layers(
    network: Network, x: Tensor, layers: Collection[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the outputs [sample, *output_shape], and the values [sample, ...] of ``layers``.

    Gradients flow where they are enabled. A softmax that was left out of the graph is not applied.

    Raises
    ------
    ModelError
        When there is no such layer, or the input is not the network's.
    """
    network.check_input(x)
    for layer in layers:
        layer_shape(network, layer)
    ends = _ends(network)
    wanted = {ends[layer]: layer for layer in layers}
    values: dict[Node, Any] = {}
    found: dict[str, Tensor] = {}
    for node in network.graph.nodes:
        if node.op == "placeholder":
            values[node] = x if node.name == network.input else network.constants.get(node.name)
        elif node.op == "call_function":
            values[node] = call(node, values)
            if node in wanted:
                found.update({name: values[node] for name in layers if ends[name] is node})
        elif node.op == "output":
            return values[node.args[0][0]], found
    raise ModelError("the exported graph has no output: export the network anew")


def _ends(network: Network) -> dict[str, Node]:
    """Return for every layer the last node that belongs to it."""
    ends: dict[str, Node] = {}
    for node in network.graph.nodes:
        value = node.meta.get("val")
        if node.op != "call_function" or getattr(value, "ndim", 0) < 1:
            continue
        for path, _ in node.meta.get("nn_module_stack", {}).values():
            if path and "metadata_hook" not in path:
                ends[path] = node
    order = {node: number for number, node in enumerate(network.graph.nodes)}
    return dict(sorted(ends.items(), key=lambda item: (order[item[1]], -len(item[0]))))


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(int(size) for size in node.meta["val"].shape[1:])
