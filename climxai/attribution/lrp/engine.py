"""The walk: forward keeping what the rules need, then once back with explicit relevance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.crossing import Crossing, Ground, Ledger
from climxai.attribution.lrp.rulemap import Layer
from climxai.attribution.lrp.rules import Rule
from climxai.attribution.lrp.steps import Plan, Step


@dataclass(frozen=True)
class Entry:
    """One layer in the books: what arrived at its output, left to its inputs, and was kept."""

    layer: Layer
    rule: Rule
    arrived: Tensor
    parts: tuple[Tensor | None, ...]
    ledger: Ledger


@dataclass
class Trail:
    """What an audit sees: an entry per layer that needs a rule, from the output down."""

    entries: list[Entry] = field(default_factory=list)


def propagate(
    plan: Plan,
    x: Tensor,
    start: Callable[[Tensor], Tensor],
    grounds: list[Ground | None],
    trail: Trail | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the relevance of the inputs and the network's outputs.

    Parameters
    ----------
    plan
        The network's steps.
    x
        Inputs [sample, channel, lat, lon].
    start
        From the network's outputs to their relevance.
    grounds
        What `find_grounds` returned.
    trail
        Filled in for an audit, where given.
    """
    values: list[Any] = [None] * plan.slots
    saved: list[Any] = [None] * len(plan.steps)
    values[0] = x
    for i, step in enumerate(plan.steps):
        inputs = tuple(values[slot] for slot in step.inputs)
        if step.crossing is None:
            values[step.output] = inputs[0][step.item]
        else:
            ground = grounds[i] if step.crossing.needs_ground else None
            values[step.output], saved[i] = step.crossing.forward(inputs, ground)
        for slot in step.frees:
            values[slot] = None
    outputs: Tensor = values[plan.output]
    relevance: list[Any] = [None] * plan.slots
    relevance[plan.output] = start(outputs)
    for i in range(len(plan.steps) - 1, -1, -1):
        step = plan.steps[i]
        arrived, relevance[step.output] = relevance[step.output], None
        if arrived is None:
            saved[i] = None
            continue
        if step.crossing is None:
            _add_item(relevance, step, arrived)
            continue
        ledger = Ledger() if trail is not None and step.layer is not None else None
        parts = step.crossing.backward(arrived, saved[i], ledger)
        saved[i] = None
        if trail is not None and ledger is not None and step.layer and step.rule:
            trail.entries.append(Entry(step.layer, step.rule, arrived, parts, ledger))
        for slot, part in zip(step.inputs, parts, strict=True):
            if part is not None:
                relevance[slot] = part if relevance[slot] is None else relevance[slot] + part
    found = relevance[0]
    return (torch.zeros_like(x) if found is None else found), outputs


def _add_item(relevance: list[Any], step: Step, arrived: Tensor) -> None:
    source, item = step.inputs[0], step.item
    if relevance[source] is None:
        relevance[source] = {}
    held = relevance[source]
    held[item] = arrived if item not in held else held[item] + arrived


def find_grounds(
    plan: Plan, valid: Tensor, bounds: tuple[Tensor, Tensor] | None, dtype: torch.dtype
) -> list[Ground | None]:
    """Follow land and bounds from the network's input to every step; None where none is needed.

    Parameters
    ----------
    plan
        The network's steps.
    valid
        Which input cells hold data [channel, lat, lon].
    bounds
        Smallest and largest value of every input cell, or None.
    dtype
        The network's number type.
    """
    found: list[Ground | None] = [None] * len(plan.steps)
    if not plan.needs_ground:
        return found
    layers: list[list[Any]] = [[valid[None].to(dtype)]]
    if bounds is not None:
        layers += [[bound[None].to(valid.device, dtype)] for bound in bounds]
    known = [_follow(plan, first, is_valid=i == 0) for i, (first,) in enumerate(layers)]
    for i, step in enumerate(plan.steps):
        if step.crossing is not None and step.crossing.needs_ground:
            slot = step.inputs[0]
            low = known[1][slot] if bounds is not None else None
            high = known[2][slot] if bounds is not None else None
            found[i] = Ground(known[0][slot], low, high)
    return found


def _follow(plan: Plan, first: Tensor, *, is_valid: bool) -> list[Any]:
    """Return one sample's values in every slot; after arithmetic all cells count as valid."""
    values: list[Any] = [None] * plan.slots
    values[0] = first
    for step in plan.steps:
        inputs = tuple(values[slot] for slot in step.inputs)
        crossing = step.crossing
        if crossing is None:
            source = inputs[0]
            values[step.output] = None if source is None else source[step.item]
            if values[step.output] is None and is_valid:
                values[step.output] = _ones(step, first)
        elif _movable(crossing, inputs):
            values[step.output] = crossing.forward(inputs, None)[0]
        elif is_valid:
            values[step.output] = _ones(step, first)
    return values


def _movable(crossing: Crossing, inputs: tuple[Any, ...]) -> bool:
    return crossing.moves and all(value is not None for value in inputs)


def _ones(step: Step, like: Tensor) -> Tensor | None:
    return None if step.shape is None else like.new_ones((1, *step.shape))
