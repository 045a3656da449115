"""A trained network as a graph of ATen operators, ready to be explained.

`trace` exports a module once, with a free batch size. The graph is functional (no operator changes
a tensor in place), so modules, functional calls and in-place activations all look alike.

Source: ``torch.export``, https://docs.pytorch.org/docs/stable/export.html
"""

from __future__ import annotations

import copy
import operator
import re
import warnings
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from climxai.core.errors import ModelError


@dataclass(frozen=True, eq=False)
class Network:
    """A frozen copy of a trained network and its graph.

    Parameters
    ----------
    module
        The network in evaluation mode, without gradients of its weights; a copy of what was traced.
    graph
        The exported graph; placeholders are weights, buffers and the one input.
    constants
        Weights, buffers and constant tensors by the name of their placeholder.
    input
        Name of the input's placeholder.
    shape
        Shape of one sample: channel, lat, lon.
    output_shape
        Shape of one sample's output, without the sample dimension.
    dtype, device
        What the weights are held in.
    peeled
        Whether a softmax at the end was left out.
    cache
        What explanations keep from call to call: plans, split weights.
    """

    module: nn.Module
    graph: Graph
    constants: dict[str, Tensor]
    input: str
    shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    peeled: bool = False
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def outputs(self) -> int:
        """Number of outputs per sample (classes, or cells of an output field)."""
        total = 1
        for length in self.output_shape:
            total *= length
        return total

    def __call__(self, x: Tensor) -> Tensor:
        """Return the outputs [sample, *output_shape] of inputs [sample, channel, lat, lon].

        A softmax at the end is not applied unless the network was traced with ``softmax="keep"``.

        Raises
        ------
        ModelError
            When the shape or number type of ``x`` is not the network's.
        """
        self.check_input(x)
        if x.shape[0] == 0:
            return x.new_zeros((0, *self.output_shape))
        if not self.peeled:
            result: Tensor = self.module(x)
            return result
        return evaluate(self.graph, self.constants, self.input, x)

    def check_input(self, x: Tensor) -> None:
        """Raise `ModelError` unless ``x`` has the network's sample shape and number type."""
        if tuple(x.shape[1:]) != self.shape or x.ndim != len(self.shape) + 1:
            raise ModelError(
                f"the network takes samples of shape {self.shape}, found {tuple(x.shape[1:])}: "
                "give it fields on the grid and with the channels it was trained on"
            )
        if x.dtype != self.dtype:
            raise ModelError(
                f"the network was traced in {self.dtype}, found an input in {x.dtype}: convert the "
                "input, or trace the network in that type"
            )


def trace(
    module: nn.Module,
    shape: tuple[int, ...],
    dtype: torch.dtype = torch.float32,
    *,
    softmax: str = "peel",
) -> Network:
    """Export a trained network to a graph with a free batch size.

    Parameters
    ----------
    module
        Any module that takes one tensor [sample, *shape] and returns one [sample, ...]. It is
        copied: its weights, training mode and gradients stay as they are.
    shape
        Shape of one sample: channel, lat, lon.
    dtype
        Number type of the copy, ``float32`` or ``float64``.
    softmax
        ``"peel"`` leaves out a softmax at the end, so that explanations start from the scores
        before it; ``"keep"`` starts from the probabilities.

    Raises
    ------
    ModelError
        When the module cannot be exported, or does not treat samples independently of their number.
    """
    frozen = copy.deepcopy(module).to(dtype).eval().requires_grad_(False)
    device = next((p.device for p in frozen.parameters()), torch.device("cpu"))
    example = torch.zeros((2, *shape), dtype=dtype, device=device)
    try:
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            # What torch.export deprecates inside itself is not the user's concern.
            warnings.simplefilter("ignore")
            program = torch.export.export(
                frozen, (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), strict=False
            )
            # An empty table keeps linear, convolution and pooling whole and removes in-place calls.
            program = program.run_decompositions({})
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"network {type(module).__name__} cannot be turned into a graph for inputs of shape "
            f"[sample, {', '.join(map(str, shape))}]: {first}. Write its forward so that "
            "torch.export can trace it: one tensor in, one tensor out, no branching on values, no "
            "fixed batch size"
        ) from error
    graph = program.graph
    _drop_checks(graph)
    constants = _constants(program)
    inputs = [n.name for n in graph.nodes if n.op == "placeholder" and n.name not in constants]
    output = next(n for n in graph.nodes if n.op == "output").args[0]
    if len(inputs) != 1 or len(output) != 1 or not isinstance(output[0], Node):
        raise ModelError(
            f"network {type(module).__name__} has {len(inputs)} inputs and {len(output)} outputs, "
            "expected one tensor in and one out: wrap it in a module that takes and returns one"
        )
    result: Node = output[0]
    peeled = softmax == "peel" and str(result.target) in _SOFTMAX
    if peeled:
        result = result.all_input_nodes[0]
        _replace_output(graph, result)
    return Network(
        module=frozen,
        graph=graph,
        constants=constants,
        input=inputs[0],
        shape=tuple(shape),
        output_shape=_sample_shape(result, type(module).__name__),
        dtype=dtype,
        device=device,
        peeled=peeled,
    )


_SOFTMAX = ("aten.softmax.int", "aten._softmax.default", "aten.log_softmax.int")


def _drop_checks(graph: Graph) -> None:
    """Take out the graph's checks of its own tensors, which give no value."""
    for node in reversed(list(graph.nodes)):
        if node.op == "call_function" and "assert" in str(node.target) and not node.users:
            graph.erase_node(node)


def _constants(program: torch.export.ExportedProgram) -> dict[str, Tensor]:
    signature = program.graph_signature
    held: dict[str, Tensor] = {}
    for names in (
        signature.inputs_to_parameters,
        signature.inputs_to_buffers,
        signature.inputs_to_lifted_tensor_constants,
    ):
        for placeholder, name in names.items():
            value = program.state_dict.get(name, program.constants.get(name))
            if isinstance(value, Tensor):
                held[placeholder] = value.detach()
    return held


def _replace_output(graph: Graph, result: Node) -> None:
    end = next(n for n in graph.nodes if n.op == "output")
    end.args = ((result,),)
    graph.eliminate_dead_code()


def _sample_shape(node: Node, name: str) -> tuple[int, ...]:
    shape = node.meta["val"].shape
    if (
        len(shape) == 0
        or isinstance(shape[0], int)
        or any(not isinstance(n, int) for n in shape[1:])
    ):
        raise ModelError(
            f"network {name} returns {tuple(shape)} for a free number of samples, expected "
            "[sample, ...]: keep the sample dimension first and free"
        )
    return tuple(int(n) for n in shape[1:])


def evaluate(graph: Graph, constants: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Run a functional graph on inputs [sample, ...]; gradients flow when they are enabled."""
    values: dict[Node, Any] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            values[node] = x if node.name == name else constants.get(node.name)
        elif node.op == "call_function":
            values[node] = call(node, values)
        elif node.op == "output":
            result: Tensor = values[node.args[0][0]]
            return result
    raise ModelError("the exported graph has no output: export the network anew")


def call(node: Node, values: dict[Node, Any]) -> Any:
    """Return what a graph node gives for the values of the nodes it takes."""
    target: Any = node.target
    if target is operator.getitem:
        source, index = node.args
        return values[source][index]  # type: ignore[index]
    args = map_arg(node.args, lambda n: values[n])
    kwargs = map_arg(node.kwargs, lambda n: values[n])
    return target(*args, **kwargs)


def place_of(node: Node) -> str:
    """Return where a graph node comes from, for messages: ``"'block.0' (Conv2d)"``."""
    stack = [entry for entry in node.meta.get("nn_module_stack", {}).values() if entry[0]]
    line = _source_line(node)
    if not stack:
        return f"the network's forward ({line}graph node {node.name})"
    path, kind = stack[-1]
    short = kind if isinstance(kind, str) else kind.__name__
    return f"'{path}' ({short.rsplit('.', 1)[-1]}, {line}graph node {node.name})"


def _source_line(node: Node) -> str:
    """Return ``"file.py:12, "`` for the line of a forward that made a node, or nothing.

    Lines of torch's own modules, which name themselves, are left out.
    """
    frames = re.findall(r'File "([^"]+)", line (\d+)', node.meta.get("stack_trace") or "")
    file = Path(frames[-1][0]) if frames else None
    if file is None or file.parts[-4:-1] == ("torch", "nn", "modules"):
        return ""
    return f"{file.name}:{frames[-1][1]}, "


def layer_name(node: Node) -> str:
    """Return the dotted module path a node comes from, or the node's own name."""
    stack = [entry for entry in node.meta.get("nn_module_stack", {}).values() if entry[0]]
    path = str(stack[-1][0]) if stack else ""
    return path if path and "metadata_hook" not in path else str(node.name)


def ordinary(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return tensors that autograd can keep: copies of those made in inference mode."""
    return tuple(each.clone() if each.is_inference() else each.detach() for each in tensors)
