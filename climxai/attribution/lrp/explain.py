"""From inputs to relevance: checks, the start, and the walk in blocks of samples."""

from __future__ import annotations

import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.engine import find_grounds, propagate
from climxai.attribution.lrp.plan import plan_for
from climxai.attribution.lrp.rulemap import Assignment
from climxai.attribution.lrp.rules import Rule
from climxai.attribution.network import Network
from climxai.attribution.objectives.classes import against_the_rest
from climxai.attribution.relevance import Relevance
from climxai.attribution.scalar import check_start, explained
from climxai.core.errors import ModelError


def explain(
    network: Network,
    x: Tensor,
    start: Tensor,
    choice: Rule | Assignment,
    settled: Settled,
    valid: Tensor,
    reference: Tensor | None = None,
    bounds: tuple[Tensor, Tensor] | None = None,
) -> Relevance:
    """Return relevance of inputs [sample, channel, lat, lon] under a choice of rules.

    Raises
    ------
    ModelError
        When shapes do not fit, or the rules do not suit the network.
    """
    network.check_input(x)
    check_valid(network, valid)
    plan = plan_for(network, choice, settled)
    if x.shape[0] == 0:
        empty = x.new_zeros((0,))
        return Relevance(torch.zeros_like(x), empty, None if reference is None else empty.clone())
    with torch.inference_mode(False), torch.no_grad():
        x = x.clone() if x.is_inference() else x.detach()
        grounds = find_grounds(plan, valid.to(x.device), bounds, network.dtype)

        def begin(outputs: Tensor) -> Tensor:
            return start_relevance(outputs, start, reference, settled)

        values, outputs = propagate(plan, x, begin, grounds)
    return Relevance(values, *explained(outputs, start, reference))


def start_relevance(
    outputs: Tensor, start: Tensor, reference: Tensor | None, settled: Settled
) -> Tensor:
    """Return the relevance of the outputs [sample, ...] that the walk starts from."""
    check_start(outputs, start)
    if settled.start == "one":
        return start.clone()
    weights = start
    if settled.start == "log_odds":
        if outputs.ndim != 2 or outputs.shape[1] < 2:
            raise ModelError(
                f"the start log_odds needs scores of at least two classes, the network returns "
                f"{tuple(outputs.shape[1:])} per sample: set the convention `start: score`"
            )
        weights = against_the_rest(start, outputs)
    return (outputs if reference is None else outputs - reference) * weights


def check_valid(network: Network, valid: Tensor) -> None:
    """Raise `ModelError` unless the mask of valid cells has the shape of a sample."""
    if tuple(valid.shape) != network.shape:
        raise ModelError(
            f"the mask of valid cells has shape {tuple(valid.shape)}, a sample has "
            f"{network.shape}: give the mask of the fields the network takes"
        )
