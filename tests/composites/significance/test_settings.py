"""The `significance` block: what it takes, and what it says to what it does not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from climxai.composites.significance import TESTS, BlockBootstrap, TTest
from climxai.composites.significance.settings import Significance


def test_short_forms() -> None:
    assert Significance(tests="t_test").tests == (TTest(),)
    made = Significance.model_validate(
        {"tests": [{"name": "block_bootstrap", "resamples": 99}, "t_test"], "region": "pacific"}
    )
    assert made.tests == (BlockBootstrap(resamples=99), TTest())
    assert made == Significance.model_validate_json(made.model_dump_json())


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"tests": ["ttest"]}, "there is no test named 'ttest'.*t_test"),
        ({"tests": ["t_test", "t_test"]}, "t_test is listed twice"),
        ({"alpha": 0}, "greater than 0"),
        ({"null_quantile": 1.0}, "less than 1"),
        ({"correction": "bonferroni"}, "fdr"),
    ],
)
def test_mistakes(block: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Significance.model_validate(block)


def test_names_are_those_of_the_table() -> None:
    for name, record in TESTS.items():
        assert record().model_dump()["name"] == name
        assert record.against in ("zero", "others")
        assert record.question
