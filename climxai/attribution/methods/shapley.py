"""Shapley values of groups of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from climxai.attribution.baselines.maps import Zero
from climxai.attribution.fills import AnyFill
from climxai.attribution.groups import AnyGrouping
from climxai.attribution.groups.grouping import Boxes
from climxai.attribution.methods.method import Method
from climxai.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.groups.indices import Indices
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance

EXACT: Final = 8
"""Groups up to which all their sets are enumerated."""
MOST_GROUPS: Final = 500


class Shapley(Method):
    """Shows what each region made of the explained scalar, joint effects shared fairly.

    A group's Shapley value, divided evenly among its valid cells: how much the scalar rises when
    the group is put back into a map where groups are filled, averaged over all orders of putting
    them back. Sums to the difference from the map with all groups filled (completeness).

    Up to 8 groups exact, from all their sets; beyond that an unbiased estimate from random orders,
    each with its reverse, which leaves completeness exact.

    Source: Shapley (1953); Castro et al. (2009), Computers & Operations Research 36 (sampling);
    Mitchell et al. (2022), JMLR 23, arXiv 2104.12199 (pairs of orders).
    """

    name: Literal["shapley"] = "shapley"
    groups: AnyGrouping = Boxes()
    """Which cells are put back together; no cell may be in two groups."""
    fill: AnyFill = Zero()
    """What stands in the place of groups that are not there."""
    permutations: int = Field(
        20,
        ge=2,
        multiple_of=2,
        description="how many orders are drawn per sample, in pairs of an order and its reverse; "
        "of no effect up to 8 groups",
    )
    seed: int = Field(0, ge=0, description="which orders are drawn; of no effect up to 8 groups")

    def check(self, network: Network, context: Context) -> None:
        """Raise when groups do not fit the grid and mask or overlap, or the fill cannot be had."""
        from climxai.attribution.fills import check_fill

        cover = self._indices(network, context).cover
        cover.check_disjoint()
        check_fill(self.fill, tuple(cover.sizes), context)
        if len(cover) > MOST_GROUPS:
            raise ModelError(
                f"these are {len(cover)} groups, expected at most {MOST_GROUPS}: every order takes "
                "as many evaluations, and estimates grow noisy; choose larger boxes, or regions"
            )

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return each group's Shapley value, shared by its cells [sample, channel, lat, lon]."""
        from climxai.attribution.coalitions import shapley

        self.check(network, context)
        indices = self._indices(network, context)
        return shapley(
            network, x, start, self.fill, indices, context,
            orders=None if len(indices.cover) <= EXACT else self.permutations, seed=self.seed,
        )  # fmt: skip

    def _indices(self, network: Network, context: Context) -> Indices:
        from climxai.attribution.falls import indices_of

        return indices_of(self, network, context, self.groups.cover)
