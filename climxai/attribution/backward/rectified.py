"""Deconvolution and guided back-propagation: the gradient, rectified at every ReLU."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from climxai.attribution.backward.crossed import crossed
from climxai.attribution.backward.operations import anatomy, require, run
from climxai.attribution.network import Network, ordinary
from climxai.attribution.scalar import check_start
from climxai.core.errors import ModelError


def check_rectified(network: Network, method: str) -> None:
    """Raise `ModelError` unless ReLU, and nothing else but maxima, makes the network non-linear."""
    require(
        network,
        method,
        ("relu", "max"),
        "it changes the gradient of ReLU and says nothing of other non-linear operators. Choose "
        "saliency or integrated_gradients, or train a network with activation: relu",
    )
    if not any(each.kind == "relu" for each in anatomy(network).operations.values()):
        raise ModelError(
            f"{method} changes the gradient of ReLU, and the network has none: here it would be "
            "the plain gradient. Choose saliency"
        )


def rectified_gradient(
    network: Network, x: Tensor, start: Tensor, *, gated: bool
) -> tuple[Tensor, Tensor]:
    """Return the rectified gradient [sample, channel, lat, lon] and the outputs.

    Parameters
    ----------
    network
        The traced network.
    x
        Inputs [sample, channel, lat, lon].
    start
        Weights of the outputs [sample, *output_shape].
    gated
        Whether only units that were active let the gradient pass (guided back-propagation), or all
        do (deconvolution).
    """
    network.check_input(x)
    if x.shape[0] == 0:
        return torch.zeros_like(x), network(x)
    replaced = {
        node: partial(_relu, each.call.function(), gated)
        for node, each in anatomy(network).operations.items()
        if each.kind == "relu"
    }
    with torch.inference_mode(False), torch.enable_grad():
        x, start = ordinary(x, start)
        leaf = x.requires_grad_()
        outputs = run(network, leaf, replaced)
        check_start(outputs, start)
        (gradient,) = torch.autograd.grad(
            (outputs * start).sum(), leaf, allow_unused=True, materialize_grads=True
        )
    return gradient, outputs.detach()


def _relu(function: Callable[..., Tensor], gated: bool, z: Tensor) -> Tensor:
    def back(arrived: tuple[Tensor, ...], inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        passed = arrived[0].clamp(min=0)
        return (passed * (inputs[0] > 0) if gated else passed,)

    result: Tensor = crossed(function, back, z)
    return result
