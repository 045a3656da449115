"""Parts given as fractions: one block after another in time, or single rows shuffled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, NonNegativeInt, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.errors import DataError
from climxai.data.split.rule import (
    PARTS,
    Rows,
    Split,
    SplitRule,
    describe_parts,
    keep_apart,
    ranks,
    row_times,
)

if TYPE_CHECKING:
    import xarray as xr

_Fractions = dict[str, float]


def whole(fractions: _Fractions) -> None:
    """Check that fractions add up to one.

    Raises
    ------
    PydanticCustomError
        With the sum.
    """
    total = sum(fractions.values())
    if abs(total - 1) > 1e-6:
        raise PydanticCustomError(
            "fractions",
            "train, validation and test are fractions of the record and must add up to 1, "
            "found {total}",
            {"total": round(total, 6)},
        )


def dealt(time: npt.NDArray[Any], order: Rows, fractions: _Fractions, name: str) -> dict[str, Rows]:
    """Return the rows per part when distinct times, in ``order``, are cut at the fractions.

    Parameters
    ----------
    time
        Time of each row [sample].
    order
        Ranks of the distinct times in the order in which they are dealt out.
    fractions
        Part -> fraction, in order.
    name
        Of the split, for messages.

    Raises
    ------
    DataError
        When a part asked for gets no row.
    """
    rank = ranks(time)
    cuts = np.round(np.cumsum(list(fractions.values())) * order.size).astype(int)
    wanted = {}
    for part, chosen in zip(fractions, np.split(order, cuts[:-1]), strict=True):
        if fractions[part] and not chosen.size:
            raise DataError(
                f"split {name}: {part} ({fractions[part]:g}) gets no row of {order.size} times: "
                "give it a larger fraction"
            )
        wanted[part] = np.flatnonzero(np.isin(rank, chosen))
    return wanted


class Fraction(SplitRule):
    """Contiguous blocks in time: the first rows train, the last ones test."""

    name: Literal["fraction"] = "fraction"
    train: float = Field(0.7, gt=0, le=1, description="fraction of the times that train")
    validation: float = Field(0.0, ge=0, lt=1, description="fraction that watches the training")
    test: float = Field(0.3, ge=0, lt=1, description="fraction that tests")
    gap: NonNegativeInt = 0
    """samples left unused between any two parts, taken from training first"""

    @model_validator(mode="after")
    def _whole(self) -> Fraction:
        whole({part: getattr(self, part) for part in PARTS})
        return self

    def split(self, fields: xr.DataArray) -> Split:
        """Return the blocks."""
        time = row_times(fields)
        order = np.arange(np.unique(time).size)
        fractions = {part: getattr(self, part) for part in PARTS}
        wanted = dealt(time, order, fractions, self.name)
        rule = f"contiguous blocks: {describe_parts(time, wanted)}"
        return keep_apart(time, wanted, self.gap, rule)


class Random(SplitRule):
    """Single times shuffled: only for series without memory, since neighbours end up in two parts.

    Rows of several members at one time stay together.
    """

    name: Literal["random"] = "random"
    train: float = Field(0.7, gt=0, le=1, description="fraction of the times that train")
    validation: float = Field(0.0, ge=0, lt=1, description="fraction that watches the training")
    test: float = Field(0.3, ge=0, lt=1, description="fraction that tests")
    seed: NonNegativeInt = 0
    """seed of the shuffling"""

    @model_validator(mode="after")
    def _whole(self) -> Random:
        whole({part: getattr(self, part) for part in PARTS})
        return self

    def split(self, fields: xr.DataArray) -> Split:
        """Return the shuffled parts, with a warning."""
        time = row_times(fields)
        order = np.random.default_rng(self.seed).permutation(np.unique(time).size)
        fractions = {part: getattr(self, part) for part in PARTS}
        wanted = dealt(time, order, fractions, self.name)
        said = (
            "split random: rows next to each other in time end up in different parts: scores are "
            "too good unless the series has no memory; prefer by_date, fraction, years or kfold",
        )
        shares = ", ".join(f"{part} {share:g}" for part, share in fractions.items() if share)
        rule = f"single times shuffled with seed {self.seed}: {shares}"
        return keep_apart(time, wanted, 0, rule, said)
