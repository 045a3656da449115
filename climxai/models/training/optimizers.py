"""Optimizers: how a gradient becomes a step, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.record import OneOf, Record

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer as TorchOptimizer

Fraction = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(Record):
    """A rule that turns gradients into steps."""

    learning_rate: PositiveFloat = 1e-3
    """size of a step at the start; the schedule multiplies it"""

    def build(self, network: nn.Module) -> TorchOptimizer:
        """Return the optimizer of all trainable parameters of ``network``."""
        raise NotImplementedError


class Sgd(Optimizer):
    """Stochastic gradient descent: v ← μv + g, then w ← w − η·v, or w − η·(g + μv) with Nesterov.

    While the learning rate stays, the same as Keras' SGD, whose velocity is −η·v.
    """

    name: Literal["sgd"] = "sgd"
    momentum: Fraction = 0.0
    """μ, what is kept of the last step"""
    nesterov: bool = False
    """look ahead by one momentum step; needs momentum"""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Sgd:
        if self.nesterov and self.momentum == 0:
            raise PydanticCustomError("nesterov", "nesterov needs a momentum above 0, as 0.9")
        return self

    def build(self, network: nn.Module) -> TorchOptimizer:
        """Return the optimizer of all trainable parameters of ``network``."""
        import torch

        return torch.optim.SGD(
            [p for p in network.parameters() if p.requires_grad],
            lr=self.learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
        )


class Adam(Optimizer):
    """Steps scaled by running moments of the gradient (Kingma & Ba 2015)."""

    name: Literal["adam"] = "adam"
    beta1: Fraction = 0.9
    """memory of the mean gradient"""
    beta2: Fraction = 0.999
    """memory of the mean squared gradient"""

    def build(self, network: nn.Module) -> TorchOptimizer:
        """Return the optimizer of all trainable parameters of ``network``."""
        import torch

        return torch.optim.Adam(
            [p for p in network.parameters() if p.requires_grad],
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
        )


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019).

    Every step first shrinks the weights of dense and convolutional layers by the factor
    1 − η·weight_decay; biases and batch norm do not decay.
    """

    name: Literal["adamw"] = "adamw"
    beta1: Fraction = 0.9
    """memory of the mean gradient"""
    beta2: Fraction = 0.999
    """memory of the mean squared gradient"""
    weight_decay: NonNegativeFloat = 0.01
    """share of a weight lost per unit of learning rate and step"""

    def build(self, network: nn.Module) -> TorchOptimizer:
        """Return the optimizer of all trainable parameters of ``network``."""
        import torch

        from climxai.models.network import weighted_layers

        decaying = {id(weight) for _, weight in weighted_layers(network)}
        trained = [p for p in network.parameters() if p.requires_grad]
        groups = [
            {
                "params": [p for p in trained if id(p) in decaying],
                "weight_decay": self.weight_decay,
            },
            {"params": [p for p in trained if id(p) not in decaying], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=self.learning_rate,
            betas=(self.beta1, self.beta2),
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": Sgd,
    "adam": Adam,
    "adamw": AdamW,
}

AnyOptimizer = Annotated[Optimizer, OneOf(OPTIMIZERS, "optimizer")]
"""An optimizer by name (``adam``) or with its settings."""
