"""Conditions that maps must meet: a period, or an expression on variables of their samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic_core import PydanticCustomError

from climxai.composites.expression import ExpressionError, evaluate, parse
from climxai.composites.samples import Samples
from climxai.core.errors import ConfigError
from climxai.core.period import Period


def in_period(samples: Samples, period: Period) -> npt.NDArray[np.bool_]:
    """Return which maps lie in a period, its first and last day included."""
    parts = (samples.column("year"), samples.column("month"), samples.column("day"))
    # One number per day that orders like the date does, in whatever calendar.
    number = (parts[0] * 16 + parts[1]) * 64 + parts[2]
    first, last = ((y * 16 + m) * 64 + d for y, m, d in (period.first(), period.last()))
    return np.asarray((number >= first) & (number <= last))


def holds(text: str, samples: Samples) -> npt.NDArray[np.bool_]:
    """Return which maps a condition holds for.

    Raises
    ------
    ConfigError
        When it reads what the relevance does not hold.
    """
    try:
        found = evaluate(text, samples.column, samples.known, samples.values)
    except ExpressionError as error:
        raise ConfigError(f"composite: {error}") from None
    return np.broadcast_to(found, (len(samples),))


def checked(text: str) -> str:
    """Return a condition as it is, after checking that it can be read."""
    try:
        parse(text)
    except ExpressionError as error:
        raise PydanticCustomError("condition", "{problem}", {"problem": str(error)}) from None
    return text
