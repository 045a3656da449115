"""Permutation importance: groups of cells take the values of another training sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, PositiveInt

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

MOST_PASSES: Final = 100
"""Groups that several passes may rank: the number of evaluations grows with their square."""


class PermutationImportance(Method):
    """Shows which region the explained scalar relies on, were its values those of another time.

    The fall of the scalar when a group takes its values from another training sample, averaged
    over repeats, and divided evenly among the group's valid cells. A single pass does not sum to
    the scalar (no completeness); several passes sum to its fall with all groups replaced.
    `climxai importance` tells by how much loss and accuracy change, over all samples.

    Source: Breiman (2001), Machine Learning 45; Lakshmanan et al. (2015), JTECH 32 (several
    passes); McGovern et al. (2019), BAMS 100.
    """

    name: Literal["permutation_importance"] = "permutation_importance"
    groups: AnyGrouping = Boxes()
    """Which cells take other values together."""
    repeats: PositiveInt = 10
    """From how many training samples, one after the other; results are averaged."""
    passes: Literal["single", "multi"] = "single"
    """Every group by itself; or again and again, the group that matters most staying changed, which
    tells groups apart that hold the same information."""
    direction: Literal["backward", "forward"] = "backward"
    """From the intact sample, replacing groups; or from a sample in which all groups are replaced,
    putting them back."""
    pool: PositiveInt = 200
    """How many training samples are held to take values from."""
    seed: int = Field(0, ge=0, description="which values are taken")

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: several passes do."""
        return self.passes == "multi"

    def check(self, network: Network, context: Context) -> None:
        """Raise when groups do not fit the grid and mask, or there are no training samples."""
        from climxai.attribution.donors import check_donors

        check_donors(context)
        cover = self.indices(network, context).cover
        if self.passes == "multi" or self.direction == "forward":
            cover.check_disjoint()
        if self.passes == "multi" and len(cover) > MOST_PASSES:
            raise ModelError(
                f"passes: multi ranks groups by {len(cover)}² / 2 evaluations per sample and "
                f"repeat, expected at most {MOST_PASSES} groups: choose larger boxes, regions, or "
                "passes: single"
            )

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return each group's mean fall, shared by its cells [sample, channel, lat, lon]."""
        from climxai.attribution.exchange import exchanged

        self.check(network, context)
        indices = self.indices(network, context)
        return exchanged(self, network, x, start, indices, context)

    def indices(self, network: Network, context: Context) -> Indices:
        """Return the groups on the grid and mask of a context."""
        from climxai.attribution.falls import indices_of

        return indices_of(self, network, context, self.groups.cover)
