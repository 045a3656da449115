"""Gradients along lines from baselines to inputs: all of the line, or random points of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
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
from climxai.attribution.noise import InputNoise
from climxai.attribution.relevance import Relevance
from climxai.attribution.scalar import check_start


def along_line(
    network: Network,
    x: Tensor,
    maps: Tensor,
    start: Tensor,
    steps: int,
    rule: Literal["trapezoid", "gauss_legendre"],
    context: Context,
) -> Relevance:
    """Return the difference from baselines times the mean gradient on the way from them.

    Parameters
    ----------
    network
        The network.
    x
        Inputs [sample, channel, lat, lon].
    maps
        Baselines [map, channel, lat, lon]; the result is the mean over them.
    start
        Weights [sample, *output_shape] of the outputs.
    steps
        Points per line.
    rule
        Where they lie and what they weigh.
    context
        The memory that may be used.

    Raises
    ------
    ModelError
        When shapes or number types do not fit.
    """
    network.check_input(x)
    if x.shape[0] == 0:
        return _nothing(x)
    with torch.inference_mode(False), torch.no_grad():
        x, start = ordinary(x, start)
        front = beginning_of(network)
        at_once = points_at_once(network, front, context)
        alphas, weights = line_points(steps, rule, x.dtype, x.device)
        values, outputs, reached = [], [], []
        for rows, parts in sample_blocks(x.shape[0], steps, at_once):
            z = front(x[rows])
            outputs.append(front.tail(z))
            check_start(outputs[-1], start[rows])
            shape = (-1, *[1] * (z.ndim - 1))
            total: Tensor | None = None
            for some in torch.split(maps, at_once):
                origins = front(some)
                if rows.start == 0:
                    reached.append(front.tail(origins))
                for baseline, origin in zip(some, origins, strict=True):
                    way = z - origin

                    def at(part: slice, origin: Tensor = origin, way: Tensor = way) -> Tensor:
                        return origin + alphas[part].reshape(shape) * way[:, None]  # noqa: B023

                    mean = gradient_sum(front, at, weights, start[rows], parts)
                    found = front.pull(mean).mul_(_difference(x[rows], baseline))
                    total = found if total is None else total.add_(found)
            if total is not None:
                values.append(total if len(maps) == 1 else total.div_(len(maps)))
        ends = start.flatten(1) @ joined(reached).flatten(1).T
        return _compared(joined(values), joined(outputs), start, ends.mean(1))


@lru_cache(maxsize=32)
def line_points(
    steps: int,
    rule: Literal["trapezoid", "gauss_legendre"],
    dtype: torch.dtype,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Return where on the line from 0 to 1 the points lie, and weights that sum to 1."""
    if rule == "gauss_legendre":
        roots, shares = np.polynomial.legendre.leggauss(steps)
        points, weights = (roots + 1) / 2, shares / 2
    else:
        points, weights = np.linspace(0.0, 1.0, steps), np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
    return torch.from_numpy(points).to(device, dtype), torch.from_numpy(weights).to(device, dtype)


def at_random_points(
    network: Network,
    x: Tensor,
    maps: Tensor,
    start: Tensor,
    draws: int,
    noise: float,
    seed: int,
    context: Context,
) -> Relevance:
    """Return the mean over draws of the difference from a baseline times a gradient between.

    Parameters
    ----------
    network
        The network.
    x
        Inputs [sample, channel, lat, lon].
    maps
        Baselines [map, channel, lat, lon], of which every draw takes one.
    start
        Weights [sample, *output_shape] of the outputs.
    draws
        Points per sample.
    noise
        Standard deviation of the noise on the inputs, as a share of their range.
    seed
        What is drawn.
    context
        Valid cells, what tells samples apart, and the memory that may be used.

    Raises
    ------
    ModelError
        When shapes or number types do not fit.
    """
    network.check_input(x)
    if x.shape[0] == 0:
        return _nothing(x)
    with torch.inference_mode(False), torch.no_grad():
        x, start = ordinary(x, start)
        front = beginning_of(network)
        # Gradients meet in z baseline by baseline, where that holds few enough of them.
        shared = noise == 0.0 and (len(maps) == 1 or (front.narrow and len(maps) <= draws))
        at_once = points_at_once(network, front, context, inputs=not shared)
        values, outputs, chosen = [], [], []
        for rows, parts in sample_blocks(x.shape[0], draws, at_once):
            generators = [context.generator(seed, i) for i in range(rows.start, rows.stop)]
            numbers, alphas = random_points(generators, len(maps), draws, x)
            outputs.append(front.tail(front(x[rows])))
            check_start(outputs[-1], start[rows])
            if shared:
                found = _by_baseline(front, x[rows], maps, start[rows], numbers, alphas, parts)
            else:
                added = InputNoise(x[rows], noise, context.valid, generators) if noise else None
                found = _by_draw(front, x[rows], maps, start[rows], numbers, alphas, parts, added)
            values.append(found.div_(draws))
            chosen.append(numbers)
        reached = [front.tail(front(some)) for some in torch.split(maps, at_once)]
        ends = start.flatten(1) @ joined(reached).flatten(1).T
        reference = ends.gather(1, torch.cat(chosen)).mean(1)
        return _compared(joined(values), joined(outputs), start, reference)


def random_points(
    generators: list[torch.Generator], maps: int, draws: int, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Return a baseline's number and a place between 0 and 1 per draw, each [sample, draw]."""
    numbers = [torch.randint(maps, (draws,), generator=each) for each in generators]
    places = [torch.rand(draws, generator=each) for each in generators]
    return torch.stack(numbers).to(like.device), torch.stack(places).to(like)


def _by_baseline(
    front: Beginning,
    x: Tensor,
    maps: Tensor,
    start: Tensor,
    numbers: Tensor,
    alphas: Tensor,
    parts: list[slice],
) -> Tensor:
    """Return the sum over draws, gradients being summed in z for every baseline."""
    z, origins = front(x).flatten(1), front(maps).flatten(1)
    sums = z.new_zeros((len(x), len(maps), z.shape[1]))
    shape = front.bias.shape[1:]
    for part in parts:
        begin = origins[numbers[:, part]]
        points = torch.lerp(begin, z[:, None], alphas[:, part, None])
        gradients = gradients_at(front, points.reshape(*points.shape[:2], *shape), start).flatten(2)
        sums.scatter_add_(1, numbers[:, part, None].expand_as(gradients), gradients)
    total = torch.zeros_like(x)
    for number, baseline in enumerate(maps):
        pulled = front.pull(sums[:, number].reshape(-1, *shape))
        total += pulled.mul_(_difference(x, baseline))
    return total


def _by_draw(
    front: Beginning,
    x: Tensor,
    maps: Tensor,
    start: Tensor,
    numbers: Tensor,
    alphas: Tensor,
    parts: list[slice],
    noise: InputNoise | None,
) -> Tensor:
    """Return the sum over draws, each of which crosses the whole network."""
    total = torch.zeros_like(x)
    for part in parts:
        begin = maps[numbers[:, part]]
        way = x[:, None] - begin
        if noise is not None:
            way += noise.draw(way.shape[1])
        points = begin.addcmul_(way, alphas[:, part].reshape(*way.shape[:2], 1, 1, 1))
        z = apart(front(points.flatten(0, 1)), way)
        gradients = front.pull(gradients_at(front, z, start).flatten(0, 1))
        total += way.mul_(apart(gradients, way)).sum(1)
    return total


def _difference(x: Tensor, baseline: Tensor) -> Tensor:
    # Most baselines are zero, and a map of zeros is quickly seen.
    return x - baseline if bool(baseline.any()) else x


def _nothing(x: Tensor) -> Relevance:
    return Relevance(torch.zeros_like(x), x.new_zeros((0,)), x.new_zeros((0,)))


def _compared(values: Tensor, outputs: Tensor, start: Tensor, reference: Tensor) -> Relevance:
    scalar = (outputs * start).flatten(1).sum(1)
    return Relevance(values, scalar - reference, reference)
