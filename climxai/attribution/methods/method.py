"""A method: how relevance is given to input cells."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal

from climxai.core.record import Record

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class Method(Record):
    """How relevance is given to input cells. Weights and training mode are never changed."""

    id: str | None = None
    """Name of this method's outputs; by default the method's name, made unique."""

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
    def needs_bounds(self) -> bool:
        """Whether `attribute` needs the smallest and largest value of every input cell."""
        return False

    def check(self, network: Network) -> None:
        """Raise `ModelError` when the method does not suit the network."""
        del network

    @abstractmethod
    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        *,
        valid: Tensor,
        reference: Tensor | None = None,
        bounds: tuple[Tensor, Tensor] | None = None,
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
        valid
            Which cells hold data [channel, lat, lon], bool.
        reference
            Outputs [1 or sample, *output_shape] subtracted before weighting, or None.
        bounds
            Smallest and largest training value of every cell, each [channel, lat, lon].

        Raises
        ------
        ModelError
            When shapes or number types do not fit, or the method does not suit the network.
        """
