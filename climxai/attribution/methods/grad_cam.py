"""Class activation maps of convolutional networks: Grad-CAM, Grad-CAM++, guided Grad-CAM."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.backward.cam import Weighing
    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class ActivationMap(Method):
    """What the class activation maps have in common."""

    layer: str | None = None
    """Dotted name of the layer whose feature maps are used, as the network's modules are named; by
    default the last convolution, with the batch norm and activation that follow it."""

    title: ClassVar[str]
    """What messages call it."""

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: an activation map does not."""
        return False

    def check(self, network: Network, context: Context) -> None:
        """Raise `ModelError` when the network has no convolution or no such layer."""
        from climxai.attribution.backward.cam import chosen_layer

        del context
        chosen_layer(network, self.layer, self.title)

    def _map(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
        weigh: Weighing,
        *,
        positive: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Return the map [sample, 1, lat, lon], where positive or everywhere, and the outputs."""
        from climxai.attribution.backward.cam import chosen_layer, maps_and_gradients, on_the_grid

        network.check_input(x)
        layer = chosen_layer(network, self.layer, self.title)
        if x.shape[0] == 0:
            return x[:, :1].clone(), network(x)
        maps, gradient, outputs = maps_and_gradients(network, layer, x, start)
        coarse = weigh(maps, gradient)
        if positive:
            coarse = coarse.clamp(min=0)
        return on_the_grid(coarse, network.shape, context.grid)[:, None], outputs


class GradCam(ActivationMap):
    """Shows around which cells the last convolution saw what speaks for the scalar.

    The layer's feature maps, weighted by the means of their gradients, summed, where positive; then
    interpolated bilinearly to the input's grid, the layer's cells tiling it from edge to edge. The
    map is coarse, the same for every channel, and 0 on invalid cells. Conserves nothing.

    Source: Selvaraju et al. (2017), arXiv 1610.02391.
    """

    name: Literal["grad_cam"] = "grad_cam"
    positive: bool = True
    """Keep what speaks for the scalar only, as published; false also shows what speaks against."""
    title: ClassVar[str] = "Grad-CAM"

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return not self.positive

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the map [sample, channel, lat, lon], alike for all channels."""
        from climxai.attribution.backward.cam import weighted_by_mean

        found, outputs = self._map(
            network, x, start, context, weighted_by_mean, positive=self.positive
        )
        return _spread(found, outputs, x, start, context)


class GradCamPlusPlus(ActivationMap):
    """Shows where the last convolution saw what speaks for the scalar, in several places alike.

    As Grad-CAM, but places count by their curvature, so that of several patterns of one kind the
    weaker ones do not drown. Coarse, alike for every channel, 0 on invalid cells, never negative
    after a ReLU. Conserves nothing.

    Source: Chattopadhay et al. (2018), arXiv 1710.11063.
    """

    name: Literal["grad_cam_plus_plus"] = "grad_cam_plus_plus"
    title: ClassVar[str] = "Grad-CAM++"

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative: it cannot."""
        return False

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the map [sample, channel, lat, lon], alike for all channels."""
        from climxai.attribution.backward.cam import weighted_by_curvature

        found, outputs = self._map(network, x, start, context, weighted_by_curvature)
        return _spread(found, outputs, x, start, context)


class GuidedGradCam(ActivationMap):
    """Shows which details excite the scalar, where Grad-CAM says that it looks.

    Guided back-propagation times the map of Grad-CAM, channel by channel. Conserves nothing, and
    shares guided back-propagation's liking for the input's own edges.

    Source: Selvaraju et al. (2017), arXiv 1610.02391.
    """

    name: Literal["guided_grad_cam"] = "guided_grad_cam"
    title: ClassVar[str] = "guided Grad-CAM"

    def check(self, network: Network, context: Context) -> None:
        """Raise `ModelError` when either of the two methods does not suit the network."""
        from climxai.attribution.backward.rectified import check_rectified

        super().check(network, context)
        check_rectified(network, self.title)

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the product [sample, channel, lat, lon]."""
        from climxai.attribution.backward.cam import weighted_by_mean
        from climxai.attribution.backward.rectified import check_rectified, rectified_gradient
        from climxai.attribution.relevance import Relevance
        from climxai.attribution.scalar import explained

        check_rectified(network, self.title)
        found, outputs = self._map(network, x, start, context, weighted_by_mean)
        gradient, _ = rectified_gradient(network, x, start, gated=True)
        return Relevance(gradient * found, *explained(outputs, start, context.reference))


def _spread(
    found: Tensor, outputs: Tensor, x: Tensor, start: Tensor, context: Context
) -> Relevance:
    from climxai.attribution.relevance import Relevance
    from climxai.attribution.scalar import explained

    values = found.expand_as(x) * context.valid.to(x)
    return Relevance(values, *explained(outputs, start, context.reference))
