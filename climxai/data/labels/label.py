"""What every label is: a record that gives each row a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.record import Record

if TYPE_CHECKING:
    import xarray as xr

DROPPED = -1
"""Number of a row that belongs to no class and is left out."""


@dataclass(frozen=True)
class Labelling:
    """The class of each row.

    Parameters
    ----------
    numbers
        Class of each row [sample], 0 to n-1 in the order of ``classes``; -1 where dropped.
    classes
        Names of the classes.
    index
        The continuous series (sample,) behind the classes, with ``units`` and ``long_name``, or
        None where there is none.
    warnings
        What is doubtful, in plain words.
    """

    numbers: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    index: xr.DataArray | None = None
    warnings: tuple[str, ...] = ()


class Label(Record):
    """What the network learns to tell apart."""

    name: str

    def label(self, fields: xr.DataArray) -> Labelling:
        """Return the class of each row.

        Parameters
        ----------
        fields
            The record (sample, channel, lat, lon), all rows, in its own units: anomalies, say.

        Raises
        ------
        DataError
            When no row can be labelled.
        """
        raise NotImplementedError
