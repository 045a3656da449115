"""Architectures: the records a configuration's ``network`` section picks from."""

from __future__ import annotations

from climxai.models.architectures.architecture import Architecture
from climxai.models.architectures.cnn import Cnn
from climxai.models.architectures.linear import Linear
from climxai.models.architectures.mlp import Mlp

ARCHITECTURES: dict[str, type[Architecture]] = {
    "linear": Linear,
    "mlp": Mlp,
    "cnn": Cnn,
}

__all__ = ["ARCHITECTURES", "Architecture", "Cnn", "Linear", "Mlp"]
