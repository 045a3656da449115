"""Class activation maps: feature maps, weighted by their gradients, on the input's grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.backward.operations import Operation, anatomy, run
from climxai.attribution.lrp.operators.routing import Routing, Same
from climxai.attribution.lrp.operators.weighted import Convolution, Scaling
from climxai.attribution.network import Network, layer_name, ordinary
from climxai.attribution.objectives.objective import Grid
from climxai.attribution.scalar import check_start
from climxai.core.errors import ModelError, did_you_mean


def chosen_layer(network: Network, name: str | None, method: str) -> Node:
    """Return the node whose feature maps [sample, map, lat, lon] are used.

    Parameters
    ----------
    network
        The traced network.
    name
        A layer's dotted name, or None for the last convolution with the batch norm and activation
        that follow it.
    method
        What the method is called in messages.

    Raises
    ------
    ModelError
        When there is no convolution on a grid, no such layer, or the layer gives no maps or maps
        that reach beyond the grid.
    """
    operations = anatomy(network).operations
    convolutions = [node for node, each in operations.items() if _convolves(each)]
    if not convolutions:
        raise ModelError(
            f"{method} explains by the feature maps of a convolution on the grid, and the network "
            "has none: choose a method for dense networks (integrated_gradients, lrp, saliency) "
            "or train network: cnn"
        )
    if name is None:
        chosen = _with_activation(convolutions[-1], operations)
        _check_on_grid(chosen, layer_name(chosen), operations, method)
        return chosen
    named = _named(operations)
    if name not in named:
        beyond = _beyond(operations)
        known = tuple(
            key for key, node in named.items() if _gives_maps(node) and max(beyond[node]) <= 0
        )
        raise ModelError(
            f"{method}: the network has no layer named {name!r}.{did_you_mean(name, known)}"
        )
    if not _gives_maps(named[name]):
        last = layer_name(convolutions[-1])
        raise ModelError(
            f"{method}: layer {name!r} gives {_sample_shape(named[name])} per sample, expected "
            f"maps (map, lat, lon): choose a convolution, the last one is {last!r}"
        )
    _check_on_grid(named[name], name, operations, method)
    return named[name]


def _convolves(operation: Operation) -> bool:
    return isinstance(operation.built, Convolution) and operation.built.weight.ndim == 4


def _with_activation(node: Node, operations: dict[Node, Operation]) -> Node:
    """Follow a convolution through batch norm and dropout to its activation, if it has one."""
    reached = node
    while len(node.users) == 1:
        node = next(iter(node.users))
        operation = operations.get(node)
        if operation is None:
            break
        if operation.kind in ("relu", "activation"):
            return node
        if operation.kind != "item" and not isinstance(operation.built, Scaling | Same):
            break
        if operation.one:
            reached = node
    return reached


def _named(operations: dict[Node, Operation]) -> dict[str, Node]:
    """Return the last node of every module, and the nodes outside of modules by their own name."""
    found: dict[str, Node] = {}
    for node, operation in operations.items():
        if not operation.one:
            continue
        found[layer_name(node)] = node
        for path, _ in node.meta.get("nn_module_stack", {}).values():
            if path:
                found[str(path)] = node
    return found


def _sample_shape(node: Node) -> tuple[int, ...]:
    return tuple(int(n) for n in _value(node).shape[1:])


def _gives_maps(node: Node) -> bool:
    return _value(node).ndim == 4


def _value(node: Node) -> Tensor:
    """Return what a node gave when it was traced, the first of several tensors."""
    value = node.meta["val"]
    first: Tensor = value[0] if isinstance(value, tuple | list) else value
    return first


def _check_on_grid(node: Node, name: str, operations: dict[Node, Operation], method: str) -> None:
    beyond = _beyond(operations)[node]
    if max(beyond) > 0:
        lat, lon = _sample_shape(node)[1:]
        far = " x ".join(str(max(0, each)) for each in beyond)
        raise ModelError(
            f"{method}: the maps of layer {name!r} are padded: {lat} x {lon} cells, {far} of them "
            "beyond the grid, over which they would be stretched and misplaced: choose the "
            "convolution that follows, its activation, or a pooling"
        )


def _beyond(operations: dict[Node, Operation]) -> dict[Node, tuple[int, int]]:
    """Return by how many cells each node's maps are larger than the grid: what padding added.

    A convolution that takes them off again leaves none; strides and upsampling, behind which cells
    are others, begin anew.
    """
    found: dict[Node, tuple[int, int]] = {}
    for node, operation in operations.items():
        sources = [each for each in operation.call.active if _gives_maps(each)]
        axes = []
        for axis in (0, 1):
            beyond = 0
            if _gives_maps(node) and sources:
                out, moves = _sample_shape(node)[1 + axis], isinstance(operation.built, Routing)
                sizes = {each: _sample_shape(each)[1 + axis] for each in sources}
                beyond = max(
                    found.get(each, (0, 0))[axis] + out - into
                    if moves or into / 2 < out < 2 * into
                    else 0
                    for each, into in sizes.items()
                )
            axes.append(beyond)
        found[node] = (axes[0], axes[1])
    return found


def maps_and_gradients(
    network: Network, layer: Node, x: Tensor, start: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return feature maps [sample, map, h, w], gradients of the scalar there, and the outputs."""
    held: list[Tensor] = []
    function = anatomy(network).operations[layer].call.function()

    def watched(*taken: Any) -> Tensor:
        held.append(function(*taken).detach().requires_grad_())
        return held[0]

    with torch.inference_mode(False), torch.enable_grad():
        x, start = ordinary(x, start)
        outputs = run(network, x, {layer: watched})
        check_start(outputs, start)
        (gradient,) = torch.autograd.grad(
            (outputs * start).sum(), held[0], allow_unused=True, materialize_grads=True
        )
    return held[0].detach(), gradient, outputs.detach()


def weighted_by_mean(maps: Tensor, gradient: Tensor) -> Tensor:
    """Return Grad-CAM's map [sample, h, w], signed: weights are the gradients' means."""
    return (gradient.mean((2, 3), keepdim=True) * maps).sum(1)


def weighted_by_curvature(maps: Tensor, gradient: Tensor) -> Tensor:
    """Return Grad-CAM++'s map [sample, h, w], signed.

    The scalar is taken for the logarithm of what is differentiated, so that higher derivatives are
    powers of the gradient; the common factor exp(scalar) of a sample is left out.
    """
    total = maps.sum((2, 3), keepdim=True)
    # g^2 / (2 g^2 + total g^3), without powers that leave the range of float32.
    share = 1 / (2 + total * gradient)
    share = torch.where(gradient > 0, share, 0.0).nan_to_num(0.0, 0.0, 0.0)
    weights = (share * gradient).sum((2, 3), keepdim=True)
    return (weights * maps).sum(1)


Weighing = Callable[[Tensor, Tensor], Tensor]
"""From feature maps and their gradients to one map per sample."""


def on_the_grid(maps: Tensor, shape: tuple[int, ...], grid: Grid | None) -> Tensor:
    """Return maps [sample, h, w] interpolated bilinearly to [sample, lat, lon].

    The layer's cells are taken to tile the input's grid from edge to edge, each centred on the
    window it covers; beyond the outermost centres their value is kept, but where the longitudes
    close the circle, west of the first centre lies the last one.
    """
    lat = _weights(shape[-2], maps.shape[-2], closed=False).to(maps)
    lon = _weights(shape[-1], maps.shape[-1], closed=grid is not None and _closes(grid)).to(maps)
    return lat @ maps @ lon.t()


def _closes(grid: Grid) -> bool:
    steps = np.diff(grid.lon)
    if steps.size == 0 or not np.allclose(steps, steps[0], rtol=1e-3):
        return False
    return bool(abs(steps[0] * len(grid.lon) - 360) < 0.1 * abs(steps[0]))


def _weights(fine: int, coarse: int, *, closed: bool) -> Tensor:
    """Return the matrix [fine, coarse] of a linear interpolation between cell centres."""
    places = (np.arange(fine) + 0.5) * coarse / fine - 0.5
    left = np.floor(places).astype(int)
    share = places - left
    weights = np.zeros((fine, coarse))
    for neighbour, part in ((left, 1 - share), (left + 1, share)):
        cell = neighbour % coarse if closed else neighbour.clip(0, coarse - 1)
        np.add.at(weights, (np.arange(fine), cell), part)
    return torch.from_numpy(weights)
