"""What sections must agree on, as far as it can be known without the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Finding = tuple[tuple[str | int, ...], str]
"""Keys of the setting meant, and what is wrong with it."""


def findings(sections: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong between ``sections``; those that are absent are not looked at."""
    yield from ()
