"""The sections of a configuration that belong to no single room: explain, compute, output."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from climxai.attribution.methods import METHODS
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.methods.method import Method
from climxai.attribution.objectives import OBJECTIVES
from climxai.attribution.objectives.objective import Objective
from climxai.config.kinds import Words
from climxai.core.paths import ConfigPath
from climxai.core.record import OneOf, Record

_SIZE = re.compile(r"^\s*([0-9]*\.?[0-9]+)\s*([kmgt]?)(i?)b?\s*$", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def as_bytes(value: Any) -> Any:
    """Turn ``1GB``, ``512 MiB``, ``1.5G`` or a number of bytes into whole bytes."""
    if not isinstance(value, str):
        return value
    match = _SIZE.match(value)
    if match is None:
        raise PydanticCustomError(
            "size",
            "found {found}, expected an amount of memory such as 512MB, 2GB or 1GiB",
            {"found": repr(str(value))},
        )
    number, prefix, binary = match.groups()
    return round(float(number) * (1024 if binary else 1000) ** _POWERS[prefix.lower()])


AnySize = Annotated[
    int,
    Words("an amount of memory such as 512MB or 2GiB"),
    BeforeValidator(as_bytes),
    WithJsonSchema({"type": ["integer", "string"]}),
]
"""Bytes, written as a number or with a unit."""


def as_list(value: Any) -> Any:
    """Turn one entry into a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def unique_ids(methods: Iterable[Method]) -> tuple[Method, ...]:
    """Give every method without an ``id`` its name, made unique: ``lrp``, ``lrp_2``, ….

    Ids are names of directories, so they differ in more than upper and lower case.
    """
    methods = tuple(methods)
    taken = {method.id.casefold() for method in methods if method.id is not None}
    named = []
    for method in methods:
        if method.id is None:
            base = str(getattr(method, "name", "method"))
            name, number = base, 1
            while name.casefold() in taken:
                number += 1
                name = f"{base}_{number}"
            taken.add(name.casefold())
            method = method.model_copy(update={"id": name})
        named.append(method)
    return tuple(named)


class Explain(Record):
    """Which methods explain which samples, and what about the network they explain."""

    objective: Annotated[Objective, OneOf(OBJECTIVES, "objective")] = Field(
        default="predicted_class",
        validate_default=True,
    )
    """the scalar that is explained, before the softmax; a method may name its own"""
    methods: Annotated[
        tuple[Annotated[Method, OneOf(METHODS, "method")], ...],
        Field(min_length=1),
        BeforeValidator(as_list),
    ] = Field(default=({"name": "lrp", "rule": "alpha1beta0"},), validate_default=True)
    """attribution methods, each by its name or a block; `id` names its files"""
    samples: Literal["all", "train", "validation", "test"] = "all"
    """which part of the split is explained"""
    only_correct: bool = False
    """whether only correctly classified samples are explained"""
    audit: bool = False
    """whether `climxai explain` also writes what became of relevance layer by layer, for LRP"""

    def objective_of(self, method: Method) -> Objective:
        """Return the scalar that a method explains: its own, or that of the section."""
        return self.objective if method.objective is None else method.objective

    @field_validator("methods", mode="after")
    @classmethod
    def _named(cls, methods: tuple[Method, ...]) -> tuple[Method, ...]:
        return unique_ids(methods)

    @model_validator(mode="after")
    def _something_to_audit(self) -> Explain:
        if self.audit and not any(isinstance(each, LayerwiseRelevance) for each in self.methods):
            raise PydanticCustomError(
                "audit",
                "`audit: true` needs a method that is layer-wise relevance propagation, such as "
                "{example}, found {found}",
                {
                    "example": "`{name: lrp, rule: composite}`",
                    "found": ", ".join(str(each.id) for each in self.methods),
                },
            )
        return self


class Compute(Record):
    """How much of the machine is used; no result depends on it beyond rounding."""

    threads: PositiveInt | None = None
    """threads of one network evaluation; nothing: as many as there are cores"""
    memory: Annotated[AnySize, Field(ge=1_000_000)] = 256_000_000
    """what the working arrays of one file of relevance may take, for example 256MB"""
    rows_per_shard: PositiveInt | None = None
    """samples in one file of relevance; nothing: as many as `memory` allows"""


class Output(Record):
    """Where results go."""

    directory: ConfigPath = "runs"
    """output directory; by default `runs/` and the name of the configuration file, beside it"""


def as_output(value: Any) -> Any:
    """Turn a bare path into what `Output` accepts."""
    return {"directory": value} if isinstance(value, str) else value


AnyOutput = Annotated[
    Output,
    Words("a directory, as a path or a block with `directory`"),
    BeforeValidator(as_output),
]
"""An `Output` that may be written as the path of its directory."""
