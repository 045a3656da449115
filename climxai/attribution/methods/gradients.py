"""Methods that need one gradient: saliency, and input times gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class Saliency(Method):
    """Shows where a small change of the input would change the explained scalar most.

    The gradient of the scalar with respect to the input. Says nothing about what the cell
    contributed: it does not sum to the scalar (no completeness).

    Source: Simonyan et al. (2014), arXiv 1312.6034.
    """

    name: Literal["saliency"] = "saliency"
    absolute: bool = True
    """Take the gradient's absolute value; false keeps its sign."""

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: a sensitivity does not."""
        return False

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return not self.absolute

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the gradient [sample, channel, lat, lon] of the explained scalar."""
        from climxai.attribution.relevance import Relevance

        gradient, output, compared = input_gradient(network, x, start, context.reference)
        return Relevance(gradient.abs_() if self.absolute else gradient, output, compared)


class InputTimesGradient(Method):
    """Shows what each cell would contribute, were the network linear around the input.

    The gradient times the input. Sums to the explained scalar (completeness) for ReLU networks
    without bias, where it equals LRP-0; otherwise biases take a share.

    Source: Shrikumar et al. (2016), arXiv 1605.01713.
    """

    name: Literal["input_x_gradient"] = "input_x_gradient"

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return input times gradient [sample, channel, lat, lon]."""
        from climxai.attribution.relevance import Relevance

        gradient, output, compared = input_gradient(network, x, start, context.reference)
        return Relevance(gradient.mul_(x), output, compared)


def input_gradient(
    network: Network, x: Tensor, start: Tensor, reference: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the gradient [sample, ...], the explained scalar and its reference [sample]."""
    import torch

    from climxai.attribution.front import front_of
    from climxai.attribution.network import ordinary
    from climxai.attribution.scalar import check_start, explained

    network.check_input(x)
    if x.shape[0] == 0:
        empty = x.new_zeros((0,))
        return torch.zeros_like(x), empty, None if reference is None else empty.clone()
    with torch.inference_mode(False), torch.enable_grad():
        x, start = ordinary(x, start)
        front = front_of(network)
        if front is not None and front.weight is not None:
            # A dense layer on the whole map: two products, without what autograd does around them.
            with torch.no_grad():
                z = front(x)
                check_start(z.new_empty((len(x), *network.output_shape)), start)
                passed, outputs = front.tail_gradient(z, start)
                gradient = front.pull(passed)
        else:
            leaf = x.requires_grad_()
            outputs = network(leaf)
            check_start(outputs, start)
            (gradient,) = torch.autograd.grad(
                outputs, leaf, start, allow_unused=True, materialize_grads=True
            )
            # A sum's gradient is one value seen many times, which cannot be changed in place.
            gradient = gradient.contiguous()
    return gradient, *explained(outputs.detach(), start, reference)
