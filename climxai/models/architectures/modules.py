"""The torch modules that architectures are made of. Imported only when a network is built."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

from climxai.models.architectures.activations import Activation


class LargestPiece(nn.Module):
    """Maxout's maximum: [sample, unit·pieces, …] to [sample, unit, …].

    Parameters
    ----------
    pieces
        Neighbours along dimension 1 of which the largest is kept.
    """

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, z: Tensor) -> Tensor:
        """Return the largest piece of every unit."""
        units = z.shape[1] // self.pieces
        return z.reshape(z.shape[0], units, self.pieces, *z.shape[2:]).amax(2)


def dense_layers(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: Activation | None = None,
    dropout: float = 0.0,
) -> list[nn.Module]:
    """Return hidden dense layers, each with its activation and dropout, and the layer of logits.

    Parameters
    ----------
    inputs, hidden, outputs
        Numbers of inputs, of units per hidden layer, of logits.
    activation
        What follows each hidden layer; may be None only when there is none.
    dropout
        Share of units dropped after each activation; 0 adds no dropout module.
    """
    layers: list[nn.Module] = []
    for units in hidden:
        if activation is None:
            raise TypeError("hidden layers need an activation")
        layers.append(_dense(inputs, units, activation.pieces_per_unit()))
        layers.append(activation.build())
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
        inputs = units
    layers.append(nn.Linear(inputs, outputs))
    return layers


def dense_network(
    shape: tuple[int, int, int],
    hidden: Sequence[int],
    outputs: int,
    activation: Activation | None = None,
    dropout: float = 0.0,
) -> nn.Sequential:
    """Return a network that flattens [sample, channel, lat, lon] and applies `dense_layers`."""
    layers = dense_layers(prod(shape), hidden, outputs, activation, dropout)
    return nn.Sequential(nn.Flatten(), *layers)


def _dense(inputs: int, units: int, pieces: int) -> nn.Linear:
    layer = nn.Linear(inputs, units * pieces)
    layer.pieces = pieces  # type: ignore[assignment]  # read when weights are drawn
    return layer
