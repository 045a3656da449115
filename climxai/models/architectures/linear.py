"""The linear network: every cell has one weight per class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from climxai.models.architectures.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn


class Linear(Architecture):
    """Logits are weighted sums of all cells: multinomial logistic regression, one layer."""

    name: Literal["linear"] = "linear"

    def build(self, shape: tuple[int, int, int], outputs: int) -> nn.Module:
        """Return the network: flatten, one dense layer. See `Architecture.build`."""
        from climxai.models.architectures.modules import dense_network

        return dense_network(shape, hidden=(), outputs=outputs)
