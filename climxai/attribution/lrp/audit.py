"""The audit of an explanation: where relevance went, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import per_sample
from climxai.attribution.lrp.engine import find_grounds
from climxai.attribution.lrp.explain import check_valid, start_relevance, walk
from climxai.attribution.lrp.plan import plan_for
from climxai.attribution.lrp.rulemap import Assignment
from climxai.attribution.lrp.rules import Rule
from climxai.attribution.lrp.trail import Trail
from climxai.attribution.network import Network
from climxai.attribution.scalar import explained

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Audit:
    """Sums of relevance per layer that needs a rule, from the output down to the input.

    Steps without a rule that may keep relevance have a line too: a padding with a number, a mask, a
    constant channel, a softmax inside. So what all lines took and the total add up to the start.

    Parameters
    ----------
    layers, kinds, rules
        Name, kind and rule of every line; an empty rule for steps that need none.
    arrived
        Relevance that reached the layer's output [layer, sample].
    passed
        Relevance that it passed on to its inputs [layer, sample].
    bias, stabiliser
        What its bias and its stabiliser took [layer, sample].
    other
        The rest of ``arrived - passed``: empty sides, zero denominators, fixed numbers, rounding
        [layer, sample].
    positive, negative
        Sums of the positive and of the negative values passed on [layer, sample].
    outside
        How many valid inputs lay outside the bounds of a z-B rule [layer, sample].
    score
        The explained scalar [sample].
    start
        Relevance that the walk started from [sample], the denominator of every share: the score
        unless the convention says else.
    total
        Relevance that reached the input [sample].
    land
        Relevance on invalid cells [sample].
    zero_map
        Whether the sample's map is zero everywhere [sample].
    """

    layers: tuple[str, ...]
    kinds: tuple[str, ...]
    rules: tuple[str, ...]
    arrived: Values
    passed: Values
    bias: Values
    stabiliser: Values
    other: Values
    positive: Values
    negative: Values
    outside: Values
    score: Values
    start: Values
    total: Values
    land: Values
    zero_map: npt.NDArray[np.bool_]

    @property
    def zero_fraction(self) -> float:
        """Fraction of the samples whose map is zero everywhere; NaN without samples."""
        return float(self.zero_map.mean()) if len(self.zero_map) else float("nan")


def audit(
    network: Network,
    x: Tensor,
    start: Tensor,
    choice: Rule | Assignment,
    settled: Settled,
    valid: Tensor,
    reference: Tensor | None = None,
    bounds: tuple[Tensor, Tensor] | None = None,
) -> Audit:
    """Explain inputs [sample, channel, lat, lon] and keep the books; arguments as for `explain`.

    Raises
    ------
    ModelError
        When shapes do not fit, or the rules do not suit the network.
    """
    network.check_input(x)
    check_valid(network, valid)
    plan = plan_for(network, choice, settled)
    trail = Trail()
    started: list[Tensor] = []

    def begin(outputs: Tensor) -> Tensor:
        started.append(start_relevance(outputs, start, reference, settled))
        return started[-1]

    with torch.inference_mode(False), torch.no_grad():
        grounds = find_grounds(plan, valid.to(x.device), bounds, network.dtype)
        values, outputs = walk(network, plan, x.detach(), begin, grounds, trail)
    entries, count = trail.entries, x.shape[0]
    return Audit(
        layers=tuple(entry.name for entry in entries),
        kinds=tuple(entry.kind for entry in entries),
        rules=tuple("" if entry.rule is None else entry.rule.canonical() for entry in entries),
        score=_numbers(explained(outputs, start, reference)[0]),
        start=_numbers(per_sample(started[-1])),
        total=_numbers(per_sample(values)),
        land=_numbers(per_sample(values * ~valid.to(values.device))),
        zero_map=(values.flatten(1) == 0).all(1).cpu().numpy(),
        **{key: _stacked([getattr(e, key) for e in entries], count) for key in PER_STEP},
    )


PER_STEP = ("arrived", "passed", "bias", "stabiliser", "other", "positive", "negative", "outside")
"""What `Audit` holds per layer and sample."""


def _numbers(values: Tensor) -> Values:
    return values.detach().cpu().double().numpy()


def _stacked(rows: list[Tensor], count: int) -> Values:
    if not rows:
        return np.zeros((0, count))
    return np.stack([_numbers(row) for row in rows])
