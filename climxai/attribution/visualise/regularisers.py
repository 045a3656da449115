"""Regularisers: what keeps an optimised input near its start, and simple in space."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from climxai.core.record import Record

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.visualise.sphere import Sphere


class Regulariser(Record):
    """What keeps an optimised input near its start, and simple in space.

    The weights let the loss of a probability, at most 1, still reach about 0.001 for fields whose
    departures are of the order of 1 in the network's input units.
    """

    weight: float = Field(1e-3, gt=0, description="how strongly it counts beside the target's loss")

    @abstractmethod
    def of(self, x: Tensor, start: Tensor, sphere: Sphere) -> Tensor:
        """Return the penalty of every input [sample], without its weight.

        Parameters
        ----------
        x
            Inputs [sample, channel, lat, lon].
        start
            The map they started from [channel, lat, lon].
        sphere
            Areas of the cells and how they are joined.
        """


class LeastSquares(Regulariser):
    """The area mean of the squared departure from the start: no change without need."""

    name: Literal["l2"] = "l2"

    def of(self, x: Tensor, start: Tensor, sphere: Sphere) -> Tensor:
        """Return the mean square [sample], in squared input units, summed over channels."""
        return sphere.mean((x - start) ** 2).sum(1)


class TotalVariation(Regulariser):
    """The area mean of the size of the gradient on the sphere: patches with few sharp edges.

    The sum over neighbours of |difference| times the length of their common edge, over the area:
    input units per radian. Only pairs of valid cells count, around the globe where the grid goes
    around it. Source: Rudin, Osher and Fatemi (1992), Physica D 60, with differences taken
    along latitude and longitude apart.
    """

    name: Literal["total_variation"] = "total_variation"

    def of(self, x: Tensor, start: Tensor, sphere: Sphere) -> Tensor:
        """Return the mean variation [sample], summed over channels."""
        del start
        return sphere.edges(x, lambda step: step.abs(), distance_power=0).sum(1)


class Smoothness(Regulariser):
    """The area mean of the squared gradient on the sphere: no abrupt changes between neighbours.

    The sum over neighbours of difference² times the length of their common edge over their
    distance, over the area: squared input units per squared radian; Y = sin(lat) has 2/3. Only
    pairs of valid cells count, around the globe where the grid goes around it.
    """

    name: Literal["smoothness"] = "smoothness"
    weight: float = Field(1e-4, gt=0, description="how strongly it counts beside the target's loss")

    def of(self, x: Tensor, start: Tensor, sphere: Sphere) -> Tensor:
        """Return the mean square of the gradient [sample], summed over channels."""
        del start
        return sphere.edges(x, lambda step: step**2, distance_power=1).sum(1)
