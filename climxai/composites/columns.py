"""Variables on sample beside those that every composite needs, read when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from climxai.composites.shards import Head, opened


def read_column(head: Head, name: str) -> npt.NDArray[Any]:
    """Return a variable on sample [sample]; parts of the split come as their names.

    Raises
    ------
    OutputError
        When the file is corrupt.
    """
    with opened(head.path) as file:
        return _column(file.variables[head.columns[name]])


def _column(variable: Any) -> npt.NDArray[Any]:
    values = np.asarray(variable[:])
    if variable.name != "split" or not hasattr(variable, "flag_meanings"):
        return values
    numbers = np.atleast_1d(variable.flag_values).tolist()
    names = dict(zip(numbers, variable.flag_meanings.split(), strict=False))
    return np.array([names.get(each, "") for each in values.tolist()], dtype=object)


def read_time(head: Head) -> tuple[npt.NDArray[Any], str, str]:
    """Return the encoded times of a shard, their units and their calendar.

    Raises
    ------
    OutputError
        When the file is corrupt.
    """
    with opened(head.path) as file:
        variable = file.variables["time"]
        calendar = str(getattr(variable, "calendar", "standard"))
        return np.asarray(variable[:]), str(variable.units), calendar
