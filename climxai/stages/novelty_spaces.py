"""Where samples are compared for novelty: their inputs, or a layer of every seed's network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from climxai.bridge.bundle import Bundle
from climxai.core.errors import ModelError
from climxai.stages.preparation import Prepared

if TYPE_CHECKING:
    import torch

    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment

Array = npt.NDArray[np.float64]

INPUTS: Final = "inputs"


@dataclass(frozen=True)
class Spaces:
    """The spaces in which samples are compared: the inputs, or a layer of every seed's network."""

    columns: dict[int | None, Callable[[torch.Tensor], Array]]
    """seed, None for the inputs -> what makes columns [sample, column] of inputs"""
    weights: Array
    groups: npt.NDArray[np.int64]
    names: tuple[str, ...]
    digests: dict[int, str] = field(default_factory=dict)


def spaces_of(experiment: Experiment, prepared: Prepared, bundles: list[Bundle]) -> Spaces:
    """Return how samples become columns, and the columns' weights and groups."""
    if not bundles:
        return _input_space(experiment, prepared)
    import torch

    from climxai.attribution.visualise.layers import outputs_and_layers
    from climxai.stages.surroundings import traced

    layer = experiment.novelty.space

    def of(network: Network) -> Callable[[torch.Tensor], Array]:
        def columns(x: torch.Tensor) -> Array:
            with torch.no_grad():
                found = outputs_and_layers(network, x, (layer,))[1][layer]
            return found.flatten(1).double().numpy()

        return columns

    networks = traced({bundle.seed: bundle for bundle in bundles})
    count = layer_size(networks[bundles[0].seed], layer)
    return Spaces(
        {seed: of(network) for seed, network in networks.items()},
        np.ones(count),
        np.zeros(count, dtype=np.int64),
        (f"layer {layer}",),
        {bundle.seed: bundle.digest for bundle in bundles},
    )


def layer_size(network: Network, layer: str) -> int:
    """Return how many values a layer has per sample.

    Raises
    ------
    ModelError
        When the network has no such layer.
    """
    from climxai.attribution.visualise.layers import layer_shape

    try:
        return int(np.prod(layer_shape(network, layer)))
    except ModelError as error:
        raise ModelError(f"novelty.space: {error}") from error


def _input_space(experiment: Experiment, prepared: Prepared) -> Spaces:
    """Return the valid cells of the inputs, weighted by area unless the inputs are so already."""
    from climxai.data.grids.area import area_weights

    valid = prepared.valid.values.astype(bool)
    weighted = any(step.name == "latitude_weight" for step in experiment.preprocess)
    area = area_weights(prepared.valid["lat"].values)[:, None]
    area = np.broadcast_to(np.ones_like(area) if weighted else area, valid.shape)
    channel = np.broadcast_to(np.arange(len(valid))[:, None, None], valid.shape)
    return Spaces(
        {None: lambda x: x.numpy()[:, valid].astype(np.float64)},
        area[valid],
        channel[valid].astype(np.int64),
        tuple(f"channel {name}" for name in prepared.fields["channel"].values),
    )
