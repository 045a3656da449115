"""Samples ready for a network: inputs, labels, and where the inputs hold data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.dims import FIELD_DIMS, MAP_DIMS, SAMPLE

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class SampleSet:
    """Labelled samples.

    Parameters
    ----------
    inputs
        Preprocessed fields (sample, channel, lat, lon), lazy.
    labels
        Class numbers (sample,), from 0, int64.
    valid
        Where the inputs hold data (channel, lat, lon), bool.
    classes
        Names of the classes, in the order of their numbers.

    Raises
    ------
    ValueError
        When dimensions or sizes do not belong together, or a label has no class.
    """

    inputs: xr.DataArray
    labels: xr.DataArray
    valid: xr.DataArray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, array, dims in (
            ("inputs", self.inputs, FIELD_DIMS),
            ("labels", self.labels, (SAMPLE,)),
            ("valid", self.valid, MAP_DIMS),
        ):
            if array.dims != dims:
                raise ValueError(f"{name} have the dimensions {array.dims}, expected {dims}")
        if self.labels.size != self.inputs.sizes[SAMPLE]:
            raise ValueError(
                f"{self.labels.size} labels for {self.inputs.sizes[SAMPLE]} samples of inputs"
            )
        if self.valid.shape != self.inputs.shape[1:]:
            raise ValueError(
                f"the valid mask is {self.valid.shape}, the inputs are {self.inputs.shape[1:]}"
            )
        numbers = self.labels.values
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < len(self.classes)):
            raise ValueError(
                f"labels go from {numbers.min()} to {numbers.max()}, expected numbers of the"
                f" {len(self.classes)} classes"
            )

    def __len__(self) -> int:
        return int(self.labels.size)

    def take(self, rows: npt.NDArray[np.int64]) -> SampleSet:
        """Return the samples at positions ``rows``, in that order, still lazy."""
        chosen = {SAMPLE: np.asarray(rows)}
        return replace(self, inputs=self.inputs.isel(chosen), labels=self.labels.isel(chosen))
