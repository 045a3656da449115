"""Classes by the calendar: a test of what a network can learn, and of the annual cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import numpy as np
from pydantic import BeforeValidator, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.dims import TIME
from climxai.core.errors import DataError
from climxai.data.labels.classes import from_list, to_list
from climxai.data.labels.label import DROPPED, Label, Labelling
from climxai.data.preprocess.groups import SEASONS, season_numbers
from climxai.data.time import months

if TYPE_CHECKING:
    import xarray as xr

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _many(value: object) -> object:
    return (value,) if isinstance(value, int | str) else value


_Members = Annotated[tuple[int | str, ...], BeforeValidator(_many), Field(min_length=1)]


class CalendarLabel(Label):
    """Classes of calendar months or seasons; the network must tell the time of year."""

    name: Literal["calendar"] = "calendar"
    per: Literal["month", "season"] = "season"
    """what classes are made of: months 1 to 12, or seasons DJF, MAM, JJA and SON"""
    classes: Annotated[
        dict[str, _Members] | None,
        BeforeValidator(from_list),
        PlainSerializer(lambda value: value and to_list(value), when_used="json"),
    ] = None
    """class name -> its months or seasons, the others dropped; by default each is a class"""

    @model_validator(mode="after")
    def _apart(self) -> CalendarLabel:
        if self.classes is None:
            return self
        if len(self.classes) < 2:
            raise PydanticCustomError("classes", "a label needs at least two classes")
        owner: dict[int | str, str] = {}
        for name, members in self.classes.items():
            for member in members:
                if member not in (range(1, 13) if self.per == "month" else SEASONS):
                    raise PydanticCustomError(
                        "classes",
                        "class {name}: {member} is no {per}; with `per: month` classes hold "
                        "numbers 1 to 12, with `per: season` DJF, MAM, JJA or SON",
                        {"name": name, "member": repr(member), "per": self.per},
                    )
                other = owner.setdefault(member, name)
                if other != name:
                    raise PydanticCustomError(
                        "classes",
                        "{member} belongs to both {other} and {name}",
                        {"member": str(member), "other": other, "name": name},
                    )
        return self

    def label(self, fields: xr.DataArray) -> Labelling:
        """Return the classes; there is no index behind them.

        Raises
        ------
        DataError
            When no row falls into a class.
        """
        time = fields[TIME].values
        number = months(time) if self.per == "month" else season_numbers(time)
        named = MONTHS if self.per == "month" else SEASONS
        classes: dict[str, tuple[int, ...]] = {
            name: (position + 1,) for position, name in enumerate(named)
        }
        if self.classes is not None:
            classes = {
                name: tuple(
                    member if isinstance(member, int) else SEASONS.index(str(member)) + 1
                    for member in members
                )
                for name, members in self.classes.items()
            }
        numbers = np.full(number.shape, DROPPED, np.int64)
        for position, members in enumerate(classes.values()):
            numbers[np.isin(number, members)] = position
        if (numbers == DROPPED).all():
            there = ", ".join(named[n - 1] for n in np.unique(number))
            raise DataError(
                f"label calendar: no row falls into a class: the data have only {there}, the "
                f"classes are {', '.join(classes)}"
            )
        return Labelling(numbers, tuple(classes))
