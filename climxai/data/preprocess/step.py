"""What every preprocessing step is: a record that is fitted to some rows and applied to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Discriminator, Tag
from pydantic_core import PydanticCustomError

from climxai.core.dims import TIME
from climxai.core.errors import DataError, did_you_mean
from climxai.core.period import Period, as_period
from climxai.core.record import Record
from climxai.data.time import rows_in_period, span

if TYPE_CHECKING:
    import xarray as xr

Rows = npt.NDArray[np.int64]
"""Positions along `sample`."""

_WORDS = ("training", "all")


def _as_fit(value: Any) -> Any:
    if value in _WORDS:
        return value
    if isinstance(value, str) and not any(letter.isdigit() for letter in value):
        raise PydanticCustomError(
            "fit",
            "`fit` is training, all or a period such as 1991-2020, found {found}.{hint}",
            {"found": repr(value), "hint": did_you_mean(value, _WORDS)},
        )
    return as_period(value)


def _kind(value: Any) -> str:
    return "rows" if isinstance(value, str) else "period"


Fit = Annotated[
    Annotated[Literal["training", "all"], Tag("rows")] | Annotated[Period, Tag("period")],
    Discriminator(_kind),
    BeforeValidator(_as_fit),
]
"""Which rows a step is fitted to: ``training``, ``all`` or a base period such as 1991-2020."""


class Step(Record):
    """One step of the preprocessing: fitted once, saved, then applied to any record of the grid."""

    physical: ClassVar[bool] = False
    """whether what comes out is still the field, in its units: labels and composites use it"""

    keeps: ClassVar[tuple[str, ...]] = ()
    """variables of what is fitted"""

    name: str

    def fit_to(self, fields: xr.DataArray, training: Rows) -> xr.Dataset:
        """Return what has to be known to apply the step.

        Parameters
        ----------
        fields
            The record (sample, channel, lat, lon), all rows, already through the steps before.
        training
            Positions of the training rows along ``sample``.

        Raises
        ------
        DataError
            When there is no row to fit to, or too few.
        """
        raise NotImplementedError

    def apply(self, fields: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return the fields (sample, channel, lat, lon) after the step: lazy, float32, NaN kept.

        Raises
        ------
        DataError
            When the grid or channels are not those of the fit, or the fit lacks what a row needs.
        """
        raise NotImplementedError

    def undo(self, maps: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray | None:
        """Return maps (..., channel, lat, lon) as they were before the step; None: not possible."""
        del maps, fitted
        return None

    def warnings(self, fields: xr.DataArray, fitted: xr.Dataset) -> tuple[str, ...]:
        """Return where applying the fit to these rows is doubtful, in plain words."""
        del fields, fitted
        return ()


def rows_to_fit(
    step: Step, fit: Literal["training", "all"] | Period, time: Any, training: Rows
) -> Rows:
    """Return the positions, ascending, that a step's ``fit`` names.

    Raises
    ------
    DataError
        When there are none.
    """
    kind = step.name
    if isinstance(fit, Period):
        rows = np.flatnonzero(rows_in_period(time, fit))
        if not rows.size:
            raise DataError(
                f"preprocessing step {kind}: `fit: {fit.describe()}` holds no row of the record, "
                f"which has {span(np.sort(np.asarray(time)))}: choose a period inside it"
            )
        return rows
    rows = np.arange(len(time)) if fit == "all" else np.unique(np.asarray(training, np.int64))
    if not rows.size:
        raise DataError(
            f"preprocessing step {kind}: there is no {'row' if fit == 'all' else 'training row'} "
            "to fit it to: check the split and the period of the data"
        )
    return rows


def times(fields: xr.DataArray) -> npt.NDArray[Any]:
    """Return the time of each row [sample]."""
    return np.asarray(fields[TIME].values)
