"""The torch modules of convolutional networks on longitude-latitude grids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from climxai.core.errors import ModelError
from climxai.models.architectures.activations import Activation
from climxai.models.architectures.modules import dense_layers

if TYPE_CHECKING:
    from climxai.models.architectures.cnn import Cnn, Latitude, Longitude


class EdgePadding(nn.Module):
    """Rows and columns beyond the grid's edge, except those of zeros along both directions.

    Written as slices laid side by side, so that the exported graph holds only slices,
    concatenations and constant padding.

    Parameters
    ----------
    width
        Cells added on each side.
    longitude, latitude
        What is added along the last dimension and the one before it.
    """

    def __init__(self, width: int, longitude: Longitude, latitude: Latitude) -> None:
        super().__init__()
        self.width = width
        self.longitude: Longitude = longitude
        self.latitude: Latitude = latitude

    def forward(self, x: Tensor) -> Tensor:
        """Return [sample, channel, lat + 2·width, lon + 2·width], zeros along one side left out.

        Where a direction is padded with zeros, it keeps its length: the convolution adds them.
        """
        width = self.width
        if self.longitude == "circular":
            x = torch.cat([x[..., -width:], x, x[..., :width]], dim=3)
        elif self.longitude == "replicate":
            x = torch.cat([x[..., :1]] * width + [x] + [x[..., -1:]] * width, dim=3)
        if self.latitude == "replicate":
            x = torch.cat([x[:, :, :1]] * width + [x] + [x[:, :, -1:]] * width, dim=2)
        return x

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        return f"{self.width}, longitude={self.longitude}, latitude={self.latitude}"


class Block(nn.Module):
    """Convolutions, each with optional batch norm and its activation; a link; pooling.

    Parameters
    ----------
    settings
        The architecture's record.
    inputs, channels
        Channels of the block's input and result.
    """

    def __init__(self, settings: Cnn, inputs: int, channels: int) -> None:
        super().__init__()
        factor = settings.factor or 2
        stride = factor if settings.pooling == "stride" else 1
        activation = settings.activation
        wide = channels * activation.pieces_per_unit()
        layers: list[nn.Module] = []
        before = inputs
        for number in range(settings.convolutions):
            if number > 0:
                layers.append(activation.build())
            layers += _convolution(settings, before, channels, stride if number == 0 else 1)
            if settings.batch_norm:
                layers.append(nn.BatchNorm2d(wide))
            before = channels
        self.layers = nn.Sequential(*layers)
        self.link = _link(inputs, channels, activation, stride) if settings.residual else None
        self.activation = activation.build()
        self.pooling: nn.Module | None = None
        if settings.pooling == "average":
            self.pooling = nn.AvgPool2d(factor, ceil_mode=True)
        elif settings.pooling == "max":
            self.pooling = nn.MaxPool2d(factor, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return [sample, channels, lat', lon'] of x[sample, inputs, lat, lon]."""
        z: Tensor = self.layers(x)
        if self.link is not None:
            z = z + self.link(x)
        z = self.activation(z)
        return z if self.pooling is None else self.pooling(z)


class GridMean(nn.Module):
    """Each channel's plain mean over the grid: [sample, channel, lat, lon] to [sample, channel]."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        return x.mean((2, 3))


def convolutional_network(
    settings: Cnn, shape: tuple[int, int, int], outputs: int
) -> nn.Sequential:
    """Return the blocks, the head and the dense layers of a `Cnn`; see `Architecture.build`.

    Raises
    ------
    ModelError
        When the grid becomes smaller than what pooling or circular padding needs.
    """
    inputs, lat, lon = shape
    layers: list[nn.Module] = []
    for number, channels in enumerate(settings.channels, start=1):
        lat_after, lon_after = _coarser(settings, number, lat, lon)
        layers.append(Block(settings, inputs, channels))
        inputs, lat, lon = channels, lat_after, lon_after
    if settings.head == "average":
        layers.append(GridMean())
        width = inputs
    else:
        layers.append(nn.Flatten())
        width = inputs * lat * lon
    if settings.dropout > 0:
        layers.append(nn.Dropout(settings.dropout))
    layers += dense_layers(width, settings.hidden, outputs, settings.activation, settings.dropout)
    return nn.Sequential(*layers)


def _coarser(settings: Cnn, number: int, lat: int, lon: int) -> tuple[int, int]:
    """Return the grid after block ``number``; check that the block can work on the one before."""
    factor = settings.factor or 2
    where = f"network cnn, block {number}: its grid is {lat} x {lon} (lat x lon)"
    after = (lat, lon)
    if settings.pooling != "none":
        if lat < factor and lon < factor:
            raise ModelError(
                f"{where}, smaller than the {factor} x {factor} cells that "
                f"`pooling: {settings.pooling}` makes one; use fewer blocks or a smaller factor"
            )
        after = (-(-lat // factor), -(-lon // factor))
    narrowest = after[1] if settings.pooling == "stride" and settings.convolutions > 1 else lon
    if settings.longitude == "circular" and settings.kernel // 2 > narrowest:
        raise ModelError(
            f"{where}, too narrow for a circular window of {settings.kernel} cells; use fewer "
            "blocks or a smaller kernel"
        )
    return after


def _convolution(settings: Cnn, inputs: int, channels: int, stride: int) -> list[nn.Module]:
    """Return padding, where the convolution cannot do it itself, and the convolution."""
    width = settings.kernel // 2
    layers: list[nn.Module] = []
    zeros = (
        width if settings.latitude == "zero" else 0,
        width if settings.longitude == "zero" else 0,
    )
    if width > 0 and zeros != (width, width):
        layers.append(EdgePadding(width, settings.longitude, settings.latitude))
    pieces = settings.activation.pieces_per_unit()
    layer = nn.Conv2d(
        inputs,
        channels * pieces,
        settings.kernel,
        stride=stride,
        padding=zeros,
        # Batch norm subtracts the mean: a bias before it would do nothing.
        bias=not settings.batch_norm,
    )
    layer.pieces = pieces  # type: ignore[assignment]  # read when weights are drawn
    return [*layers, layer]


def _link(inputs: int, channels: int, activation: Activation, stride: int) -> nn.Module:
    """Return how a block's input gets to the sum: as it is, or through a 1×1 convolution."""
    pieces = activation.pieces_per_unit()
    if inputs == channels * pieces and stride == 1:
        return nn.Identity()
    layer = nn.Conv2d(inputs, channels * pieces, 1, stride=stride, bias=False)
    layer.pieces = pieces  # type: ignore[assignment]  # read when weights are drawn
    return layer
