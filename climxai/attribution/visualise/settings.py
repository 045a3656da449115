"""The section `optimal_input`: what is aimed at, from where, and how."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt

from climxai.attribution.visualise import REGULARISERS, STARTS, TARGETS, Regulariser, Start, Target
from climxai.core.record import OneOf, Record


def as_list(value: Any) -> Any:
    """Turn one entry into a list of one."""
    return value if isinstance(value, list | tuple) else [value]


class OptimalInput(Record):
    """How an input is optimised for what it shall bring about: step by step down a gradient."""

    targets: Annotated[
        tuple[Annotated[Target, OneOf(TARGETS, "target")], ...],
        Field(min_length=1),
        BeforeValidator(as_list),
    ] = Field(default=("class",), validate_default=True)
    """what is aimed at, each by its name or a block; `class` stands for every class in turn"""
    start: Annotated[Start, OneOf(STARTS, "start")] = Field(default="zero", validate_default=True)
    """the input that is changed: zero, climatology, a sample or noise"""
    steps: PositiveInt = 200
    """how many steps are made"""
    step_size: PositiveFloat = 0.01
    """length of a step in the network's input units, as `gradient` measures it"""
    gradient: Literal["rms", "plain"] = "rms"
    """`rms`: divided by its root mean square over the valid cells, so that every step is equally
    long; `plain`: as it is"""
    regularisers: Annotated[
        tuple[Annotated[Regulariser, OneOf(REGULARISERS, "regulariser")], ...],
        BeforeValidator(as_list),
    ] = ()
    """what keeps the input near its start, or simple in space; added to the target's loss"""
    bounds: Literal["none", "training"] = "none"
    """`training`: every cell stays between its smallest and largest training value"""
