"""Parts given as periods."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import NonNegativeInt, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.errors import DataError
from climxai.core.period import AnyPeriod
from climxai.data.resolution import short_span
from climxai.data.split.rule import PARTS, Split, SplitRule, keep_apart, row_times
from climxai.data.time import rows_in_period

if TYPE_CHECKING:
    import xarray as xr


class ByDate(SplitRule):
    """Each part is a period; rows in none of them are left out."""

    name: Literal["by_date"] = "by_date"
    train: AnyPeriod
    """period of the training rows, for example 1950/2009-12"""
    test: AnyPeriod
    """period of the test rows"""
    validation: AnyPeriod | None = None
    """period of the validation rows, if any"""
    gap: NonNegativeInt = 0
    """samples left unused between any two parts, taken from training first"""

    @model_validator(mode="after")
    def _apart(self) -> ByDate:
        given = [(part, getattr(self, part)) for part in PARTS if getattr(self, part)]
        for (one, first), (other, second) in combinations(given, 2):
            if first.first() <= second.last() and second.first() <= first.last():
                raise PydanticCustomError(
                    "overlap",
                    "{one} ({first}) and {other} ({second}) overlap: parts must not share a date",
                    {
                        "one": one,
                        "first": first.describe(),
                        "other": other,
                        "second": second.describe(),
                    },
                )
        return self

    def split(self, fields: xr.DataArray) -> Split:
        """Return the rows of each period."""
        time = row_times(fields)
        wanted = {}
        for part in PARTS:
            period = getattr(self, part)
            if period is None:
                continue
            wanted[part] = np.flatnonzero(rows_in_period(time, period))
            if not wanted[part].size:
                raise DataError(
                    f"split by_date: {part} ({period.describe()}) holds no row of the record, "
                    f"which has {short_span(time)}: choose a period inside it"
                )
        told = ", ".join(f"{part} {getattr(self, part).describe()}" for part in wanted)
        return keep_apart(time, wanted, self.gap, f"by date: {told}")
