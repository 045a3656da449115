"""DeepLIFT's reveal-cancel rule: positive and negative parts of every change, followed apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.backward.crossed import crossed
from climxai.attribution.backward.operations import Operation, anatomy
from climxai.attribution.backward.slopes import derivative, near, of_maximum
from climxai.attribution.lrp.operators.arithmetic import Factor, Sum
from climxai.attribution.lrp.operators.linear_map import Weighted
from climxai.attribution.lrp.operators.weighted import Scaling
from climxai.attribution.network import Network, call, ordinary
from climxai.attribution.scalar import check_start


@dataclass(frozen=True)
class Change:
    """How a value differs from the baseline's: the sum of what raises it and of what lowers it."""

    above: Tensor
    below: Tensor


def revealed(
    network: Network, x: Tensor, baseline: Tensor, start: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return contributions [sample, ...], outputs, and outputs at the baseline.

    Arguments as for `climxai.attribution.backward.rescale.rescaled`.
    """
    parts = anatomy(network)
    with torch.inference_mode(False), torch.enable_grad():
        x, baseline, start = ordinary(x, baseline, start)
        step = x - baseline
        above, below = step.clamp(min=0).requires_grad_(), step.clamp(max=0).requires_grad_()
        values: dict[Node, Any] = dict(parts.constants)
        bases: dict[Node, Any] = dict(parts.constants)
        changes: dict[Node, Any] = {}
        for node in network.graph.nodes:
            if node.op == "placeholder" and node.name == network.input:
                values[node], bases[node] = x, baseline
                changes[node] = Change(above, below)
            elif node.op == "call_function" and node not in parts.constants:
                values[node], bases[node] = call(node, values), call(node, bases)
                operation = parts.operations.get(node)
                if operation is not None:
                    changes[node] = _change(operation, changes, values, bases)
        outputs, at_baseline = values[parts.output], bases[parts.output]
        check_start(outputs, start)
        end = changes[parts.output]
        up, down = torch.autograd.grad(
            ((end.above + end.below) * start).sum(),
            (above, below),
            allow_unused=True,
            materialize_grads=True,
        )
    return up * above.detach() + down * below.detach(), outputs, at_baseline


def _change(
    operation: Operation,
    changes: dict[Node, Any],
    values: dict[Node, Any],
    bases: dict[Node, Any],
) -> Any:
    taken = operation.call.active
    incoming = [changes[node] for node in taken]
    if operation.kind == "item":
        source = incoming[0]
        return source if isinstance(source, Change) else source[operation.call.node.args[1]]
    if operation.kind == "max":
        inputs, based = tuple(values[n] for n in taken), tuple(bases[n] for n in taken)
        return _maximum(operation.call.function(), incoming, inputs, based)
    if operation.kind in ("relu", "activation"):
        return _activation(operation, incoming[0], values[taken[0]], bases[taken[0]])
    built = operation.built
    if isinstance(built, Scaling):
        return _scaled(incoming[0], built.weight)
    if isinstance(built, Factor):
        factor = operation.call.function()(torch.ones_like(bases[taken[0]]))
        return _scaled(incoming[0], factor)
    if isinstance(built, Sum):
        return _summed(incoming, built.coefficients)
    if isinstance(built, Weighted):
        return _weighted(built, incoming[0], values[taken[0]] - bases[taken[0]])
    sizes = tuple(values[n] for n in operation.call.sizes)
    return _moved(operation.call.function(), incoming, sizes)


def _weighted(linear: Weighted, change: Change, step: Tensor) -> Change:
    """Cross a dense or convolution layer: contributions are told apart by their own sign."""

    def run(above: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
        del above, below
        rise, fall = step.clamp(min=0), step.clamp(max=0)
        return (
            linear.apply(rise, "positive") + linear.apply(fall, "negative"),
            linear.apply(rise, "negative") + linear.apply(fall, "positive"),
        )

    def back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        del inputs
        up, down = arrived
        shape = step.shape
        risen = linear.pull(up, shape, "positive") + linear.pull(down, shape, "negative")
        fallen = linear.pull(up, shape, "negative") + linear.pull(down, shape, "positive")
        # An input whose parts cancel exactly sides with neither: half of each.
        even = (risen + fallen) / 2
        multipliers = torch.where(step > 0, risen, torch.where(step < 0, fallen, even))
        return multipliers, multipliers

    return Change(*crossed(run, back, change.above, change.below))


def _activation(operation: Operation, change: Change, z: Tensor, base: Tensor) -> Change:
    """Cross an activation: each part's effect, averaged over being added first and last."""
    function, name = operation.call.function(), operation.call.name

    def effects(above: Tensor, below: Tensor) -> tuple[Tensor, Tensor]:
        at_base, at_sample = function(base), function(z)
        with_above, with_below = function(base + above), function(base + below)
        return (
            ((with_above - at_base) + (at_sample - with_below)) / 2,
            ((with_below - at_base) + (at_sample - with_above)) / 2,
        )

    def back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        above, below = inputs
        effect = effects(above, below)
        return (
            arrived[0] * slope(effect[0], above, below),
            arrived[1] * slope(effect[1], below, above),
        )

    def slope(effect: Tensor, part: Tensor, other: Tensor) -> Tensor:
        found = effect / part
        close = near(name, part, base.expand_as(part))
        close = close | (part == 0)
        if bool(close.any()):
            limit = derivative(function, base.expand_as(part)) + derivative(function, base + other)
            found = torch.where(close, limit / 2, found)
        return found

    return Change(*crossed(effects, back, change.above, change.below))


def _maximum(
    function: Callable[..., Any],
    incoming: list[Change],
    inputs: tuple[Tensor, ...],
    bases: tuple[Tensor, ...],
) -> Change:
    """Cross a maximum: its change as a whole, by the rescale rule's multipliers."""

    def run(*parts: Tensor) -> tuple[Tensor, Tensor]:
        del parts
        step = difference()
        return step.clamp(min=0), step.clamp(max=0)

    def difference() -> Tensor:
        at_sample, at_base = function(*inputs), function(*bases)
        if isinstance(at_sample, tuple):
            at_sample, at_base = at_sample[0], at_base[0]
        step: Tensor = at_sample - at_base
        return step

    def back(arrived: tuple[Tensor, ...], parts: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        del parts
        up, down = arrived
        step = difference()
        whole = torch.where(step > 0, up, torch.where(step < 0, down, (up + down) / 2))
        multipliers = of_maximum(function, whole, inputs, bases)
        return tuple(each for each in multipliers for _ in range(2))

    flat = [part for change in incoming for part in (change.above, change.below)]
    return Change(*crossed(run, back, *flat))


def _scaled(change: Change, factor: Tensor) -> Change:
    up, down = factor.clamp(min=0), factor.clamp(max=0)
    return Change(change.above * up + change.below * down, change.below * up + change.above * down)


def _summed(incoming: list[Change], coefficients: tuple[float, ...]) -> Change:
    above: Any = 0.0
    below: Any = 0.0
    for change, c in zip(incoming, coefficients, strict=True):
        kept, turned = max(c, 0.0), min(c, 0.0)
        above = above + change.above * kept + change.below * turned
        below = below + change.below * kept + change.above * turned
    return Change(above, below)


def _moved(function: Callable[..., Any], incoming: list[Change], sizes: tuple[Any, ...]) -> Any:
    """Cross what moves or averages values: both parts alike, without constants mixed in."""
    nothing = function(*(torch.zeros_like(change.above) for change in incoming), *sizes)
    above = function(*(change.above for change in incoming), *sizes)
    below = function(*(change.below for change in incoming), *sizes)
    if isinstance(above, Tensor):
        return Change(above - nothing, below - nothing)
    return [Change(a - n, b - n) for a, b, n in zip(above, below, nothing, strict=True)]
