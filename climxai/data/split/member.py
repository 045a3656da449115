"""Parts given as members of an ensemble, or models."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.dims import MEMBER, SAMPLE
from climxai.core.errors import DataError, did_you_mean
from climxai.data.split.rule import PARTS, Split, SplitRule

if TYPE_CHECKING:
    import xarray as xr


def _as_names(value: Any) -> Any:
    if isinstance(value, str | int):
        value = (value,)
    if isinstance(value, list | tuple):
        return tuple(str(name) if isinstance(name, int) else name for name in value)
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_names)]
"""Names of members; one may stand alone, and may be a number."""


def _rest_or_names(value: Any) -> Any:
    return value if value == "rest" else _as_names(value)


class ByMember(SplitRule):
    """Whole members of an ensemble for each part: no year of a run is in two parts.

    Members share the forced change, but not the weather.
    """

    name: Literal["member"] = "member"
    test: Names
    """names of the members that test"""
    train: Annotated[Literal["rest"] | tuple[str, ...], BeforeValidator(_rest_or_names)] = "rest"
    """names of the members that train; rest takes those that no other part has"""
    validation: Names = ()
    """names of the members that watch the training, if any"""

    @model_validator(mode="after")
    def _apart(self) -> ByMember:
        for one, other in combinations(PARTS, 2):
            first, second = getattr(self, one), getattr(self, other)
            both = set() if "rest" in (first, second) else {*first} & {*second}
            if both:
                raise PydanticCustomError(
                    "overlap",
                    "{names} in both {one} and {other}: parts must not share a member",
                    {"names": ", ".join(sorted(both)), "one": one, "other": other},
                )
        return self

    def split(self, fields: xr.DataArray) -> Split:
        """Return the rows of each part's members."""
        if MEMBER not in fields.coords or fields[MEMBER].dims != (SAMPLE,):
            raise DataError(
                "split member: the data have no members: read files of several members, or use "
                "another split"
            )
        member = fields[MEMBER].values.astype(str)
        known = tuple(str(name) for name in np.unique(member))
        named = {*self.test, *self.validation}
        rest = tuple(name for name in known if name not in named)
        train = rest if self.train == "rest" else self.train
        parts = {"train": train, "validation": self.validation, "test": self.test}
        for part, names in parts.items():
            for name in names:
                if name not in known:
                    raise DataError(
                        f"split member: {part} names {name!r}, which the data do not have."
                        + did_you_mean(name, known)
                    )
            if not names and part != "validation":
                raise DataError(
                    f"split member: no member is left to {part}; the data have {', '.join(known)}"
                )
        learn, watch, test = (np.flatnonzero(np.isin(member, names)) for names in parts.values())
        told = ", ".join(f"{part} {' '.join(names)}" for part, names in parts.items() if names)
        return Split(learn, watch, test, f"by member: {told}")
