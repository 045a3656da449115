"""How much the explained scalar falls when groups of cells are filled, one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from climxai.attribution.baselines import Baseline
from climxai.attribution.context import Context
from climxai.attribution.fills import LocalMean, replacements
from climxai.attribution.groups.cover import Cover, Mask
from climxai.attribution.groups.indices import Indices
from climxai.attribution.methods.method import Method
from climxai.attribution.network import Network
from climxai.attribution.perturb import Perturbed, values_kept
from climxai.attribution.replacement import Measure, Weighted
from climxai.attribution.scalar import check_start, explained
from climxai.core.errors import ModelError

Floats = npt.NDArray[np.float64]
Making = Callable[[Mask, Floats | None, Floats | None], Cover]


def indices_of(method: Method, network: Network, context: Context, make: Making) -> Indices:
    """Return a method's groups on the grid and mask of a context, made once and kept.

    Raises
    ------
    ModelError
        When inputs are no maps, or the groups cannot be formed.
    """
    key = ("groups", id(method))
    held: tuple[Method, Tensor, Indices] | None = network.cache.get(key)
    if held is not None and held[1] is context.valid:
        return held[2]
    if len(network.shape) != 3:
        raise ModelError(
            f"groups of cells are formed on maps [channel, lat, lon], the network takes samples of "
            f"shape {network.shape}: choose a method that needs no map, such as saliency"
        )
    valid = context.valid.numpy()
    lat, lon = (None, None) if context.grid is None else (context.grid.lat, context.grid.lon)
    indices = Indices.of(make(valid, lat, lon))
    # The method and the mask are kept with it, so that their identities stay theirs.
    network.cache[key] = (method, context.valid, indices)
    return indices


def blocks(
    network: Network,
    x: Tensor,
    measure: Callable[[slice], Measure],
    indices: Indices,
    context: Context,
    extra: int = 0,
) -> Iterator[tuple[slice, Perturbed]]:
    """Yield blocks of samples, ready to be perturbed, as many at a time as memory allows.

    Parameters
    ----------
    network
        The network.
    x
        Inputs [sample, channel, lat, lon].
    measure
        From a block of the samples to what is measured of their outputs.
    indices
        The groups.
    context
        How much memory there is.
    extra
        How many working values the caller needs per sample.

    Raises
    ------
    ModelError
        When the inputs do not have the network's shape.
    """
    network.check_input(x)
    kept = values_kept(network, len(indices.cover)) + math.prod(network.shape) + extra
    size = context.samples_at_once(kept, 4, network.dtype.itemsize)
    for first in range(0, len(x), size):
        part = slice(first, min(first + size, len(x)))
        yield part, Perturbed(network, x[part], measure(part), indices, context)


def weighted(network: Network, x: Tensor, start: Tensor) -> Callable[[slice], Measure]:
    """Return what measures the explained scalar, block by block.

    Raises
    ------
    ModelError
        When the weights do not have the outputs' shape.
    """
    check_start(x.new_empty((len(x), *network.output_shape)), start)
    return lambda part: Weighted(start[part])


def mean_falls(
    network: Network,
    x: Tensor,
    start: Tensor,
    fill: Baseline | LocalMean,
    indices: Indices,
    context: Context,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return falls [sample, group], the mean over fills, the scalar and its reference [sample].

    Raises
    ------
    ClimxaiError
        When shapes or number types do not fit, or the fill cannot be had.
    """
    falls = x.new_zeros((len(x), len(indices.cover)))
    outputs = x.new_zeros((len(x), *network.output_shape))
    for part, perturbed in blocks(network, x, weighted(network, x, start), indices, context):
        outputs[part] = perturbed.outputs
        fills = replacements(fill, x[part], indices, context)
        for each in fills:
            falls[part] += perturbed.intact[:, None] - perturbed.alone(each)
        falls[part] /= len(fills)
    return falls, *explained(outputs, start, context.reference)
