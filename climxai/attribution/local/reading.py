"""A traced network's local beginning, read from its graph."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.local.layers import Layer, Local, Mode, Window
from climxai.attribution.network import Network

_CELLWISE: Final = {
    *("relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "tanh", "sigmoid", "softplus"),
    *("hardtanh", "hardsigmoid", "hardswish", "mish", "abs", "exp", "square", "neg", "clone"),
    *("dropout", "alias", "contiguous", "clamp", "pow"),
    *("softsign", "relu6", "logsigmoid", "log_sigmoid"),
}
_WITH_NUMBER: Final = {"add", "sub", "mul", "div"}


@dataclass(frozen=True)
class _Padded:
    source: Node
    pads: tuple[tuple[int, int, Mode] | None, tuple[int, int, Mode] | None]


@dataclass(frozen=True)
class _Slice:
    of: _Padded
    dim: int
    places: tuple[int, ...]


def local_beginning(network: Network) -> Local | None:
    """Return the longest local beginning that all that follows passes through, or None."""
    nodes = [node for node in network.graph.nodes if node.op != "output"]
    source = next(n for n in nodes if n.op == "placeholder" and n.name == network.input)
    if len(network.shape) != 3:
        return None
    layers: dict[Node, Layer] = {}
    padded: dict[Node, _Padded] = {source: _Padded(source, (None, None))}
    slices: dict[Node, _Slice] = {}
    for node in nodes:
        if node.op == "call_function":
            _read(node, network, layers, padded, slices)
    known = {source, *padded, *slices, *(n for n in layers)}
    ends = [
        node
        for node in layers
        if isinstance(node.meta["val"], Tensor) and node.meta["val"].ndim == 4
    ]
    for end in reversed(ends):
        inside = _before(end) & known | {end}
        closed = all(
            user in inside or str(user.target).startswith("aten.sym_size")
            for each in inside - {end}
            for user in each.users
        )
        if closed and any(layers[n].windows for n in inside if n in layers):
            return Local(source, tuple(layer for n, layer in layers.items() if n in inside))
    return None


def _before(node: Node) -> set[Node]:
    found: set[Node] = set()
    waiting = list(node.all_input_nodes)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += each.all_input_nodes
    return found


def _read(
    node: Node,
    network: Network,
    layers: dict[Node, Layer],
    padded: dict[Node, _Padded],
    slices: dict[Node, _Slice],
) -> None:
    """Note what a node is; what is not local is left out."""
    name, args = _name(node), node.args
    first: Any = args[0] if args else None
    second: Any = args[1] if len(args) > 1 else None
    if name == "cat":
        found = _read_cat(node, padded, slices)
        if found is not None:
            padded[node] = found
    elif node.target is operator.getitem and first in layers and second == 0:
        _add(node, Layer(node, (first,)), layers, padded)
    elif not isinstance(first, Node) or first not in padded:
        return
    elif name == "slice":
        _read_slice(node, padded, slices)
    elif name in ("conv2d", "avg_pool2d", "max_pool2d"):
        layer = _window_layer(node, name, network, padded[first])
        if layer is not None:
            _add(node, layer, layers, padded)
    elif any(padded[first].pads):
        return
    elif name == "_native_batch_norm_legit_no_training" or (
        name in _CELLWISE | _WITH_NUMBER and len(node.all_input_nodes) == 1
    ):
        _add(node, Layer(node, (first,)), layers, padded)
    elif (
        name in ("add", "sub")
        and second in padded
        and not any(padded[second].pads)
        and _shape(second) == _shape(first)
    ):
        _add(node, Layer(node, (first, second)), layers, padded)


def _add(node: Node, layer: Layer, layers: dict[Node, Layer], padded: dict[Node, _Padded]) -> None:
    layers[node] = layer
    if isinstance(node.meta["val"], Tensor):
        padded[node] = _Padded(node, (None, None))


def _name(node: Node) -> str:
    parts = str(node.target).split(".")
    return parts[1].removesuffix("_") if parts[0] == "aten" and len(parts) > 1 else ""


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(int(n) for n in node.meta["val"].shape[1:])


def _read_slice(node: Node, padded: dict[Node, _Padded], slices: dict[Node, _Slice]) -> None:
    given: Any = (*node.args, *(0, None, None, 1)[len(node.args) - 1 :])
    source, dim, first, last, step = given
    whole = last is None or (isinstance(last, int) and last > 1 << 60)
    if dim == 0 and first in (None, 0) and whole and step == 1:
        padded[node] = padded[source]
    elif dim in (2, 3) and step == 1:
        length = _length(padded[source], dim)
        slices[node] = _Slice(padded[source], dim, tuple(range(length)[slice(first, last)]))


def _length(held: _Padded, dim: int) -> int:
    pad = held.pads[dim - 2]
    return _shape(held.source)[dim - 1] + (0 if pad is None else pad[0] + pad[1])


def _read_cat(
    node: Node, padded: dict[Node, _Padded], slices: dict[Node, _Slice]
) -> _Padded | None:
    """Return the padding that a concatenation of a map and its own edges is, or None."""
    parts: Any = node.args[0]
    dim: Any = node.args[1] if len(node.args) > 1 else 0
    whole = [place for place, part in enumerate(parts) if part in padded]
    if dim not in (2, 3) or len(whole) != 1:
        return None
    held = padded[parts[whole[0]]]
    if held.pads[dim - 2] is not None:
        return None
    edges: tuple[list[int], list[int]] = ([], [])
    for place, part in enumerate(parts):
        if place == whole[0]:
            continue
        if part not in slices or slices[part].of is not held or slices[part].dim != dim:
            return None
        edges[place > whole[0]].extend(slices[part].places)
    length, (low, high) = _length(held, dim), map(len, edges)
    modes: dict[Mode, tuple[list[int], list[int]]] = {
        "circular": (list(range(length - low, length)), list(range(high))),
        "replicate": ([0] * low, [length - 1] * high),
    }
    mode = next((name for name, expected in modes.items() if expected == edges), None)
    if mode is None:
        return None
    pads = list(held.pads)
    pads[dim - 2] = (low, high, mode)
    return _Padded(held.source, (pads[0], pads[1]))


def _window_layer(node: Node, name: str, network: Network, held: _Padded) -> Layer | None:
    """Return a convolution or pooling as a layer, or None where its settings are not covered."""
    options: Any = node.args[1:]
    if node.kwargs:
        return None
    if name == "conv2d":
        return _convolution(node, options, network, held)
    kernel, stride = _pair(options[0]), _pair((options[1] if len(options) > 1 else 0) or options[0])
    padding = _pair(options[2]) if len(options) > 2 else (0, 0)
    dilation, ceil = (1, 1), False
    if name == "max_pool2d":
        dilation = _pair(options[3]) if len(options) > 3 else dilation
        ceil = bool(options[4]) if len(options) > 4 else ceil
    else:
        ceil = bool(options[3]) if len(options) > 3 else ceil
        # What counts as a cell of padding in a mean is a science of its own.
        if any(padding) or len(options) > 4:
            return None
    if dilation != (1, 1) or (ceil and any(padding)):
        return None

    def run(x: Tensor) -> Tensor:
        if name == "max_pool2d":
            return torch.nn.functional.max_pool2d(x, kernel, stride, 0, ceil_mode=ceil)
        return torch.nn.functional.avg_pool2d(x, kernel, stride, 0, ceil)

    windows = _windows(node, held, kernel, stride, padding)
    fill = -math.inf if name == "max_pool2d" else 0.0
    return None if windows is None else Layer(node, (held.source,), windows, run, fill)


def _convolution(node: Node, options: Any, network: Network, held: _Padded) -> Layer | None:
    given: Any = (*options, *(None, None, (1, 1), (0, 0), (1, 1), 1)[len(options) :])
    weight_node, bias_node, stride, padding, dilation, groups = given
    if isinstance(padding, str) or weight_node.name not in network.constants:
        return None
    weight = network.constants[weight_node.name]
    bias = None if bias_node is None else network.constants[bias_node.name]
    steps, apart = _pair(stride), _pair(dilation)
    high, wide = _pair(weight.shape[2:])
    extent = ((high - 1) * apart[0] + 1, (wide - 1) * apart[1] + 1)

    def run(x: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(x, weight, bias, steps, 0, apart, groups)

    windows = _windows(node, held, extent, steps, _pair(padding))
    return None if windows is None else Layer(node, (held.source,), windows, run)


def _windows(
    node: Node,
    held: _Padded,
    extent: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> tuple[Window, Window] | None:
    """Return the windows along lat and lon; None where two kinds of padding meet."""
    found = []
    for axis in (0, 1):
        pad, own = held.pads[axis], padding[axis]
        if pad is not None and own:
            return None
        zeros: tuple[int, int, Mode] = (own, own, "zero")
        low, high, mode = zeros if pad is None else pad
        before, after = _shape(held.source)[1 + axis], _shape(node)[1 + axis]
        found.append(Window(extent[axis], stride[axis], low, high, mode, before, after))
    return found[0], found[1]


def _pair(value: Any) -> tuple[int, int]:
    found = tuple(value) if isinstance(value, list | tuple | torch.Size) else (value, value)
    return (int(found[0]), int(found[-1]))
