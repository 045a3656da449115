"""How much the explained scalar falls when groups take the values of other samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.attribution.donors import donors, picked
from climxai.attribution.falls import blocks, weighted
from climxai.attribution.groups.indices import Indices
from climxai.attribution.network import Network
from climxai.attribution.perturb import Perturbed
from climxai.attribution.relevance import Relevance
from climxai.attribution.replacement import Replacement
from climxai.attribution.scalar import explained

if TYPE_CHECKING:
    from climxai.attribution.methods.permutation import PermutationImportance


def exchanged(
    method: PermutationImportance,
    network: Network,
    x: Tensor,
    start: Tensor,
    indices: Indices,
    context: Context,
) -> Relevance:
    """Return a permutation importance per sample; arguments as for `Method.attribute`."""
    network.check_input(x)
    pool = donors(x, context, method.pool, method.seed)
    chosen = picked(x, pool, method.repeats, context, method.seed)
    groups = len(indices.cover)
    falls = x.new_zeros((len(x), groups))
    outputs = x.new_zeros((len(x), *network.output_shape))
    changed = x.new_zeros(len(x))
    measure = weighted(network, x, start)
    extra = groups * groups if method.passes == "multi" else math.prod(network.shape)
    for part, perturbed in blocks(network, x, measure, indices, context, extra):
        outputs[part] = perturbed.outputs
        for repeat in range(method.repeats):
            fill = Replacement(maps=pool[chosen[part, repeat]])
            if method.passes == "multi":
                changed[part] += perturbed.without(fill)
                falls[part] += ranked(perturbed, fill, forward=method.direction == "forward")
            elif method.direction == "forward":
                falls[part] += perturbed.all_but(fill) - perturbed.without(fill)[:, None]
            else:
                falls[part] += perturbed.intact[:, None] - perturbed.alone(fill)
    maps = indices.share_over_cells(falls / method.repeats)
    if method.passes == "single":
        return Relevance(maps, *explained(outputs, start, context.reference))
    changed /= method.repeats
    intact = (outputs * start).flatten(1).sum(1)
    return Relevance(maps, intact - changed, changed)


def ranked(perturbed: Perturbed, fill: Replacement, *, forward: bool) -> Tensor:
    """Return falls [sample, group] of groups replaced, or put back, one after the other.

    The group that changes the scalar most goes first, by itself per sample, and stays changed; its
    fall is the one of that moment. They sum to the fall with all groups replaced.
    """
    samples, groups = len(perturbed.x), len(perturbed.indices.cover)
    gone = torch.full((samples, groups), forward)
    every = torch.eye(groups, dtype=torch.bool)
    everyone = torch.arange(samples)
    now = perturbed.without(fill) if forward else perturbed.intact
    falls = now.new_zeros((samples, groups))
    for _ in range(groups):
        sets = gone[:, None, :] & ~every if forward else gone[:, None, :] | every
        scalars = perturbed.sets(fill, sets)
        # Backward the lowest scalar is the largest fall, forward the highest the largest rise.
        merit = scalars if forward else -scalars
        left = gone if forward else ~gone
        best = torch.where(left, merit, merit.new_full((), -torch.inf)).argmax(1)
        after = scalars[everyone, best]
        falls[everyone, best] = after - now if forward else now - after
        gone[everyone, best] = not forward
        now = after
    return torch.where(perturbed.unchanged(fill), torch.zeros_like(falls), falls)
