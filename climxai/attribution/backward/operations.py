"""What the operators of a traced network are, and the walk that runs it with some replaced."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor
from torch.fx import Node

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing
from climxai.attribution.lrp.operators import OPERATORS, arithmetic, elementwise, layers, pooling
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.linear_map import LinearMap
from climxai.attribution.network import Network, call
from climxai.core.errors import ModelError

Kind = Literal["linear", "relu", "activation", "max", "softmax", "item", "unknown"]
"""Linear operators, residual sums and moves; ReLU however it is written; other activations; the
largest of several values; softmax; one tensor of several; what the table does not hold."""

_OF_BUILDER: dict[Any, Kind] = {
    elementwise.activation: "activation",
    elementwise.winner: "max",
    elementwise.softmax: "softmax",
    pooling.max_pooling: "max",
    pooling.adaptive_max_pooling: "max",
}
_ONE_INPUT = {
    elementwise.activation,
    layers.dense,
    layers.addmm,
    layers.matmul,
    layers.convolution,
    layers.transposed_convolution,
    layers.general_convolution,
    layers.batch_norm,
    arithmetic.multiplying,
}
"""Operators that are what they are only while all but one of their arguments are fixed."""


@dataclass(frozen=True, eq=False)
class Operation:
    """One operator on the way from the input to the output.

    Parameters
    ----------
    call
        The graph node with its constant arguments filled in.
    kind
        What it is.
    built
        How layer-wise relevance crosses it: for linear operators the map, with its weights.
    """

    call: Call
    kind: Kind
    built: Crossing | LinearMap | None = None

    @property
    def takes(self) -> tuple[Node, ...]:
        """The nodes whose values `run` hands to a replacement."""
        return (*self.call.active, *self.call.sizes)

    @property
    def one(self) -> bool:
        """Whether it gives one tensor, not several."""
        return not isinstance(self.call.node.meta["val"], tuple | list)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A traced network's operators, in the order of the forward pass.

    Parameters
    ----------
    operations
        Operators that depend on the input's values, by their graph node.
    constants
        Values of the nodes that do not depend on the input.
    output
        The node of the network's output.
    """

    operations: dict[Node, Operation]
    constants: dict[Node, Any]
    output: Node


def anatomy(network: Network) -> Anatomy:
    """Return what a network is made of, worked out once."""
    key = "anatomy"
    if key not in network.cache:
        network.cache[key] = _dissect(network)
    found: Anatomy = network.cache[key]
    return found


def _dissect(network: Network) -> Anatomy:
    constants: dict[Node, Any] = {}
    operations: dict[Node, Operation] = {}
    values: set[Node] = set()
    sizes: set[Node] = set()
    for node in network.graph.nodes:
        if node.op == "placeholder":
            if node.name == network.input:
                values.add(node)
            else:
                constants[node] = network.constants.get(node.name)
        elif node.op == "call_function":
            taken = [n for n in dict.fromkeys(node.all_input_nodes) if n in values or n in sizes]
            if not taken:
                constants[node] = _constant(network, node, constants)
            elif "sym_size" in str(node.target) or all(n in sizes for n in taken):
                sizes.add(node)
            else:
                values.add(node)
                active = tuple(n for n in taken if n in values)
                this = Call(node, constants, active, tuple(n for n in taken if n in sizes))
                operations[node] = _operation(network, this)
    output = next(n for n in network.graph.nodes if n.op == "output").args[0][0]
    return Anatomy(operations, constants, output)


def _constant(network: Network, node: Node, constants: dict[Node, Any]) -> Any:
    key = ("constant", node.name)
    if key not in network.cache:
        network.cache[key] = call(node, constants)
    return network.cache[key]


def _operation(network: Network, this: Call) -> Operation:
    if this.target is operator.getitem:
        return Operation(this, "item")
    entry = OPERATORS.get(this.name)
    if entry is None:
        return Operation(this, "unknown")
    if entry.build in _ONE_INPUT and _times(this) != 1:
        return Operation(this, "unknown")
    if entry.build is arithmetic.multiplying and ".div" in this.name and _divisor(this):
        return Operation(this, "unknown")
    kind = "relu" if _is_relu(this) else _OF_BUILDER.get(entry.build, "linear")
    if kind != "linear":
        return Operation(this, kind)
    key = ("linear", this.node.name)
    built = network.cache.get(key)
    if built is None:
        try:
            built = entry.build(this, Settled())
        except ModelError:
            return Operation(this, "unknown")
        if isinstance(built, LinearMap):
            network.cache[key] = built
    return Operation(this, kind, built)


def _times(this: Call) -> int:
    """How often an operator takes values that depend on the input."""
    arguments = [*this.args, *this.kwargs.values()]
    return sum(isinstance(argument, Node) for argument in arguments)


def _divisor(this: Call) -> bool:
    return isinstance(this["other"], Node)


def _is_relu(this: Call) -> bool:
    if this.name in ("aten.maximum.default", "aten.max.other"):
        floor = [this[name] for name in ("self", "other") if not isinstance(this[name], Node)]
        return len(floor) == 1 and not bool(floor[0].any()) and this.shape == this.input_shape()
    if this.name in ("aten.clamp_min.default", "aten.clamp.default"):
        upper = this["max"] if "max" in this.names else None
        return bool(this["min"] == 0) and upper is None
    return this.name == "aten.relu.default"


def require(network: Network, method: str, kinds: tuple[Kind, ...], because: str) -> None:
    """Raise `ModelError` unless every operator is linear or of the given kinds.

    Parameters
    ----------
    network
        The traced network.
    method
        What the method is called in the message.
    kinds
        Kinds of operators it knows besides linear ones.
    because
        Why not others, and what to do; follows the operator and its place.
    """
    for operation in anatomy(network).operations.values():
        if operation.kind not in (*kinds, "linear", "item"):
            raise ModelError(
                f"{method} does not know operator {operation.call.name} at "
                f"{operation.call.place}{_of_what(operation)}: {because}"
            )
        if operation.kind == "item" and _is_index(operation, network):
            raise ModelError(
                f"{method} cannot follow the position of a maximum, taken from operator "
                f"{operation.call.active[0].target} at {operation.call.place}: use its value only"
            )


def _of_what(operation: Operation) -> str:
    if operation.kind == "unknown" and operation.call.name in OPERATORS:
        return " used as it is there (products of values, or a sum over samples)"
    return ""


def _is_index(operation: Operation, network: Network) -> bool:
    source, item = operation.call.node.args[:2]
    of = anatomy(network).operations.get(source)  # type: ignore[arg-type]
    return of is not None and of.kind == "max" and bool(item != 0)


def run(network: Network, x: Tensor, replaced: Mapping[Node, Callable[..., Any]]) -> Tensor:
    """Return the network's outputs; some operators are run by a function of the values they take.

    Gradients flow when they are enabled.
    """
    parts = anatomy(network)
    values: dict[Node, Any] = dict(parts.constants)
    for node in network.graph.nodes:
        if node.op == "placeholder":
            if node.name == network.input:
                values[node] = x
        elif node.op == "call_function" and node not in parts.constants:
            function = replaced.get(node)
            if function is None:
                values[node] = call(node, values)
            else:
                taken = parts.operations[node].takes
                values[node] = function(*(values[n] for n in taken))
    result: Tensor = values[parts.output]
    return result
