"""The linear beginning of a network and the rest, so that repeated work happens where it is small.

Everything before the first non-linearity is an affine map of the input, ``z = W x + b``. Moving,
perturbing or removing parts of the input moves ``z`` by a known amount, exactly; and the gradient
to the input is ``W`` transposed times the gradient to ``z``. For a dense first layer on a whole map
``z`` has a few values where the input has thousands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.fx import Graph, GraphModule, Node

from climxai.attribution.network import Network

NARROW: Final = 1024
"""Values of z per sample up to which its whole matrix is held."""
MATRIX_BYTES: Final = 256_000_000
"""Memory the matrix may take."""

_MOVING: Final = {
    *("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze"),
    *("permute", "transpose", "t", "contiguous", "clone", "alias", "expand", "slice", "select"),
    *("narrow", "roll", "flip", "pad", "constant_pad_", "cat", "stack", "getitem"),
}
_WEIGHTED: Final = {"linear", "addmm", "mm", "matmul", "conv", "convolution", "conv_transpose"}
_LINEAR: Final = {
    *("avg_pool", "adaptive_avg_pool", "upsample_nearest", "upsample_linear", "upsample_bilinear"),
    *("upsample_trilinear", "upsample_bicubic", "neg", "mul", "div", "mean", "sum"),
    "_native_batch_norm_legit_no_training",
}
_ANY_NUMBER: Final = {"add", "sub", "cat", "stack"}
"""Affine in several inputs at once."""
_DIMENSIONS: Final = re.compile(r"[123n]d$")


@dataclass(frozen=True, eq=False)
class Front:
    """A network cut after its linear beginning.

    Parameters
    ----------
    network
        The network.
    shape
        Shape of one sample's ``z``, what the linear beginning returns.
    bias
        ``z`` of an input of zeros [1, *shape].
    weight
        The matrix [values of z, values of x] where a dense layer on the flat input holds it, or
        None.
    """

    network: Network
    shape: tuple[int, ...]
    bias: Tensor
    weight: Tensor | None
    _front: _Piece
    _tail: _Piece
    _held: dict[str, Tensor] = field(default_factory=dict, repr=False)

    @property
    def width(self) -> int:
        """Number of values of z per sample."""
        return prod(self.shape)

    @property
    def narrow(self) -> bool:
        """Whether `matrix` holds the whole linear map."""
        cells = prod(self.network.shape)
        return self.width <= NARROW and self.width * cells * 4 <= MATRIX_BYTES

    def __call__(self, x: Tensor) -> Tensor:
        """Return z [sample, *shape] of inputs [sample, channel, lat, lon]."""
        if self.weight is not None:
            return self._product(self.weight, x) + self.bias
        return self._front(x)

    def linear(self, x: Tensor) -> Tensor:
        """Return W x [sample, *shape], without what the biases add."""
        if self.weight is not None:
            return self._product(self.weight, x)
        return self._front(x) - self.bias

    @staticmethod
    def _product(weight: Tensor, x: Tensor) -> Tensor:
        # W x^T takes less time than x W^T where outputs are few.
        return torch.mm(weight, x.flatten(1).t()).t()

    def pull(self, gradient: Tensor) -> Tensor:
        """Return W transposed times a gradient [n, *shape], shaped [n, channel, lat, lon]."""
        if self.weight is not None:
            return (gradient @ self.weight).reshape(-1, *self.network.shape)
        with torch.inference_mode(False), torch.enable_grad():
            leaf = gradient.new_zeros((len(gradient), *self.network.shape)).requires_grad_()
            (pulled,) = torch.autograd.grad(self._front(leaf), leaf, gradient)
        result: Tensor = pulled
        return result

    def matrix(self) -> Tensor:
        """Return W [values of z, values of x] of a narrow front."""
        if self.weight is not None:
            return self.weight
        if "matrix" not in self._held:
            units = torch.eye(self.width, dtype=self.bias.dtype, device=self.bias.device)
            self._held["matrix"] = self.pull(units.reshape(-1, *self.shape)).flatten(1)
        return self._held["matrix"]

    def tail(self, z: Tensor) -> Tensor:
        """Return the network's outputs [sample, *output_shape] from z."""
        return self._tail(z)

    @cached_property
    def rectified(self) -> bool:
        """Whether all that the tail does with z begins with its rectification."""
        start = next(n for n in self._tail.module.graph.nodes if n.op == "placeholder")
        users = [n for n in start.users if not _is_size(n)]
        return bool(users) and all(_name(n) in ("relu", "relu_") for n in users)

    def seen(self, z: Tensor) -> Tensor:
        """Return of z what the tail sees: where it is alike, outputs are."""
        return z.clamp(min=0) if self.rectified else z

    def tail_gradient(self, z: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient [sample, *shape] of the explained scalar to z, and the outputs.

        Parameters
        ----------
        z
            What the linear beginning returned [sample, *shape].
        start
            Weights of the outputs [sample, *output_shape].
        """
        with torch.inference_mode(False), torch.enable_grad():
            leaf = z.detach().requires_grad_()
            outputs = self._tail(leaf)
            (gradient,) = torch.autograd.grad(
                outputs, leaf, start, allow_unused=True, materialize_grads=True
            )
        return gradient, outputs.detach()


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of the graph as a function of one tensor; its constants are given by us."""

    module: GraphModule
    constants: tuple[Tensor, ...]

    def __call__(self, values: Tensor) -> Tensor:
        result: Tensor = self.module(values, *self.constants)
        return result


def front_of(network: Network) -> Front | None:
    """Return the network cut after its linear beginning, made once and kept.

    Returns
    -------
    Front or None
        None where the network does not begin with a dense layer or a convolution.
    """
    if "front" not in network.cache:
        network.cache["front"] = _cut(network)
    front: Front | None = network.cache["front"]
    return front


def _cut(network: Network) -> Front | None:
    nodes = list(network.graph.nodes)
    source = next(n for n in nodes if n.op == "placeholder" and n.name == network.input)
    dynamic, affine = {source}, {source}
    for node in nodes:
        if node.op != "call_function" or _is_size(node):
            continue
        given = [arg for arg in node.all_input_nodes if arg in dynamic]
        if given:
            dynamic.add(node)
            if all(arg in affine for arg in given) and _is_affine(node, given):
                affine.add(node)
    end = _last_cut(nodes, source, dynamic, affine)
    if end is None:
        return None
    before = _ancestors(end)
    front = _piece(network, source, end, before & dynamic | {end})
    result = next(n for n in nodes if n.op == "output").args[0][0]
    tail = _piece(network, end, result, dynamic - before - {end})
    with torch.no_grad():
        zeros = torch.zeros((1, *network.shape), dtype=network.dtype, device=network.device)
        bias = front(zeros)
    weight = _whole_map_weight(network, source, end, before & dynamic)
    return Front(network, tuple(bias.shape[1:]), bias, weight, front, tail)


def _last_cut(
    nodes: list[Node], source: Node, dynamic: set[Node], affine: set[Node]
) -> Node | None:
    """Return the last affine node that all that follows passes through, with weights before it."""
    found = None
    for node in nodes:
        if node not in affine or node is source or not isinstance(node.meta["val"], Tensor):
            continue
        inside = (_ancestors(node) & dynamic) | {node}
        closed = all(
            user in inside or user not in dynamic for each in inside - {node} for user in each.users
        )
        leaves = any(user.op == "output" for each in inside - {node} for user in each.users)
        if closed and not leaves and any(_name(each) in _WEIGHTED for each in inside):
            found = node
    return found


def _ancestors(node: Node) -> set[Node]:
    found: set[Node] = set()
    waiting = list(node.all_input_nodes)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += each.all_input_nodes
    return found


def _name(node: Node) -> str:
    """Return an operator's name without its number of dimensions: ``conv`` of ``conv2d``."""
    if node.op != "call_function":
        return ""
    parts = str(node.target).split(".")
    name = parts[1] if parts[0] == "aten" else getattr(node.target, "__name__", "")
    return _DIMENSIONS.sub("", name)


def _is_size(node: Node) -> bool:
    return _name(node) == "sym_size"


def _is_affine(node: Node, given: list[Node]) -> bool:
    """Whether an operator is affine in the inputs it is given, the others being constants."""
    name = _name(node)
    if name in _ANY_NUMBER:
        return True
    if len(given) != 1 or name not in _MOVING | _WEIGHTED | _LINEAR:
        return False
    if name in ("mean", "sum"):
        over = node.args[1] if len(node.args) > 1 else None
        # The dimension of samples stays: it is summed over by no network that is traced.
        return isinstance(over, list | tuple) and 0 not in over
    if name == "addmm":
        return node.args[1] is given[0]
    if name in ("mul", "matmul", "mm"):
        return node.args[0] is not node.args[1]
    return node.args[0] is given[0]


def _piece(network: Network, first: Node, last: Node, inside: set[Node]) -> _Piece:
    """Return the nodes ``inside``, and the constants they use, as a function of ``first``."""
    graph, copies = Graph(), {}
    copies[first] = graph.placeholder("values")
    needed = {arg for node in inside for arg in node.all_input_nodes}
    waiting = list(needed - inside - {first})
    while waiting:
        more = [arg for arg in waiting.pop().all_input_nodes if arg not in needed]
        needed |= set(more)
        waiting += more
    constants = []
    for node in network.graph.nodes:
        if node.op == "placeholder" and node in needed and node.name in network.constants:
            copies[node] = graph.placeholder(node.name)
            constants.append(network.constants[node.name])
    for node in network.graph.nodes:
        if node is first or node.op != "call_function" or node not in inside | needed:
            continue
        if _is_size(node):
            # Only the number of samples is free, and it is the same everywhere.
            copies[node] = graph.call_function(torch.ops.aten.sym_size.int, (copies[first], 0))
        else:
            copies[node] = graph.node_copy(node, lambda each: copies[each])
    graph.output(copies[last])
    return _Piece(GraphModule(nn.Module(), graph), tuple(constants))


def _whole_map_weight(
    network: Network, source: Node, end: Node, before: set[Node]
) -> Tensor | None:
    """Return the weight of a front that is nothing but flattening and one dense layer."""
    if _name(end) != "linear" or any(
        each is not source and _name(each) not in ("view", "reshape", "flatten", "_unsafe_view")
        for each in before
    ):
        return None
    held: Any = end.args[1]
    weight = network.constants.get(held.name)
    if weight is None or weight.shape[1] != prod(network.shape):
        return None
    return weight
