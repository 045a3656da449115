"""Occlusion: patches of the map are filled, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt

from climxai.attribution.baselines.maps import Zero
from climxai.attribution.fills import AnyFill
from climxai.attribution.groups.windows import Degrees
from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.groups.indices import Indices
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class Occlusion(Method):
    """Shows where hiding a patch of the map would change the explained scalar.

    A cell's relevance is the mean, over the patches that cover it, of how much the scalar falls
    when the patch is filled. Patches without valid cells are left out; the others change their
    valid cells only, and count alike however few these are, unless `min_valid` leaves them out. It
    does not sum to the scalar (no completeness).

    Source: Zeiler and Fergus (2014), ECCV, arXiv 1311.2901.
    """

    name: Literal["occlusion"] = "occlusion"
    patch: PositiveInt | tuple[PositiveInt, PositiveInt] | Degrees = 9
    """Extent of a patch: cells along both axes, [cells along lat, cells along lon], or degrees."""
    stride: PositiveInt | tuple[PositiveInt, PositiveInt] | Degrees = 5
    """Distance between neighbouring patches, at most their extent; the cost falls with its square.
    Patches start at the southern and western edge. On a grid that spans the whole circle they go on
    across the eastern one, and where its length is no multiple of the stride the last gap is
    narrower."""
    fill: AnyFill = Zero()
    """What stands in place of a patch."""
    channels: Literal["each", "together"] = "each"
    """Whether a patch hides one channel after the other, or all of them at once."""
    min_valid: float = Field(default=0, ge=0, le=1)
    """Smallest share of a patch's cells that must be valid; those with less are left out. Refused
    where a valid cell would then lie in no patch."""

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: patches overlap, so it does not."""
        return False

    def check(self, network: Network, context: Context) -> None:
        """Raise when patches do not fit the grid, or the fill cannot be had."""
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
        """Return the mean fall over the patches of every cell [sample, channel, lat, lon]."""
        from climxai.attribution.falls import mean_falls
        from climxai.attribution.relevance import Relevance

        indices = self._indices(network, context)
        falls, output, compared = mean_falls(network, x, start, self.fill, indices, context)
        return Relevance(indices.mean_over_groups(falls), output, compared)

    def _indices(self, network: Network, context: Context) -> Indices:
        from climxai.attribution.falls import indices_of
        from climxai.attribution.groups.windows import windows

        return indices_of(
            self,
            network,
            context,
            lambda valid, lat, lon: windows(
                valid, lat, lon, self.patch, self.stride, self.channels, self.min_valid
            ),
        )
