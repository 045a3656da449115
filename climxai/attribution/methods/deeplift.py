"""DeepLIFT: contributions to the difference from a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from climxai.attribution.baselines import AnyBaseline
from climxai.attribution.baselines.maps import Zero
from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class DeepLift(Method):
    """Shows what made the scalar differ from its value at a baseline, traced layer by layer.

    Every unit's difference from its value at the baseline is shared out over what made it, by the
    mean slope between the two in place of the derivative. Complete: relevance sums to the scalar
    minus the scalar at the baseline. Of several baselines the contributions are averaged. Sums,
    concatenations and pooling by means keep their gradient; a maximum gives its rise to the cell
    that wins at the sample and its fall to the one that wins at the baseline.

    Source: Shrikumar et al. (2017), arXiv 1704.02685.
    """

    name: Literal["deeplift"] = "deeplift"
    variant: Literal["rescale", "reveal_cancel"] = "rescale"
    """rescale: one slope per unit; reveal_cancel: what raises a unit and what lowers it keep
    slopes of their own, so that contributions that cancel each other are still seen."""
    baseline: AnyBaseline = Zero()
    """The map a sample is compared with; `sample` averages over several."""

    def check(self, network: Network, context: Context) -> None:
        """Raise when an operator of the network is unknown, or the baseline cannot be had."""
        self._check_operators(network)
        self.baseline.check(context)

    def _check_operators(self, network: Network) -> None:
        from climxai.attribution.backward.operations import require

        require(
            network,
            "DeepLIFT",
            ("relu", "activation", "max"),
            "contributions cross linear operators, activations of one value and maxima. Write the "
            "network without it (a softmax at the end is left out by tracing with softmax: peel), "
            "or choose integrated_gradients, which suits any network",
        )

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return contributions [sample, channel, lat, lon] to the difference from the baseline."""
        import torch

        from climxai.attribution.backward.rescale import rescaled
        from climxai.attribution.backward.reveal_cancel import revealed
        from climxai.attribution.relevance import Relevance

        network.check_input(x)
        self._check_operators(network)
        if x.shape[0] == 0:
            empty = x.new_zeros((0,))
            return Relevance(torch.zeros_like(x), empty, empty.clone())
        explain = rescaled if self.variant == "rescale" else revealed
        maps = self.baseline.maps(x, context)
        total, compared = torch.zeros_like(x), x.new_zeros(len(x))
        for each in maps:
            values, outputs, at_baseline = explain(network, x, each[None], start)
            total += values
            compared += (at_baseline * start).flatten(1).sum(1)
        compared /= len(maps)
        scalar = (outputs * start).flatten(1).sum(1)
        return Relevance(total.div_(len(maps)), scalar - compared, compared)
