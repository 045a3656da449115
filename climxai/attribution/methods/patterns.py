"""PatternNet and PatternAttribution: the signal in the input, as the training samples show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class PatternMethod(Method):
    """What PatternNet and PatternAttribution have in common."""

    weighted: ClassVar[bool]
    """Whether patterns are multiplied with the weights."""
    title: ClassVar[str]
    """What messages call it."""

    def check(self, network: Network, context: Context) -> None:
        """Raise `ModelError` when the network does not suit, or there are no training samples."""
        from climxai.attribution.backward.patterns import check_patterns

        check_patterns(network, self.title, context)

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the outputs' signal or attribution [sample, channel, lat, lon]."""
        import torch

        from climxai.attribution.backward.patterns import fitted_patterns
        from climxai.attribution.backward.signals import traced_back
        from climxai.attribution.relevance import Relevance
        from climxai.attribution.scalar import explained

        network.check_input(x)
        self.check(network, context)
        if x.shape[0] == 0:
            outputs = network(x)
            return Relevance(torch.zeros_like(x), *explained(outputs, start, context.reference))
        patterns = fitted_patterns(network, context)
        values, outputs = traced_back(
            network, patterns, x, start, context.reference, weighted=self.weighted
        )
        return Relevance(values, *explained(outputs, start, context.reference))


class PatternNet(PatternMethod):
    """Shows the signal in the input that the scalar was read from, in the input's units.

    The outputs are projected back by patterns in place of weights: how a unit's inputs vary with it
    over the training samples on which it is active (the two-component estimator; the linear one
    where no ReLU follows). Pooling and sums keep their gradient. Distractors, which weights cancel,
    do not show. Conserves nothing: it is a signal, not a share.

    Source: Kindermans et al. (2018), arXiv 1705.05598.
    """

    name: Literal["pattern_net"] = "pattern_net"
    weighted: ClassVar[bool] = False
    title: ClassVar[str] = "PatternNet"

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: a signal does not."""
        return False


class PatternAttribution(PatternMethod):
    """Shows how much the signal in each cell contributed to the scalar, distractors left out.

    The outputs are shared out layer by layer by weights times patterns. Sums to the scalar for
    linear networks; at every ReLU what reaches units that are not active is lost, and at a sum of
    two branches each gets all.

    Source: Kindermans et al. (2018), arXiv 1705.05598.
    """

    name: Literal["pattern_attribution"] = "pattern_attribution"
    weighted: ClassVar[bool] = True
    title: ClassVar[str] = "PatternAttribution"
