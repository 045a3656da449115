"""One fold of a cross-validation in contiguous blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, NonNegativeInt, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.errors import DataError
from climxai.data.split.rule import (
    Split,
    SplitRule,
    describe_parts,
    keep_apart,
    ranks,
    row_times,
)

if TYPE_CHECKING:
    import xarray as xr


class KFold(SplitRule):
    """The record in equal blocks of time, of which one tests and the others train."""

    name: Literal["kfold"] = "kfold"
    folds: int = Field(5, ge=2, description="number of blocks")
    fold: NonNegativeInt = 0
    """the block that tests, from 0"""
    validation: bool = False
    """whether the block after it, or the first after the last, watches the training"""
    gap: NonNegativeInt = 0
    """samples left unused between any two parts, taken from training first"""

    @model_validator(mode="after")
    def _possible(self) -> KFold:
        if self.fold >= self.folds:
            raise PydanticCustomError(
                "fold",
                "`fold` counts from 0 to {last} with {folds} folds, found {fold}",
                {"last": self.folds - 1, "folds": self.folds, "fold": self.fold},
            )
        if self.validation and self.folds < 3:
            raise PydanticCustomError(
                "fold", "with a validation block `folds` is 3 or more: none is left to train"
            )
        return self

    def split(self, fields: xr.DataArray) -> Split:
        """Return the blocks."""
        time = row_times(fields)
        rank = ranks(time)
        distinct = int(rank.max()) + 1 if rank.size else 0
        if distinct < self.folds:
            raise DataError(
                f"split kfold: {distinct} times cannot make {self.folds} folds: lower `folds`"
            )
        sizes = [len(block) for block in np.array_split(np.arange(distinct), self.folds)]
        block = np.repeat(np.arange(self.folds), sizes)[rank]
        watch = (self.fold + 1) % self.folds if self.validation else -1
        wanted = {
            "train": np.flatnonzero((block != self.fold) & (block != watch)),
            "validation": np.flatnonzero(block == watch),
            "test": np.flatnonzero(block == self.fold),
        }
        told = describe_parts(time, {part: wanted[part] for part in ("validation", "test")})
        return keep_apart(time, wanted, self.gap, f"fold {self.fold} of {self.folds}: {told}")
