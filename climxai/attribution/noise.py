"""Gaussian noise on inputs, or what it becomes behind a network's linear beginning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from climxai.attribution.beginning import (
    Beginning,
    apart,
    beginning_of,
    gradient_sum,
    gradients_at,
    joined,
    points_at_once,
    sample_blocks,
)
from climxai.attribution.context import Context
from climxai.attribution.network import Network, ordinary
from climxai.attribution.relevance import Relevance
from climxai.attribution.scalar import check_start, explained

Form = Literal["mean", "absolute", "square", "variance"]


def ranges(x: Tensor, valid: Tensor) -> Tensor:
    """Return the largest minus the smallest valid value [sample, channel] of inputs."""
    low, high = x.flatten(2).amin(2), x.flatten(2).amax(2)
    # Invalid cells hold 0, which changes no extreme on either side of 0.
    if bool(((low < 0) & (high > 0)).all()) or bool(valid.all()):
        return high - low
    masked = valid.flatten(1)
    low = x.flatten(2).masked_fill(~masked, torch.inf).amin(2)
    high = x.flatten(2).masked_fill(~masked, -torch.inf).amax(2)
    return (high - low).clamp_min(0.0)  # a channel without valid cells has the range 0


@dataclass
class InputNoise:
    """Noise on the valid cells of inputs, draw after draw; every sample has its own.

    Parameters
    ----------
    x
        Inputs [sample, channel, lat, lon].
    share
        Standard deviation as a share of the range of a sample's channel.
    valid
        Which cells hold data [channel, lat, lon].
    generators
        Random numbers, one generator per sample.
    """

    x: Tensor
    share: float
    valid: Tensor
    generators: list[torch.Generator]
    scale: Tensor = field(init=False)

    def __post_init__(self) -> None:
        deviation = self.share * ranges(self.x, self.valid.to(self.x.device))
        self.scale = deviation[:, :, None, None] * self.valid.to(self.x)

    def draw(self, count: int) -> Tensor:
        """Return the next ``count`` draws [sample, count, channel, lat, lon]."""
        held = torch.empty((len(self.x), count, *self.x.shape[1:]), dtype=self.x.dtype)
        for maps, generator in zip(held, self.generators, strict=True):
            # Map by map, so that draws do not depend on how many are taken at once.
            for each in maps:
                each.normal_(generator=generator)
        return held.to(self.x.device).mul_(self.scale[:, None])


def noise_on_z(
    network: Network,
    front: Beginning,
    x: Tensor,
    share: float,
    valid: Tensor,
    generators: list[torch.Generator],
    draws: int,
) -> Tensor:
    """Return what `InputNoise` becomes behind a narrow beginning [sample, draw, *z].

    Noise of standard deviation s on the valid cells of a channel has the covariance s^2 W W^T
    there; with W^T = Q R, R is a root of W W^T whatever its rank. So this is exact in distribution.
    """
    roots = noise_roots(network, front, valid)
    channels, count = len(valid), draws * len(roots)
    numbers = torch.empty((len(x), count), dtype=x.dtype)
    for each, generator in zip(numbers.unbind(), generators, strict=True):
        each.normal_(generator=generator)
    deviation = share * ranges(x, valid.to(x.device))
    scaled = numbers.to(x.device).reshape(len(x), draws, channels, -1)
    scaled *= deviation[:, None, :, None]
    return (scaled.flatten(2) @ roots).reshape(len(x), draws, *front.bias.shape[1:])


def noise_roots(network: Network, front: Beginning, valid: Tensor) -> Tensor:
    """Return R of W^T = Q R per channel [channel * rows, values of z], W on valid cells alone."""
    held: tuple[Tensor, Tensor] | None = network.cache.get("noise_roots")
    if held is None or not torch.equal(held[0], valid):
        matrix = front.matrix()
        weights = matrix.double() * valid.flatten().to(matrix.device)
        by_channel = weights.reshape(len(matrix), len(valid), -1).unbind(1)
        roots = [torch.linalg.qr(each.T, mode="r").R for each in by_channel]
        held = valid.clone(), torch.cat(roots).to(matrix)
        network.cache["noise_roots"] = held
    return held[1]


def smoothed(
    network: Network,
    x: Tensor,
    start: Tensor,
    draws: int,
    share: float,
    form: Form,
    seed: int,
    context: Context,
) -> Relevance:
    """Return the gradient over noisy copies of the inputs, in one of four forms.

    Parameters
    ----------
    network
        The network.
    x
        Inputs [sample, channel, lat, lon].
    start
        Weights [sample, *output_shape] of the outputs.
    draws
        Copies per sample.
    share
        Standard deviation of the noise as a share of the range of a sample's channel.
    form
        The mean, its absolute value, the mean of squares, or the variance.
    seed
        What is drawn.
    context
        Valid cells, reference, what tells samples apart, and the memory that may be used.

    Raises
    ------
    ModelError
        When shapes or number types do not fit.
    """
    network.check_input(x)
    if x.shape[0] == 0:
        empty = x.new_zeros((0,))
        reference = None if context.reference is None else empty.clone()
        return Relevance(torch.zeros_like(x), empty, reference)
    with torch.inference_mode(False), torch.no_grad():
        x, start = ordinary(x, start)
        front = beginning_of(network)
        at_once = points_at_once(network, front, context, inputs=not front.narrow)
        values, outputs = [], []
        for rows, parts in sample_blocks(len(x), draws, at_once):
            generators = [context.generator(seed, i) for i in range(rows.start, rows.stop)]
            z = front(x[rows])
            outputs.append(front.tail(z))
            check_start(outputs[-1], start[rows])
            if front.narrow:
                noise = noise_on_z(network, front, x[rows], share, context.valid, generators, draws)
                noise += z[:, None]
                found = _on_z(front, noise, start[rows], form, parts).reshape(x[rows].shape)
            else:
                drawn = InputNoise(x[rows], share, context.valid, generators)
                found = _on_inputs(front, x[rows], drawn, start[rows], form, parts)
            values.append(found)
        return Relevance(joined(values), *explained(joined(outputs), start, context.reference))


def _on_z(front: Beginning, z: Tensor, start: Tensor, form: Form, parts: list[slice]) -> Tensor:
    """Return the form from points [sample, draw, *z] of a narrow beginning."""
    gradients = torch.cat([gradients_at(front, z[:, part], start) for part in parts], 1)
    if form in ("mean", "absolute"):
        pulled = front.pull(gradients.mean(1))
        return pulled if form == "mean" else pulled.abs_()
    if form == "variance":
        # About the first, then about the mean of that: gradients that are equal give exactly 0,
        # which about their own mean they do not, as a mean of equal numbers is rounded too.
        gradients -= gradients[:, :1].clone()
        gradients -= gradients.mean(1, keepdim=True)
    flat = gradients.flatten(2)
    return quadratic(front, flat.transpose(1, 2) @ flat / flat.shape[1])


def quadratic(front: Beginning, moments: Tensor) -> Tensor:
    """Return the diagonal of W^T M W [sample, cells] for moments M of gradients.

    With M the mean of g g^T over gradients g [values of z], these are the means of (W^T g)^2.
    """
    matrix = front.matrix()
    # M is symmetric: twice what lies above its diagonal, and the diagonal.
    halves = 2 * moments.triu(1) + torch.diag_embed(moments.diagonal(dim1=1, dim2=2))
    total = matrix.new_zeros((len(moments), matrix.shape[1]))
    for row, weights in enumerate(matrix):
        total.addcmul_(halves[:, row, row:] @ matrix[row:], weights)
    # What rounding left below zero.
    return total.clamp_min_(0.0)


def _on_inputs(
    front: Beginning,
    x: Tensor,
    noise: InputNoise,
    start: Tensor,
    form: Form,
    parts: list[slice],
) -> Tensor:
    """Return the form where z is not small: noise is drawn on inputs, gradients met in z or x."""
    draws = parts[-1].stop

    def at(part: slice) -> Tensor:
        noisy = noise.draw(part.stop - part.start).add_(x[:, None])
        return apart(front(noisy.flatten(0, 1)), noisy)

    if form in ("mean", "absolute"):
        pulled = front.pull(gradient_sum(front, at, x.new_full((draws,), 1 / draws), start, parts))
        return pulled if form == "mean" else pulled.abs()
    first: Tensor | None = None
    total, squares = torch.zeros_like(x), torch.zeros_like(x)
    for part in parts:
        z = at(part)
        gradients = apart(front.pull(gradients_at(front, z, start).flatten(0, 1)), z)
        if form == "variance":
            # Differences from the first gradient: a variance of large numbers loses its digits.
            first = gradients[:, :1].clone() if first is None else first
            gradients = gradients - first
            total += gradients.sum(1)
        squares += gradients.square().sum(1)
    squares /= draws
    return squares if form == "square" else squares.sub_((total / draws).square()).clamp_min_(0.0)
