"""The convolutional network: blocks of convolutions on the sphere's grid, then dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator
from pydantic_core import PydanticCustomError

from climxai.models.architectures.activations import AnyActivation, Relu
from climxai.models.architectures.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn

Pooling = Literal["average", "max", "stride", "none"]
Longitude = Literal["circular", "zero", "replicate"]
Latitude = Literal["zero", "replicate"]


class Cnn(Architecture):
    """Blocks of convolution, batch norm, activation and pooling; then dense layers to the logits.

    A block's convolutions keep the grid; its pooling or stride makes it coarser. With residual
    links the block's input is added before its last activation, through a 1×1 convolution where
    the number of channels or the grid changes.
    """

    name: Literal["cnn"] = "cnn"
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (16, 32)
    """channels of each block, first to last"""
    kernel: PositiveInt = 3
    """cells per side of a convolution's window, an odd number"""
    convolutions: PositiveInt = 1
    """convolutions per block, each with its activation"""
    activation: AnyActivation = Relu()
    """what follows every convolution and hidden layer: a name, or a name with its settings"""
    batch_norm: bool = False
    """normalise each channel over the batch and the grid between convolution and activation"""
    residual: bool = False
    """add each block's input to what its last convolution gives"""
    pooling: Pooling = "average"
    """how each block makes the grid coarser: ``average`` or ``max`` at its end, over windows that
    do not overlap (cut off at the grid's edge); ``stride`` in its first convolution; or ``none``"""
    factor: Annotated[int, Field(ge=2)] | None = None
    """cells per side that pooling or stride makes one; 2 when not given"""
    longitude: Longitude = "circular"
    """what lies beyond the first and last longitude: the other end of a global grid
    (``circular``), ``zero``, or the cell at the edge again (``replicate``)"""
    latitude: Latitude = "zero"
    """what lies beyond the first and last latitude: ``zero`` or the cell at the edge again"""
    head: Literal["flatten", "average"] = "flatten"
    """what the dense layers see of the last block: every cell, or each channel's mean"""
    hidden: tuple[PositiveInt, ...] = ()
    """units of dense hidden layers between the blocks and the logits"""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """share set to 0 in every training step: of the blocks' result and of each hidden layer"""

    @field_validator("kernel")
    @classmethod
    def _odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise PydanticCustomError(
                "kernel",
                "a window of {kernel} cells has no centre; give an odd number",
                {"kernel": kernel},
            )
        return kernel

    @model_validator(mode="after")
    def _factor_is_used(self) -> Cnn:
        if self.pooling == "none" and self.factor is not None:
            raise PydanticCustomError(
                "factor", "factor has no use with `pooling: none`; remove one of them"
            )
        return self

    def build(self, shape: tuple[int, int, int], outputs: int) -> nn.Module:
        """Return the network. See `Architecture.build`.

        Raises
        ------
        ModelError
            When the grid becomes smaller than what pooling or circular padding needs.
        """
        from climxai.models.architectures.convolution import convolutional_network

        return convolutional_network(self, shape, outputs)
