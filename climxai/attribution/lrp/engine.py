"""The walk: forward keeping what the rules need, then once back with explicit relevance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.crossing import Ground, Ledger
from climxai.attribution.lrp.steps import Plan, Step
from climxai.attribution.lrp.trail import Trail


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
        ledger = Ledger() if trail is not None and step.booked else None
        parts = step.crossing.backward(arrived, saved[i], ledger)
        saved[i] = None
        if trail is not None and ledger is not None:
            trail.record(step, arrived, parts, ledger)
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
    known = _Known(plan.slots)
    known.valid[0] = valid[None].to(dtype)
    if bounds is not None:
        known.low[0], known.high[0] = (b[None].to(valid.device, dtype) for b in bounds)
    for i, step in enumerate(plan.steps):
        if step.crossing is not None and step.crossing.needs_ground:
            slot = step.inputs[0]
            found[i] = Ground(
                known.valid[slot], known.low[slot], known.high[slot], known.clean[slot]
            )
        known.follow(step)
    return found


class _Known:
    """What is known of one sample's values in every slot; see `Ground`."""

    def __init__(self, slots: int) -> None:
        self.valid: list[Any] = [None] * slots
        self.low: list[Any] = [None] * slots
        self.high: list[Any] = [None] * slots
        self.clean = [True] * slots

    def follow(self, step: Step) -> None:
        """Work out what is known of a step's output."""
        crossing, output = step.crossing, step.output
        self.clean[output] = all(self.clean[slot] for slot in step.inputs)
        if crossing is None:
            for values in (self.valid, self.low, self.high):
                source = values[step.inputs[0]]
                values[output] = None if source is None else source[step.item]
        else:
            valid, low, high = (
                tuple(values[slot] for slot in step.inputs)
                for values in (self.valid, self.low, self.high)
            )
            self.valid[output] = crossing.valid(valid)
            self.clean[output] &= crossing.moves and getattr(crossing, "clean", True)
            if all(value is not None for value in (*low, *high)):
                both = crossing.bounds(low, high)
                self.low[output], self.high[output] = (None, None) if both is None else both
        if step.shape is not None:
            shape = (1, *step.shape)
            held = self.valid[output]
            if held is None:
                self.valid[output] = self.valid[0].new_ones(shape)
            elif isinstance(held, torch.Tensor):
                self.valid[output] = held.expand(shape)
