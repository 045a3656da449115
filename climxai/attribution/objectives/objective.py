"""An objective: which scalar of the network's output is explained."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ModelError, did_you_mean
from climxai.core.record import Record

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.network import Network


@dataclass(frozen=True)
class Grid:
    """Cell centres of an output field: latitudes and longitudes in degrees."""

    lat: npt.NDArray[np.float64]
    lon: npt.NDArray[np.float64]


class Objective(Record):
    """Which scalar is explained: ``(weights * (outputs - reference)).sum()`` per sample."""

    @abstractmethod
    def weights(
        self,
        logits: Tensor,
        labels: Tensor | None,
        classes: tuple[str, ...],
        grid: Grid | None = None,
    ) -> Tensor:
        """Return the weight of every output in the explained scalar.

        Parameters
        ----------
        logits
            The network's outputs [sample, output] before the softmax, or [sample, ...] for a field.
        labels
            True class numbers [sample], or None where unknown.
        classes
            Class names in the order of the outputs.
        grid
            The grid of an output field; objectives of classes need none.

        Returns
        -------
        Tensor
            Shaped like ``logits``, constant with respect to them.

        Raises
        ------
        ModelError
            When the objective does not suit the network or the labels are missing.
        """

    def reference(self, network: Network) -> Tensor | None:
        """Return the outputs [1, *output_shape] that are subtracted first, or None for nothing."""
        del network
        return None


def one_hot(logits: Tensor, numbers: Tensor) -> Tensor:
    """Return weights that pick output ``numbers`` [sample] of ``logits`` [sample, output].

    Raises
    ------
    ModelError
        When the network has no class scores or a number is not one of its outputs.
    """
    import torch

    if logits.ndim != 2:
        raise ModelError(
            f"the objective picks a class, but the network returns {tuple(logits.shape[1:])} per "
            "sample instead of one score per class: choose an objective for output fields"
        )
    if numbers.numel() and (int(numbers.min()) < 0 or int(numbers.max()) >= logits.shape[1]):
        raise ModelError(
            f"class numbers {int(numbers.min())} to {int(numbers.max())} do not fit the network's "
            f"{logits.shape[1]} outputs: explain it with the labels it was trained on"
        )
    weights = torch.zeros_like(logits)
    return weights.scatter_(1, numbers.to(logits.device, torch.int64)[:, None], 1.0)


def class_number(name: str, classes: tuple[str, ...]) -> int:
    """Return the output that stands for a class.

    Raises
    ------
    ModelError
        When there is no such class.
    """
    if name not in classes:
        raise ModelError(
            f"the objective names class {name!r}, which the network was not trained on."
            f"{did_you_mean(name, classes)}"
        )
    return classes.index(name)
