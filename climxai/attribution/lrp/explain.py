"""From inputs to relevance: checks, the start, and the walk in blocks of samples."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Ground
from climxai.attribution.lrp.engine import find_grounds, propagate
from climxai.attribution.lrp.families import Box
from climxai.attribution.lrp.plan import plan_for
from climxai.attribution.lrp.steps import Plan
from climxai.attribution.lrp.trail import Trail
from climxai.attribution.network import Network, ordinary
from climxai.attribution.objectives.classes import against_the_rest
from climxai.attribution.relevance import Relevance
from climxai.attribution.scalar import check_start, explained, one_in_total
from climxai.core.errors import ModelError


def explain(
    network: Network,
    plan: Plan,
    settled: Settled,
    x: Tensor,
    start: Tensor,
    valid: Tensor,
    reference: Tensor | None = None,
    bounds: tuple[Tensor, Tensor] | None = None,
) -> Relevance:
    """Return relevance of inputs [sample, channel, lat, lon] under a plan's rules.

    Raises
    ------
    ModelError
        When shapes do not fit, or the rules do not suit the network.
    """
    network.check_input(x)
    check_valid(network, valid)
    if x.shape[0] == 0:
        empty = x.new_zeros((0,))
        return Relevance(torch.zeros_like(x), empty, None if reference is None else empty.clone())
    with torch.inference_mode(False), torch.no_grad():
        (x,) = ordinary(x)
        grounds = find_grounds(plan, valid.to(x.device), bounds, network.dtype)

        values, outputs = in_blocks(network, plan, settled, x, start, reference, grounds)
        handed = None
        if settled.start != "score":
            handed = start_relevance(outputs, start, reference, settled).flatten(1).sum(1)
    return Relevance(values, *explained(outputs, start, reference), handed)


BLOCK = 1 << 21
"""Values of the largest tensor of a block of samples: what the processor's caches can hold."""


def in_blocks(
    network: Network,
    plan: Plan,
    settled: Settled,
    x: Tensor,
    start: Tensor,
    reference: Tensor | None,
    grounds: list[Ground | None],
) -> tuple[Tensor, Tensor]:
    """Return relevance and outputs of all samples, computed in blocks that fit the cache.

    Samples do not depend on each other, so blocks change nothing but the time and the memory.
    """
    if start.shape[0] != x.shape[0]:
        raise ModelError(
            f"there are weights for {start.shape[0]} samples and inputs for {x.shape[0]}: give as "
            "many of one as of the other"
        )
    size = x.shape[0] if x.device.type != "cpu" else max(1, BLOCK // max(1, plan.largest))
    relevance: Tensor | None = None
    scores: list[Tensor] = []
    for first in range(0, x.shape[0], size):
        rows = slice(first, first + size)
        shared = reference if reference is None or reference.shape[0] == 1 else reference[rows]

        def begin(outputs: Tensor, rows: slice = rows, shared: Tensor | None = shared) -> Tensor:
            return start_relevance(outputs, start[rows], shared, settled)

        part, outputs = walk(network, plan, x[rows], begin, grounds)
        if size >= x.shape[0]:
            return part, outputs
        if relevance is None:
            relevance = torch.empty_like(x)
        relevance[rows] = part
        scores.append(outputs)
    return (torch.zeros_like(x) if relevance is None else relevance), torch.cat(scores)


def walk(
    network: Network,
    plan: Plan,
    x: Tensor,
    start: Callable[[Tensor], Tensor],
    grounds: list[Ground | None],
    trail: Trail | None = None,
) -> tuple[Tensor, Tensor]:
    """Return relevance and outputs; arguments as for `propagate`.

    What left the range of the number type on the way is computed once more in float64.
    """
    values, outputs = propagate(plan, x, start, grounds, trail)
    # An infinite sum divides a relevance to nothing, so the outputs are looked at too.
    if not math.isfinite((values.sum() + outputs.sum()).item()):
        if trail is not None:
            trail.entries.clear()
        values = rescued(network, plan, x, start, grounds, trail)
    return values, outputs


def rescued(
    network: Network,
    plan: Plan,
    x: Tensor,
    start: Callable[[Tensor], Tensor],
    grounds: list[Ground | None],
    trail: Trail | None = None,
) -> Tensor:
    """Return relevance computed in float64, where float32 left its range on the way.

    What float32 cannot hold in the end becomes its largest number, what is undefined becomes 0.
    """
    key = "float64"
    if key not in network.cache:
        network.cache[key] = doubled(network)
    exact: Network = network.cache[key]
    wide = plan_for(exact, plan.choice, plan.settled)
    known = [
        ground
        and Ground(
            ground.valid.double(),
            None if ground.low is None else ground.low.double(),
            None if ground.high is None else ground.high.double(),
            ground.clean,
        )
        for ground in grounds
    ]
    values, _ = propagate(wide, x.double(), lambda outputs: start(outputs).double(), known, trail)
    limit = torch.finfo(x.dtype).max
    return values.nan_to_num(0.0, limit, -limit).clamp(-limit, limit).to(x.dtype)


def doubled(network: Network) -> Network:
    """Return the network in float64."""
    return replace(
        network,
        module=copy.deepcopy(network.module).double(),
        constants={
            name: value.double() if value.is_floating_point() else value
            for name, value in network.constants.items()
        },
        dtype=torch.float64,
        cache={},
    )


def start_relevance(
    outputs: Tensor, start: Tensor, reference: Tensor | None, settled: Settled
) -> Tensor:
    """Return the relevance of the outputs [sample, ...] that the walk starts from.

    Raises
    ------
    ModelError
        When the convention's start does not suit the outputs or their weights.
    """
    check_start(outputs, start)
    if settled.start == "one":
        return one_in_total(outputs, start, reference)
    weights = start
    if settled.start == "log_odds":
        if outputs.ndim != 2 or outputs.shape[1] < 2:
            raise ModelError(
                f"the start log_odds needs scores of at least two classes, the network returns "
                f"{tuple(outputs.shape[1:])} per sample: set the convention `start: score`"
            )
        if bool(((start != 0).sum(1) > 1).any()):
            raise twice_against_the_rest()
        weights = against_the_rest(start, outputs)
    return (outputs if reference is None else outputs - reference) * weights


def twice_against_the_rest() -> ModelError:
    """Return the error that both the start and the objective set a class against the others."""
    return ModelError(
        "the start log_odds sets one class against the others, but the objective weighs several "
        "already (a logit difference, or log_odds): explain one class's score, or set the "
        "convention `start: score`"
    )


def check_bounds(network: Network, plan: Plan, context: Context) -> None:
    """Raise `ModelError` when a z-B rule stands where no bounds are given or known."""
    check_valid(network, context.valid)
    zeros = torch.zeros(network.shape, dtype=network.dtype)
    bounds = None if context.training is None else (zeros, zeros)
    with torch.no_grad():
        grounds = find_grounds(plan, context.valid.to(network.device), bounds, network.dtype)
    for step, ground in zip(plan.steps, grounds, strict=True):
        if isinstance(step.crossing, Box) and ground is not None:
            step.crossing.check(ground)


def check_valid(network: Network, valid: Tensor) -> None:
    """Raise `ModelError` unless the mask of valid cells has the shape of a sample."""
    if tuple(valid.shape) != network.shape:
        raise ModelError(
            f"the mask of valid cells has shape {tuple(valid.shape)}, a sample has "
            f"{network.shape}: give the mask of the fields the network takes"
        )
