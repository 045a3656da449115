"""Shapley values: every set of groups, or random orders of them."""

from __future__ import annotations

from math import factorial

import torch
from torch import Tensor

from climxai.attribution.baselines import Baseline
from climxai.attribution.context import Context
from climxai.attribution.falls import blocks, weighted
from climxai.attribution.fills import LocalMean, replacements
from climxai.attribution.groups.indices import Indices
from climxai.attribution.network import Network
from climxai.attribution.perturb import Perturbed
from climxai.attribution.relevance import Relevance
from climxai.attribution.replacement import Replacement


def shapley(
    network: Network,
    x: Tensor,
    start: Tensor,
    fill: Baseline | LocalMean,
    indices: Indices,
    context: Context,
    *,
    orders: int | None,
    seed: int,
) -> Relevance:
    """Return Shapley values shared by the cells of their groups; see `Method.attribute`.

    Parameters
    ----------
    fill
        What stands in the place of groups that are not there; several are averaged over.
    indices
        The groups, without common cells.
    orders
        How many orders are drawn per sample, an even number; None enumerates all sets.
    seed
        Which orders are drawn.
    """
    groups = len(indices.cover)
    values, output = x.new_zeros((len(x), groups)), x.new_zeros(len(x))
    reference = x.new_zeros(len(x))
    drawn = None if orders is None else drawn_orders(context, len(x), groups, seed, orders)
    measure = weighted(network, x, start)
    extra = groups * (groups if orders is not None else 2**groups)
    for part, perturbed in blocks(network, x, measure, indices, context, extra):
        fills = replacements(fill, x[part], indices, context)
        for each in fills:
            without = perturbed.without(each)
            reference[part] += without / len(fills)
            found = (
                enumerated(perturbed, each)
                if drawn is None
                else sampled(perturbed, each, without, drawn[part])
            )
            found = torch.where(perturbed.unchanged(each), torch.zeros_like(found), found)
            values[part] += found / len(fills)
        output[part] = perturbed.intact - reference[part]
    return Relevance(indices.share_over_cells(values), output, reference)


def drawn_orders(context: Context, samples: int, groups: int, seed: int, orders: int) -> Tensor:
    """Return orders of the groups [sample, order, group], each followed by its reverse."""
    found = torch.empty((samples, orders, groups), dtype=torch.int64)
    for sample in range(samples):
        draws = context.generator(seed, sample)
        for pair in range(0, orders, 2):
            found[sample, pair] = torch.randperm(groups, generator=draws)
            found[sample, pair + 1] = found[sample, pair].flip(0)
    return found


def sampled(perturbed: Perturbed, fill: Replacement, without: Tensor, orders: Tensor) -> Tensor:
    """Return the mean rise [sample, group] when groups are put back in the orders drawn."""
    samples, count, groups = orders.shape
    rises = without.new_zeros((samples, groups))
    steps = torch.arange(1, groups)
    for order in orders.unbind(1):
        # A group is still gone after k steps when its place is k or later.
        place = torch.argsort(order, dim=1)
        between = perturbed.sets(fill, place[:, None, :] >= steps[None, :, None])
        ladder = torch.cat([without[:, None], between, perturbed.intact[:, None]], dim=1)
        rises.scatter_add_(1, order, ladder.diff(dim=1))
    return rises / count


def enumerated(perturbed: Perturbed, fill: Replacement) -> Tensor:
    """Return the Shapley values [sample, group] from all sets of groups."""
    groups = len(perturbed.indices.cover)
    sets = torch.arange(2**groups)
    there = (sets[:, None] >> torch.arange(groups)) % 2 == 1
    scalars = perturbed.sets(fill, ~there[None])
    sizes = there.sum(1).tolist()
    everyone = factorial(groups)
    # What a set's scalar counts for a member, and for a group that is not there.
    joined = [factorial(max(n - 1, 0)) * factorial(groups - n) / everyone for n in sizes]
    absent = [factorial(n) * factorial(max(groups - n - 1, 0)) / everyone for n in sizes]
    weights = torch.where(
        there,
        torch.tensor(joined, dtype=torch.float64)[:, None],
        -torch.tensor(absent, dtype=torch.float64)[:, None],
    )
    # A group's weights sum to 0: differences from one scalar are 0 where all are alike.
    scalars = scalars.double()
    return ((scalars - scalars[:, :1]) @ weights).to(perturbed.intact)
