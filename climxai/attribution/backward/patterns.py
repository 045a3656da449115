"""Patterns: for every unit, how its inputs vary with it over the training samples.

A unit's weights tell how to filter its signal out of distractors; the pattern tells what the signal
looks like. Moments are summed in float64 while the training samples stream through the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.nn import functional

from climxai.attribution.backward.operations import Operation, anatomy, require, run
from climxai.attribution.context import Context
from climxai.attribution.lrp.crossing import Crossing
from climxai.attribution.lrp.merging import merged_batch_norms
from climxai.attribution.lrp.operators.dense import Dense
from climxai.attribution.lrp.operators.linear_map import LinearMap
from climxai.attribution.lrp.operators.weighted import Convolution
from climxai.attribution.network import Network
from climxai.core.errors import ModelError

Layers = Dense | Convolution


@dataclass(frozen=True, eq=False)
class Structure:
    """What a network looks like to patterns.

    Parameters
    ----------
    layers
        Dense layers and convolutions, batch norm merged into them where it can be.
    rectified
        Those whose output goes to a ReLU and nowhere else.
    merged
        Batch norms that are part of a layer beside them.
    """

    layers: dict[Node, Layers]
    rectified: frozenset[Node]
    merged: frozenset[Node]


def structure(network: Network) -> Structure:
    """Return what a network looks like to patterns, worked out once."""
    key = "structure"
    if key not in network.cache:
        network.cache[key] = _structure(network)
    found: Structure = network.cache[key]
    return found


def _structure(network: Network) -> Structure:
    operations = anatomy(network).operations
    built: dict[Node, Crossing | LinearMap | None] = {
        node: each.built for node, each in operations.items()
    }
    replaced = merged_batch_norms(network, list(operations), built)
    built |= replaced
    layers = {node: each for node, each in built.items() if isinstance(each, Layers)}
    merged = frozenset(node for node, each in replaced.items() if each is None)
    rectified = frozenset(node for node in layers if _only_rectified(node, operations, merged))
    return Structure(layers, rectified, merged)


def _only_rectified(node: Node, operations: dict[Node, Operation], merged: frozenset[Node]) -> bool:
    """Whether a value goes to ReLU and nowhere else, however it is reshaped before."""
    users = [operations[user] for user in node.users if user in operations]
    return bool(users) and all(
        user.kind == "relu"
        or (
            (user.call.node in merged or user.kind == "item" or _moves(user))
            and _only_rectified(user.call.node, operations, merged)
        )
        for user in users
    )


def _moves(operation: Operation) -> bool:
    return isinstance(operation.built, Crossing) and operation.built.moves


def check_patterns(network: Network, method: str, context: Context) -> None:
    """Raise `ModelError` unless there are training samples and layers that patterns suit."""
    require(
        network,
        method,
        ("relu", "max"),
        "patterns are defined for dense and convolution layers with ReLU. Choose lrp or "
        "integrated_gradients, or train a network with activation: relu",
    )
    found = structure(network)
    if not found.layers:
        raise ModelError(
            f"{method} needs dense or convolution layers, and the network has none: choose "
            "input_x_gradient"
        )
    for layer in found.layers.values():
        if layer.kind == "transposed_convolution":
            raise ModelError(
                f"{method}: at {layer.place} a transposed convolution combines other inputs from "
                "cell to cell, so that its units have no common pattern: choose lrp or "
                "integrated_gradients"
            )
    if context.training is None:
        raise ModelError(
            f"{method} fits its patterns to the training samples, and there are none here: explain "
            "with the experiment's data, or choose lrp"
        )


def fitted_patterns(network: Network, context: Context) -> dict[Node, Tensor]:
    """Return every layer's patterns, shaped like its weights, fitted once per training set.

    Raises
    ------
    ModelError
        When there are no training samples.
    """
    held = network.cache.get("patterns")
    if held is not None and held[0] is context.training:
        found: dict[Node, Tensor] = held[1]
        return found
    moments = _moments(network, context)
    found = {node: each.pattern().to(network.dtype) for node, each in moments.items()}
    network.cache["patterns"] = (context.training, found)
    return found


def _moments(network: Network, context: Context) -> dict[Node, Moments]:
    parts = structure(network)
    moments = {
        node: Moments(layer, positive=node in parts.rectified)
        for node, layer in parts.layers.items()
    }
    watching = merged_away(network) | {
        node: partial(_watched, parts.layers[node], each) for node, each in moments.items()
    }
    size = context.samples_at_once(_values_each(parts.layers), copies=2, itemsize=8)
    count = 0
    with torch.no_grad():
        for block, _ in context.training.blocks() if context.training is not None else ():
            for x in torch.split(block.to(network.device, network.dtype), size):
                run(network, x, watching)
                count += len(x)
    if count == 0:
        raise ModelError("there are no training samples to fit patterns to: choose another split")
    return moments


def _values_each(layers: dict[Node, Layers]) -> int:
    """Return how many values per sample the layers take and give."""
    shapes = [tuple(n.meta["val"].shape[1:]) for n in layers]
    shapes += [tuple(n.all_input_nodes[0].meta["val"].shape[1:]) for n in layers]
    return sum(prod(int(n) for n in shape) for shape in shapes)


def merged_away(network: Network) -> dict[Node, Callable[..., Any]]:
    """Return replacements of the batch norms that are part of a layer: they change nothing."""
    operations = anatomy(network).operations
    return {
        node: (_same if operations[node].one else _same_of_several)
        for node in structure(network).merged
    }


def _same(x: Tensor) -> Tensor:
    return x


def _same_of_several(x: Tensor) -> tuple[Tensor]:
    return (x,)


def _watched(layer: Layers, moments: Moments, x: Tensor) -> Tensor:
    y = layer.apply(x)
    z = y if layer.bias is None else y + layer.bias
    moments.add(x, y, z)
    return z


class Moments:
    """Sums over samples (and cells, for a convolution) from which a layer's patterns follow.

    Parameters
    ----------
    layer
        The layer.
    positive
        Whether its units count only where they are active: the two-component estimator; else the
        linear one.
    """

    def __init__(self, layer: Layers, *, positive: bool) -> None:
        self.layer = layer
        self.positive = positive
        self.weight = layer.weight.double()
        outputs = self.weight.shape[0]
        self.count = 0
        self.active = self.weight.new_zeros(outputs)
        self.y = self.weight.new_zeros(outputs)
        self.x = torch.zeros_like(self.weight)
        self.xy = torch.zeros_like(self.weight)

    def add(self, x: Tensor, y: Tensor, z: Tensor) -> None:
        """Add inputs x, weighted sums y, and outputs z (the sums with the bias)."""
        x, y = x.double(), y.double()
        chosen = (z > 0).double() if self.positive else torch.ones_like(y)
        self.count += y.numel() // len(self.active)
        self.active += self._per_unit(chosen)
        self.y += self._per_unit(y)
        self.x += self._against(x, chosen)
        self.xy += self._against(x, chosen * y)

    def _per_unit(self, y: Tensor) -> Tensor:
        axis = 1 if isinstance(self.layer, Convolution) else -1
        return y.movedim(axis, 0).flatten(1).sum(1)

    def _against(self, x: Tensor, factor: Tensor) -> Tensor:
        """Return the sum of every unit's inputs times a factor, shaped like the weights."""
        if isinstance(self.layer, Dense):
            return factor.flatten(0, -2).t() @ x.flatten(0, -2)
        if self.layer.margin is not None:
            x = functional.pad(x, self.layer.margin)
        summed: Tensor = torch.ops.aten.convolution_backward(
            factor, x, self.weight, None, *self.layer.settings, [False, True, False]
        )[1]
        return summed

    def pattern(self) -> Tensor:
        """Return the patterns a, shaped like the weights w, with w a = 1; 0 for idle units.

        ``a = (E+[x y] - E+[x] E[y]) / (w E+[x y] - w E+[x] E[y])``, where E+ is the mean over the
        samples at which the unit is active. A positive bias can keep a unit active while its
        weighted sum y is negative; where E+[y] is, the denominator may cross zero, and E+[y] takes
        the place of E[y]: the covariance among those samples.

        Source: Kindermans et al. (2018), arXiv 1705.05598, section 4.
        """
        seen = self._column(self.active.clamp(min=1))
        x, xy = self.x / seen, self.xy / seen
        among = self._dot(x)
        mean = torch.where(among < 0, among, self._column(self.y / max(self.count, 1)))
        found = xy - x * mean
        total = self._dot(found)
        # Rounding noise of the sums that cancel is no variation.
        noise = 1e-11 * (self._dot(xy).abs() + (among * mean).abs())
        return torch.where(total > noise, found / total, 0.0)

    def _column(self, values: Tensor) -> Tensor:
        return values.reshape(-1, *[1] * (self.weight.ndim - 1))

    def _dot(self, values: Tensor) -> Tensor:
        """Return the sum over a unit's inputs of weights times values, to broadcast."""
        return self._column((self.weight * values).flatten(1).sum(1))
