"""Which tests a composite undergoes: the `composite.significance` block of a configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from climxai.composites.significance import TESTS
from climxai.composites.significance.method import SignificanceTest
from climxai.core.record import OneOf, Record
from climxai.core.region import AnyRegion


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class Significance(Record):
    """How far composites are to be trusted: tests per cell, and what they say about the field.

    A map of thousands of tests has cells with small p-values by chance. The false discovery rate
    bounds the share of such cells among those called significant (Benjamini & Hochberg 1995,
    Wilks 2016).

    Tests of samples that trained the network say that its relevance is not zero there, or differs
    between classes, and so does that of a network that has memorised noise. Test unseen samples
    (`composite.select.parts: test`), or compare with `train.null_networks`, which memorise too.
    """

    tests: Annotated[
        tuple[Annotated[SignificanceTest, OneOf(TESTS, "test")], ...], BeforeValidator(_as_list)
    ] = ()
    """tests of every class's composite; the first one is drawn on the maps"""
    correction: Literal["fdr", "none"] = "fdr"
    """`fdr`: significant is what keeps the false discovery rate of the map at `alpha`; `none`:
    every cell whose p-value is at most `alpha`, which finds that share of cells in noise"""
    alpha: float = Field(0.1, gt=0, lt=1)
    """the rate; with `fdr` and neighbouring cells that resemble each other the level of the whole
    field is about half of it (Wilks 2016)"""
    region: AnyRegion | None = None
    """where tests are made: a name, [south, north, west, east], or null for all of the grid; what
    lies outside is not tested and does not count in the number of cells"""
    null_quantile: float = Field(0.95, ge=0.5, lt=1)
    """with `train.null_networks`: a composite is shown where it exceeds this quantile of theirs
    (Labe & Barnes 2021); 0.95 needs at least 19 networks"""

    @field_validator("tests", mode="after")
    @classmethod
    def _distinct(cls, tests: tuple[SignificanceTest, ...]) -> tuple[SignificanceTest, ...]:
        names = [str(test.model_dump()["name"]) for test in tests]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise PydanticCustomError(
                "tests",
                "{name} is listed twice: a test names variables of a file",
                {"name": twice[0]},
            )
        return tests
