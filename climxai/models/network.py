"""Networks: built from a seed, counted, their weighted layers listed, their logits taken."""

from __future__ import annotations

from math import sqrt

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from climxai.core.errors import ModelError
from climxai.models.architectures import Architecture
from climxai.models.architectures.architecture import Initial
from climxai.models.randomness import generator, own_randomness

LOGITS_BATCH = 256


def build_network(
    architecture: Architecture, shape: tuple[int, int, int], outputs: int, seed: int
) -> nn.Module:
    """Return the network with the weights that ``seed`` gives, in evaluation mode, float32.

    The global random state is neither used nor changed.

    Parameters
    ----------
    architecture
        The network's shape and how its weights start.
    shape
        Numbers of (channels, latitudes, longitudes).
    outputs
        Number of classes, at least 2.
    seed
        The same seed gives the same bits.

    Raises
    ------
    ModelError
        When there are fewer than two classes, or the architecture does not fit the shape.
    """
    _check_sizes(shape, outputs)
    with own_randomness() as reseed:
        reseed(seed, "modules")
        network = architecture.build(shape, outputs)
    _draw_weights(network, architecture.initial, generator(seed, "weights"))
    return network.eval()


def count_parameters(architecture: Architecture, shape: tuple[int, int, int], outputs: int) -> int:
    """Return the number of trainable parameters; no memory is taken for them."""
    _check_sizes(shape, outputs)
    with torch.device("meta"):
        network = architecture.build(shape, outputs)
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def weighted_layers(network: nn.Module) -> list[tuple[str, Tensor]]:
    """Return name and weight of every dense and convolutional layer, in order of definition.

    This is the order in which ``l1`` and ``l2`` count layers. A maxout layer is one layer; biases
    and batch norm do not count.
    """
    return [
        (name, layer.weight)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear | _ConvNd)
    ]


def logits(network: nn.Module, inputs: Tensor, batch_size: int = LOGITS_BATCH) -> np.ndarray:
    """Return the logits [sample, output] of ``inputs`` [sample, channel, lat, lon].

    The network is run in evaluation mode, without gradients, in batches; its mode is put back.
    """
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            parts = [network(part).cpu() for part in torch.split(inputs, batch_size)]
    finally:
        network.train(training)
    return np.asarray(torch.cat(parts).numpy())


def _check_sizes(shape: tuple[int, int, int], outputs: int) -> None:
    if outputs < 2:
        raise ModelError(
            f"network: {outputs} class(es) to tell apart, at least 2 are needed; "
            "check the label section"
        )
    if len(shape) != 3 or min(shape) < 1:
        raise ModelError(
            f"network: inputs of shape {shape}, expected at least one channel, latitude, longitude"
        )


def _draw_weights(network: nn.Module, initial: Initial, random: torch.Generator) -> None:
    """Fill the weights of dense and convolutional layers; other modules keep their own start."""
    for layer in network.modules():
        if not isinstance(layer, nn.Linear | _ConvNd):
            continue
        out, into, *kernel = layer.weight.shape
        if isinstance(layer, _ConvNd) and layer.transposed:
            out, into = into, out
        cells = int(np.prod(kernel, dtype=np.int64)) if kernel else 1
        fan_in = into * cells
        # A unit of a maxout layer is as wide as one of its pieces.
        fan_out = out // getattr(layer, "pieces", 1) * cells
        if initial == "glorot_uniform":
            bound = sqrt(6 / (fan_in + fan_out))
        elif initial == "he_uniform":
            bound = sqrt(6 / fan_in)
        else:
            bound = 1 / sqrt(fan_in)
        with torch.no_grad():
            layer.weight.uniform_(-bound, bound, generator=random)
            if layer.bias is not None:
                if initial == "torch":
                    layer.bias.uniform_(-bound, bound, generator=random)
                else:
                    layer.bias.zero_()
