"""Departures from the mean annual cycle, or from the mean of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from climxai.core.errors import DataError
from climxai.data.preprocess.groups import Grouping, group_name, group_numbers
from climxai.data.preprocess.step import Fit, Rows, Step, rows_to_fit, times

if TYPE_CHECKING:
    import xarray as xr

FEW_ROWS = 3
"""A mean over fewer rows takes a good part of the anomaly away with it, and is warned of."""


class Anomaly(Step):
    """Subtract from each cell its mean over the same month, day or season of a base period.

    Gaps are left out of the means. Members of an ensemble share one climatology.
    """

    physical: ClassVar[bool] = True
    keeps: ClassVar[tuple[str, ...]] = ("climatology", "rows")

    name: Literal["anomaly"] = "anomaly"
    by: Grouping = "month"
    """the climatology: one mean per calendar month, day or season (DJF, …), or one of all rows"""
    fit: Fit = "training"
    """rows of the base period: training, all, or a period such as 1991-2020"""

    def fit_to(self, fields: xr.DataArray, training: Rows) -> xr.Dataset:
        """Return ``climatology(group, channel, lat, lon)`` and the number of ``rows(group)``."""
        from climxai.data.preprocess.stream import Departures, Present, maps

        time = times(fields)
        rows = rows_to_fit(self, self.fit, time, training)
        numbers = group_numbers(time, self.by)
        groups = np.unique(numbers[rows])
        group_of = np.searchsorted(groups, numbers)
        departures = Departures(fields, rows)
        total = np.zeros((groups.size, *departures.shift.shape))
        present = Present(groups.size, departures.shift.shape)
        ones = np.eye(groups.size)
        for position, departure, missing in departures:
            total[group_of[position]] += departure
            present.add(ones[group_of[position]], missing)
        count = present.sums()
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = departures.shift + total / count
        attrs = {"long_name": f"climatology per {self.by}"}
        fitted = maps(fields, climatology=("group", mean, attrs))
        return fitted.assign_coords(group=("group", groups)).assign(
            rows=("group", present.full.astype(np.int64))
        )

    def apply(self, fields: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return the anomalies (sample, channel, lat, lon)."""
        from climxai.data.preprocess.stream import change_rows, check_grid

        check_grid(fields, fitted, self.name)
        anomalies = change_rows(
            fields,
            subtract_group,
            self._groups(fields, fitted)[:, None],
            climatology=fitted["climatology"].values,
        )
        return named_anomaly(anomalies)

    def warnings(self, fields: xr.DataArray, fitted: xr.Dataset) -> tuple[str, ...]:
        """Return a warning where a mean rests on very few rows."""
        used = np.unique(self._groups(fields, fitted))
        counts = fitted["rows"].values[used]
        few = used[counts < FEW_ROWS]
        if not few.size:
            return ()
        group = int(fitted["group"].values[few[0]])
        others = f" and {few.size - 1} more" if few.size > 1 else ""
        return (
            f"anomaly (by {self.by}): the mean of {group_name(group, self.by)}{others} rests on "
            f"{int(counts.min())} row{'s' if counts.min() > 1 else ''}: the anomalies there are "
            "too small; fit it to a longer period or take a coarser `by`",
        )

    def _groups(self, fields: xr.DataArray, fitted: xr.Dataset) -> npt.NDArray[np.int64]:
        """Return for each row [sample] the position of its group in the climatology."""
        known = fitted["group"].values
        numbers = group_numbers(times(fields), self.by)
        lacking = np.setdiff1d(numbers, known)
        if lacking.size:
            names = ", ".join(group_name(int(number), self.by) for number in lacking[:6])
            more = f" and {lacking.size - 6} more" if lacking.size > 6 else ""
            first = int(np.flatnonzero(numbers == lacking[0])[0])
            raise DataError(
                f"anomaly (by {self.by}): the climatology lacks {names}{more}, which the data "
                f"have (first in row {first}): fit it to a period that holds it, or take a "
                "coarser `by`"
            )
        return np.searchsorted(known, numbers)


def subtract_group(
    block: npt.NDArray[Any], group: npt.NDArray[np.int64], climatology: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Return a block less the climatology of each row's group, computed in float64."""
    changed = np.empty(block.shape, np.float32)
    for row in range(len(block)):
        changed[row] = block[row] - climatology[group[row, 0, 0, 0]]
    return changed


def named_anomaly(fields: xr.DataArray) -> xr.DataArray:
    """Return the fields with ``anomaly`` in their long names [channel], once."""
    if "long_name" not in fields.coords:
        return fields
    names = [
        name if "anomal" in name.lower() else f"{name} anomaly"
        for name in fields["long_name"].values.astype(str)
    ]
    return fields.assign_coords(long_name=fields["long_name"].copy(data=np.array(names)))
