"""Text that YAML reads as a number."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from climxai.core.text import AnyText

TEXT = TypeAdapter(AnyText)


@pytest.mark.parametrize(("given", "meant"), [("1.layers.0", "1.layers.0"), (3, "3"), ("3", "3")])
def test_whole_numbers_are_their_digits(given, meant):
    assert TEXT.validate_python(given) == meant


@pytest.mark.parametrize("given", [True, 1.5, None, [1]])
def test_nothing_else_is_text(given):
    with pytest.raises(ValidationError):
        TEXT.validate_python(given)
