"""Gradients at many points of an input space, where a network's linear beginning makes it small.

Everything before the first non-linearity is linear, so points on a straight line between two inputs
lie on a straight line there, Gaussian noise is Gaussian there, and sums of gradients cross the
beginning once. A network that begins otherwise is its own tail: then the points are inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Final, Protocol

import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.attribution.front import front_of
from climxai.attribution.network import Network


class Beginning(Protocol):
    """The linear beginning of a network and the tail behind it, `climxai.attribution.front`."""

    @property
    def narrow(self) -> bool:
        """Whether z is so small that `matrix` holds the beginning."""

    @property
    def bias(self) -> Tensor:
        """Return z [1, *z] of an input of zeros."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return z [sample, *z] of inputs."""

    def pull(self, gradient: Tensor) -> Tensor:
        """Return the gradient to the inputs of a gradient to z."""

    def matrix(self) -> Tensor:
        """Return the beginning as a matrix [values of z, cells], without its bias."""

    def tail(self, z: Tensor) -> Tensor:
        """Return the network's outputs."""

    def tail_gradient(self, z: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient [sample, *z] of the weighted outputs, and the outputs."""


@dataclass(frozen=True, eq=False)
class Whole:
    """A network without a linear beginning: z is its input.

    Parameters
    ----------
    network
        The network.
    bias
        Zeros [1, channel, lat, lon].
    """

    network: Network
    bias: Tensor
    narrow: Final = False

    def __call__(self, x: Tensor) -> Tensor:
        """Return the inputs."""
        return x

    def pull(self, gradient: Tensor) -> Tensor:
        """Return the gradient."""
        return gradient

    def matrix(self) -> Tensor:
        """Return the identity."""
        return torch.eye(self.bias.numel(), dtype=self.bias.dtype, device=self.bias.device)

    def tail(self, z: Tensor) -> Tensor:
        """Return the network's outputs."""
        return self.network(z)

    def tail_gradient(self, z: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient of the weighted outputs, and the outputs."""
        with torch.enable_grad():
            leaf = z.detach().requires_grad_()
            outputs = self.network(leaf)
            (gradient,) = torch.autograd.grad(
                outputs, leaf, start, allow_unused=True, materialize_grads=True
            )
        return gradient, outputs.detach()


def beginning_of(network: Network) -> Beginning:
    """Return the network's linear beginning, or the network as a tail of its own."""
    front = front_of(network)
    if front is not None:
        return front
    empty = torch.zeros((1, *network.shape), dtype=network.dtype, device=network.device)
    return Whole(network, empty)


CACHED: Final = 1 << 21
"""Values of the tail worked on at once: what the processor's caches can hold."""


def points_at_once(
    network: Network, front: Beginning, context: Context, *, inputs: bool = False
) -> int:
    """Return at how many points the tail may be evaluated at once, at least 1.

    Bounded by the memory of the context, and on a processor by its caches too, beyond which more
    points take more time each. With ``inputs`` every point is also made as an input.
    """
    if "tail_sizes" not in network.cache:
        network.cache["tail_sizes"] = kept_by_tail(front)
    sizes: list[int] = network.cache["tail_sizes"]
    cells = prod(network.shape) if inputs else 0
    # A backward pass holds what operators keep, and the gradients between two of them; a point as
    # an input comes with its noise, its difference from a baseline and its gradient.
    values = sum(sizes) + 4 * max(sizes) + 4 * cells
    allowed = context.samples_at_once(values, itemsize=network.dtype.itemsize)
    if network.device.type != "cpu":
        return allowed
    return max(1, min(allowed, CACHED // max(*sizes, cells)))


def kept_by_tail(front: Beginning) -> list[int]:
    """Return the numbers of values per sample that a backward pass through the tail needs."""
    sizes = [front.bias.numel()]

    def note(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with (
        torch.enable_grad(),
        torch.autograd.graph.saved_tensors_hooks(note, lambda kept: kept),
    ):
        front.tail(front.bias.clone().requires_grad_())
    return sizes


def sample_blocks(samples: int, points: int, at_once: int) -> Iterator[tuple[slice, list[slice]]]:
    """Yield blocks of samples with the blocks of their points, ``at_once`` evaluations or fewer."""
    size = max(1, at_once // points)
    steps = max(1, min(points, at_once))
    for first in range(0, samples, size):
        yield (
            slice(first, min(first + size, samples)),
            [slice(p, min(p + steps, points)) for p in range(0, points, steps)],
        )


def gradients_at(front: Beginning, z: Tensor, start: Tensor) -> Tensor:
    """Return gradients [sample, point, *z] at the points ``z`` [sample, point, *z].

    ``start`` [sample, *output_shape] are the weights of the outputs, the same at all points.
    """
    points = z.shape[1]
    weights = start if points == 1 else start.repeat_interleave(points, 0)
    return apart(front.tail_gradient(z.flatten(0, 1), weights)[0], z)


def apart(values: Tensor, like: Tensor) -> Tensor:
    """Return values [sample * point, ...] with samples and points apart as ``like`` has them."""
    return values.reshape(*like.shape[:2], *values.shape[1:])


def gradient_sum(
    front: Beginning,
    at: Callable[[slice], Tensor],
    weights: Tensor,
    start: Tensor,
    parts: list[slice],
) -> Tensor:
    """Return the weighted sum over points of the gradient there [sample, *z].

    Parameters
    ----------
    front
        The network.
    at
        From a part of the points to z [sample, point, *z]; called once per part, in order.
    weights
        A weight per point.
    start
        Weights [sample, *output_shape] of the outputs.
    parts
        The points in parts that are evaluated at once.
    """
    total: Tensor | None = None
    for part in parts:
        gradients = gradients_at(front, at(part), start)
        summed = torch.matmul(weights[part], gradients.flatten(2)).reshape(
            gradients.shape[0], *gradients.shape[2:]
        )
        total = summed if total is None else total.add_(summed)
    if total is None:
        raise ValueError("there are no points")
    return total


def joined(blocks: list[Tensor]) -> Tensor:
    """Return blocks of samples as one tensor; a single one is not copied."""
    return blocks[0] if len(blocks) == 1 else torch.cat(blocks)
