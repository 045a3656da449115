"""The multi-layer perceptron: dense hidden layers on the flattened map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt

from climxai.models.architectures.activations import AnyActivation, Relu
from climxai.models.architectures.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn


class Mlp(Architecture):
    """All cells feed a chain of dense hidden layers, the last one feeds the logits."""

    name: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (8, 8)
    """units of each hidden layer, first to last"""
    activation: AnyActivation = Relu()
    """what follows every hidden layer: a name, or a name with its settings"""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """share of each hidden layer's units set to 0 in every training step"""

    def build(self, shape: tuple[int, int, int], outputs: int) -> nn.Module:
        """Return the network: flatten, hidden layers, logits. See `Architecture.build`."""
        from climxai.models.architectures.modules import dense_network

        return dense_network(shape, self.hidden, outputs, self.activation, self.dropout)
