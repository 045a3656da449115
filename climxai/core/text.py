"""Text that may be written like a number in YAML, such as the layer ``1`` or the date ``1998``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema


def as_text(value: Any) -> Any:
    """Turn a whole number into its digits; leave everything else."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


AnyText = Annotated[str, BeforeValidator(as_text), WithJsonSchema({"type": ["string", "integer"]})]
"""Text; a whole number stands for its digits."""
