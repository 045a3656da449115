"""Baselines: zero, means of training samples, a map from a file, and training samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt

from climxai.attribution.baselines.baseline import Baseline, check_shape, on_valid, training_rows
from climxai.core.errors import DataError, ModelError, did_you_mean
from climxai.core.paths import ConfigPath
from climxai.core.period import AnyPeriod

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context


class Zero(Baseline):
    """Zero in the units the network is fed: for anomalies, the climatology of the base period."""

    name: Literal["zero"] = "zero"

    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return zeros [1, channel, lat, lon]."""
        del context
        return x.new_zeros((1, *x.shape[1:]))


class Climatology(Baseline):
    """The mean of all training samples."""

    name: Literal["climatology"] = "climatology"

    def check(self, context: Context) -> None:
        """Raise `ModelError` where there are no training samples."""
        training_rows(context)

    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return the mean map [1, channel, lat, lon]."""
        mean = training_rows(context).mean()[None]
        return on_valid(check_shape(mean, x, "the mean of the training samples"), x, context)


class ClassMean(Baseline):
    """The mean of the training samples of one class: what tells a sample from that class."""

    name: Literal["class_mean"] = "class_mean"
    class_name: str = Field(description="the class, as the label section names it")

    def check(self, context: Context) -> None:
        """Raise where there are no training samples, no such class, or none of that class."""
        classes = training_rows(context).classes
        if self.class_name not in classes:
            raise ModelError(
                f"the baseline is the mean of class {self.class_name!r}, which the network was not "
                f"trained on.{did_you_mean(self.class_name, classes)}"
            )
        training_rows(context).check(class_name=self.class_name)

    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return the mean map [1, channel, lat, lon] of the class.

        Raises
        ------
        DataError
            When no training sample belongs to the class.
        """
        self.check(context)
        mean = training_rows(context).mean(class_name=self.class_name)[None]
        return on_valid(check_shape(mean, x, "the mean of the class"), x, context)


class PeriodMean(Baseline):
    """The mean of the training samples of a period: what has changed since."""

    name: Literal["period_mean"] = "period_mean"
    period: AnyPeriod = Field(description="which training samples, by their time")

    def check(self, context: Context) -> None:
        """Raise where there are no training samples, or none in the period."""
        training_rows(context).check(period=self.period)

    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return the mean map [1, channel, lat, lon] of the period.

        Raises
        ------
        DataError
            When no training sample lies in the period.
        """
        mean = training_rows(context).mean(period=self.period)[None]
        return on_valid(check_shape(mean, x, "the mean of the period"), x, context)


class MapFile(Baseline):
    """A map from a netCDF file, in the units the network is fed and on its grid."""

    name: Literal["file"] = "file"
    path: ConfigPath = Field(description="netCDF file with one variable per channel, named like it")

    def check(self, context: Context) -> None:
        """Raise `DataError` where there is no such file, or its map does not fit the network."""
        rows = training_rows(context)
        if not Path(self.path).is_file():
            raise DataError(
                f"{self.path}: there is no such file to take the baseline from; give the path of a "
                "netCDF file, relative to the configuration"
            )
        rows.from_file(self.path)

    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return the file's map [1, channel, lat, lon].

        Raises
        ------
        DataError
            When the file does not hold the network's channels on its grid.
        """
        held = training_rows(context).from_file(self.path)[None]
        return on_valid(check_shape(held, x, self.path), x, context)


class TrainingSample(Baseline):
    """Training samples drawn at random, each a baseline of its own; results are averaged.

    With integrated gradients these are the expected gradients of Erion et al. (2021), Nature
    Machine Intelligence 3, arXiv 1906.10670: each cell is compared with what it usually is.
    """

    name: Literal["sample"] = "sample"
    count: PositiveInt = 50
    """How many are drawn; the cost grows with it."""
    seed: int = Field(0, ge=0, description="which are drawn")

    def check(self, context: Context) -> None:
        """Raise `ModelError` where there are no training samples."""
        training_rows(context)

    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return the drawn samples [count, channel, lat, lon]."""
        drawn = training_rows(context).draw(self.count, self.seed)
        return on_valid(check_shape(drawn, x, "a training sample"), x, context)
