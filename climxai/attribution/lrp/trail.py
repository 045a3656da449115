"""What an audit sees of the walk: sums per sample of what arrived, went on and was kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from climxai.attribution.lrp.crossing import Ledger, per_sample
from climxai.attribution.lrp.rules import Rule
from climxai.attribution.lrp.steps import Step


@dataclass(frozen=True)
class Entry:
    """One step in the books, every sum [sample].

    Parameters
    ----------
    name, kind, rule
        The step's name, kind, and rule; no rule for steps that only move values or pick some.
    arrived
        Relevance that reached its output.
    passed
        Relevance that it passed on to its inputs.
    positive, negative
        Sums of the positive and of the negative values passed on.
    bias, stabiliser
        What its bias and its stabiliser took.
    outside
        How many of its inputs lay outside the bounds of its rule.
    """

    name: str
    kind: str
    rule: Rule | None
    arrived: Tensor
    passed: Tensor
    positive: Tensor
    negative: Tensor
    bias: Tensor
    stabiliser: Tensor
    outside: Tensor

    @property
    def other(self) -> Tensor:
        """What empty sides, zero denominators, fixed numbers and rounding took [sample]."""
        return self.arrived - self.passed - self.bias - self.stabiliser


@dataclass
class Trail:
    """An entry per step that has a rule or may keep relevance, from the output down."""

    entries: list[Entry] = field(default_factory=list)

    def record(
        self, step: Step, arrived: Any, parts: tuple[Tensor | None, ...], ledger: Ledger
    ) -> None:
        """Add a step's sums."""
        crossing = step.crossing
        if crossing is None:
            return
        several = list(arrived.values()) if isinstance(arrived, dict) else [arrived]
        given = [part for part in parts if part is not None]
        total = _sum(several, torch.zeros(len(several[0]), dtype=torch.float64))
        zero = torch.zeros_like(total)
        self.entries.append(
            Entry(
                step.name,
                crossing.kind,
                step.rule,
                arrived=total,
                passed=_sum(given, zero),
                positive=_sum([part.clamp(min=0) for part in given], zero),
                negative=_sum([part.clamp(max=0) for part in given], zero),
                bias=zero if ledger.bias is None else ledger.bias,
                stabiliser=zero if ledger.stabiliser is None else ledger.stabiliser,
                outside=zero if ledger.outside is None else ledger.outside,
            )
        )


def _sum(values: list[Tensor], zero: Tensor) -> Tensor:
    total = zero
    for value in values:
        total = total.to(value.device) + per_sample(value)
    return total
