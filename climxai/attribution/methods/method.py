"""A method: how relevance is given to input cells."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Literal

from climxai.attribution.objectives import OBJECTIVES
from climxai.attribution.objectives.objective import Objective
from climxai.core.record import OneOf, Record

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class Method(Record):
    """How relevance is given to input cells. Weights and training mode are never changed."""

    id: str | None = None
    """Name of this method's outputs; by default the method's name, made unique."""
    objective: Annotated[Objective, OneOf(OBJECTIVES, "objective")] | None = None
    """The scalar that this method explains; by default the one of the whole section."""

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return True

    @property
    def colour(self) -> Literal["diverging", "sequential"]:
        """Which kind of colour scale shows the relevance."""
        return "diverging" if self.signed else "sequential"

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar, so that its sum can be compared."""
        return True

    @property
    def over_seeds(self) -> bool:
        """Whether one explanation takes the networks of all seeds, `Context.peers`."""
        return False

    def check(self, network: Network, context: Context) -> None:
        """Raise when the method does not suit the network, its grid or its valid cells.

        Raises
        ------
        ClimxaiError
            Before anything is trained or explained; training rows are not read here.
        """
        del network, context

    @abstractmethod
    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the relevance of every input cell.

        Parameters
        ----------
        network
            The traced network.
        x
            Inputs [sample, channel, lat, lon], 0 on invalid cells; not changed.
        start
            Weights [sample, *output_shape] of the outputs in the explained scalar.
        context
            Valid cells, and what else a method may need: a reference, training rows, the grid.

        Raises
        ------
        ModelError
            When shapes or number types do not fit, or the method does not suit the network.
        """
