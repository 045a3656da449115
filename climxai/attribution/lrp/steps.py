"""The steps of a plan: one operator each, with its rule, inputs and output."""

from __future__ import annotations

from dataclasses import dataclass

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing
from climxai.attribution.lrp.layer import Layer
from climxai.attribution.lrp.rulemap import Assignment
from climxai.attribution.lrp.rules import Rule


@dataclass(frozen=True)
class Step:
    """One operator of the network.

    Parameters
    ----------
    crossing
        How relevance crosses it; None for an item taken from a tuple.
    inputs
        Slots of its inputs.
    output
        Slot of its output.
    item
        Which item of the tuple in ``inputs[0]``, or None.
    shape
        Shape of one sample of the output, None where it is no single tensor.
    layer
        The layer as rule maps see it, None for operators that need no rule.
    rule
        Its rule, None for operators that need none.
    name
        The dotted path of its module, or its graph node where it has none.
    booked
        Whether an audit has a line for it: it has a rule, or it may keep relevance.
    frees
        Slots that no later step takes.
    """

    crossing: Crossing | None
    inputs: tuple[int, ...]
    output: int
    item: int | None
    shape: tuple[int, ...] | None
    layer: Layer | None
    rule: Rule | None
    name: str
    booked: bool
    frees: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The steps of one network under one choice of rules and conventions.

    Parameters
    ----------
    choice, settled
        What it was made for.
    steps
        In the order of the forward pass; slot 0 is the network's input.
    slots
        How many values there are.
    output
        Slot of the network's output.
    needs_ground
        Whether any step wants to know land, gaps and bounds.
    largest
        Values per sample of the largest tensor that is computed, not merely moved, on the way.
    """

    choice: Rule | Assignment
    settled: Settled
    steps: tuple[Step, ...]
    slots: int
    output: int
    needs_ground: bool
    largest: int
