"""The weights that see the input: those of the first dense or convolutional layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.core.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

    from climxai.models.architectures import Architecture


@dataclass(frozen=True)
class FirstLayer:
    """Weights of a first layer.

    Parameters
    ----------
    name
        The layer's name in the network; its weights are called ``<name>.weight``.
    weights
        [unit, channel, lat, lon] of a dense layer, [unit, channel, row, column] of a convolution.
    dense
        Whether it is a dense layer on the whole map.
    pieces
        Maxout's linear pieces per unit, side by side along the first dimension; 1 without maxout.
    """

    name: str
    weights: npt.NDArray[np.float32]
    dense: bool
    pieces: int


def first_layer(
    network: nn.Module, architecture: Architecture, shape: tuple[int, int, int]
) -> FirstLayer:
    """Return the first weighted layer of a network on maps of ``shape`` (channel, lat, lon).

    Raises
    ------
    ModelError
        When the first layer neither sees the whole map nor is a convolution on it.
    """
    from climxai.models.network import weighted_layers

    layers = weighted_layers(network)
    name, weight = layers[0]
    values = weight.detach().cpu().numpy().astype(np.float32)
    # The layer of logits has no activation after it.
    activation = getattr(architecture, "activation", None) if len(layers) > 1 else None
    pieces = 1 if activation is None else int(activation.pieces_per_unit())
    if values.ndim == 2 and values.shape[1] == prod(shape):
        return FirstLayer(name, values.reshape(-1, *shape), dense=True, pieces=pieces)
    if values.ndim == 4:
        return FirstLayer(name, values, dense=False, pieces=pieces)
    raise ModelError(
        f"the first layer, {name}, has weights of shape {values.shape}; only a dense layer on the "
        f"whole map {shape} and a convolution along latitude and longitude can be drawn"
    )
