"""A baseline: one map or several that stand for the absence of what is explained."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from climxai.core.errors import ModelError
from climxai.core.record import Record

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context, TrainingRows


class Baseline(Record):
    """Which maps an explanation compares with."""

    def check(self, context: Context) -> None:
        """Raise when the baseline cannot be had; training rows are not read here.

        Raises
        ------
        ClimxaiError
            Before anything is trained or explained.
        """
        del context

    @abstractmethod
    def maps(self, x: Tensor, context: Context) -> Tensor:
        """Return the maps [map, channel, lat, lon] that every sample is compared with.

        They are in the units the network is fed, held like ``x`` (number type and device) and 0 on
        invalid cells.

        Parameters
        ----------
        x
            The inputs [sample, channel, lat, lon].
        context
            Valid cells and training rows.
        """


def training_rows(context: Context) -> TrainingRows:
    """Return the training rows.

    Raises
    ------
    ModelError
        When an explanation is made without them.
    """
    if context.training is None:
        raise ModelError(
            "the baseline is made from training samples, and there are none here: explain with the "
            "experiment's data, or choose baseline zero"
        )
    return context.training


def on_valid(maps: Tensor, x: Tensor, context: Context) -> Tensor:
    """Return maps [map, channel, lat, lon] held like ``x``, 0 on invalid cells."""
    return maps.to(x) * context.valid.to(x)


def check_shape(maps: Tensor, x: Tensor, where: str) -> Tensor:
    """Return ``maps`` where each is shaped like one input, else raise `ModelError`."""
    if maps.shape[1:] != x.shape[1:]:
        raise ModelError(
            f"{where} has shape {tuple(maps.shape[1:])}, the inputs {tuple(x.shape[1:])}: give "
            "maps with the network's channels on its grid"
        )
    return maps
