"""Methods that rectify the gradient at every ReLU: deconvolution, guided back-propagation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class Rectified(Method):
    """What deconvolution and guided back-propagation have in common."""

    gated: ClassVar[bool]
    """Whether only units that were active let the gradient pass."""
    title: ClassVar[str]
    """What messages call it."""

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: a rectified gradient does not."""
        return False

    def check(self, network: Network, context: Context) -> None:
        """Raise `ModelError` when the network has no ReLU, or other non-linear operators."""
        from climxai.attribution.backward.rectified import check_rectified

        del context
        check_rectified(network, self.title)

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the rectified gradient [sample, channel, lat, lon] of the explained scalar."""
        from climxai.attribution.backward.rectified import rectified_gradient
        from climxai.attribution.relevance import Relevance
        from climxai.attribution.scalar import explained

        self.check(network, context)
        gradient, outputs = rectified_gradient(network, x, start, gated=self.gated)
        return Relevance(gradient, *explained(outputs, start, context.reference))


class Deconvolution(Rectified):
    """Shows which pattern of the input would excite the scalar, whichever units were active.

    The gradient with ReLU applied to it, in place of its derivative, at every ReLU; all other
    operators keep their gradient. Depends on the input only through max pooling. Conserves
    nothing, and says little of what this sample's cells contributed.

    Source: Zeiler and Fergus (2014), arXiv 1311.2901; Springenberg et al. (2015), arXiv 1412.6806.
    """

    name: Literal["deconvolution"] = "deconvolution"
    gated: ClassVar[bool] = False
    title: ClassVar[str] = "deconvolution"


class GuidedBackprop(Rectified):
    """Shows what in the input excites the scalar, through units that were active and helped it.

    The gradient, at every ReLU passed on only where the unit was active and the gradient is
    positive; all other operators keep their gradient. Conserves nothing; tends to show the input's
    own edges, almost whatever the weights (Adebayo et al. 2018, arXiv 1810.03292).

    Source: Springenberg et al. (2015), arXiv 1412.6806.
    """

    name: Literal["guided_backprop"] = "guided_backprop"
    gated: ClassVar[bool] = True
    title: ClassVar[str] = "guided back-propagation"
