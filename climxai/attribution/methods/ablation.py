"""Ablation: groups of cells are filled, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from climxai.attribution.baselines.maps import Zero
from climxai.attribution.fills import AnyFill
from climxai.attribution.groups import AnyGrouping
from climxai.attribution.groups.grouping import Boxes
from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.groups.indices import Indices
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class Ablation(Method):
    """Shows which region the explained scalar would miss, were its values not there.

    The fall of the scalar when one region is filled, divided evenly among its valid cells: a
    region's relevance is the sum over it. Regions may overlap. What two regions do only together
    counts twice or not at all, so that all do not sum to the scalar (no completeness); for that
    see `shapley`.

    Source: Meyes et al. (2019), arXiv 1901.08644, of inputs instead of units.
    """

    name: Literal["ablation"] = "ablation"
    groups: AnyGrouping = Boxes()
    """Which cells are filled together."""
    fill: AnyFill = Zero()
    """What stands in their place."""

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: one by one, regions do not."""
        return False

    def check(self, network: Network, context: Context) -> None:
        """Raise when groups do not fit the grid and mask, or the fill cannot be had."""
        from climxai.attribution.fills import check_fill

        cover = self._indices(network, context).cover
        check_fill(self.fill, tuple(cover.sizes), context)

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return each group's fall, shared by its cells [sample, channel, lat, lon]."""
        from climxai.attribution.falls import mean_falls
        from climxai.attribution.relevance import Relevance

        indices = self._indices(network, context)
        falls, output, compared = mean_falls(network, x, start, self.fill, indices, context)
        return Relevance(indices.share_over_cells(falls), output, compared)

    def _indices(self, network: Network, context: Context) -> Indices:
        from climxai.attribution.falls import indices_of

        return indices_of(self, network, context, self.groups.cover)
