"""Months and seasons by name, and the year and month of times as netCDF holds them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
SEASONS: Final = {"DJF": (12, 1, 2), "MAM": (3, 4, 5), "JJA": (6, 7, 8), "SON": (9, 10, 11)}


def dates(
    values: npt.NDArray[Any], units: str, calendar: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return year, month and day of encoded times [sample], in any CF calendar."""
    import cftime

    if units.startswith("nanosecond"):
        # pandas counts in them, cftime does not know them.
        _, _, since = units.partition(" ")
        values, units = values // 1000, f"microseconds {since}"
    found = np.atleast_1d(cftime.num2date(values, units, calendar))
    parts = [(each.year, each.month, each.day) for each in found]
    year, month, day = np.array(parts, dtype=np.int64).reshape(len(found), 3).T
    return year, month, day


def seasons(month: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
    """Return the season's name of each month [sample]."""
    of_month = np.empty(13, dtype=object)
    of_month[0] = ""
    for name, held in SEASONS.items():
        of_month[list(held)] = name
    return np.asarray(of_month[month])
