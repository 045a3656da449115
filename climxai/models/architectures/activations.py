"""Activations: what follows a hidden layer, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveFloat

from climxai.core.record import OneOf, Record

if TYPE_CHECKING:
    from torch import nn


class Activation(Record):
    """An element-wise function, or one that merges several linear pieces per unit."""

    def pieces_per_unit(self) -> int:
        """Return how many linear outputs the layer before must give per unit."""
        return 1

    def build(self) -> nn.Module:
        """Return the module: [sample, unit·pieces, …] to [sample, unit, …], dimension 1 merged."""
        raise NotImplementedError


class Relu(Activation):
    """max(0, z)."""

    name: Literal["relu"] = "relu"

    def build(self) -> nn.Module:
        """Return the module."""
        from torch import nn

        return nn.ReLU()


class LeakyRelu(Activation):
    """Gives z where z > 0, else slope · z."""

    name: Literal["leaky_relu"] = "leaky_relu"
    slope: Annotated[float, Field(gt=0, lt=1)] = 0.01
    """slope for negative z"""

    def build(self) -> nn.Module:
        """Return the module."""
        from torch import nn

        return nn.LeakyReLU(self.slope)


class Elu(Activation):
    """Gives z where z > 0, else alpha · (exp(z) − 1)."""

    name: Literal["elu"] = "elu"
    alpha: PositiveFloat = 1.0
    """depth of the negative side"""

    def build(self) -> nn.Module:
        """Return the module."""
        from torch import nn

        return nn.ELU(self.alpha)


class Tanh(Activation):
    """Hyperbolic tangent."""

    name: Literal["tanh"] = "tanh"

    def build(self) -> nn.Module:
        """Return the module."""
        from torch import nn

        return nn.Tanh()


class Sigmoid(Activation):
    """Gives 1 / (1 + exp(−z)); its outputs are never negative, never zero."""

    name: Literal["sigmoid"] = "sigmoid"

    def build(self) -> nn.Module:
        """Return the module."""
        from torch import nn

        return nn.Sigmoid()


class Maxout(Activation):
    """The largest of several linear pieces per unit (Goodfellow et al. 2013).

    The layer before it has ``pieces`` times as many weights; its pieces of one unit lie side by
    side.
    """

    name: Literal["maxout"] = "maxout"
    pieces: Annotated[int, Field(ge=2)] = 2
    """linear pieces per unit"""

    def pieces_per_unit(self) -> int:
        """Return how many linear outputs the layer before must give per unit."""
        return self.pieces

    def build(self) -> nn.Module:
        """Return the module."""
        from climxai.models.architectures.modules import LargestPiece

        return LargestPiece(self.pieces)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": Relu,
    "leaky_relu": LeakyRelu,
    "elu": Elu,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "maxout": Maxout,
}

AnyActivation = Annotated[Activation, OneOf(ACTIVATIONS, "activation")]
"""An activation by name (``tanh``) or with its settings (``{name: elu, alpha: 0.5}``)."""
