"""Methods: how relevance is given to input cells."""

from __future__ import annotations

from typing import Annotated

from climxai.attribution.methods.composition import Average, RandomMap, SeedAverage
from climxai.attribution.methods.method import Method
from climxai.attribution.methods.single import SINGLE
from climxai.core.record import OneOf

METHODS: dict[str, type[Method]] = {
    **SINGLE,
    "average": Average,
    "seed_average": SeedAverage,
    "random": RandomMap,
}

__all__ = ["METHODS", "AnyMethod", "Method"]

AnyMethod = Annotated[Method, OneOf(METHODS, "method")]
"""Any entry of the table, or its bare name."""
