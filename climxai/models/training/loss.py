"""The loss: cross-entropy, weighted by class, plus penalties on the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from climxai.core.errors import ModelError
from climxai.models.network import weighted_layers


def class_weights(
    wanted: Literal["balanced"] | tuple[float, ...] | None, targets: Tensor, outputs: int
) -> Tensor | None:
    """Return the weight of each class [output] in float64, or None for equal weights.

    Parameters
    ----------
    wanted
        ``"balanced"``: samples / (classes · samples of the class); a list; or None.
    targets
        Class number of each training sample.
    outputs
        Number of classes.

    Raises
    ------
    ModelError
        When ``balanced`` meets a class without a training sample.
    """
    if wanted is None:
        return None
    if wanted != "balanced":
        return torch.tensor(wanted, dtype=torch.float64, device=targets.device)
    counts = torch.bincount(targets, minlength=outputs)
    if int(counts.min()) == 0:
        raise ModelError(
            f"train.class_weights: class number {int(counts.argmin())} has no training sample, so "
            "`balanced` has no weight for it; give the weights as a list or change the split"
        )
    return len(targets) / (outputs * counts.double())


class Penalty:
    """Σ over layers of l1 · Σ|w| + l2 · Σw², biases left out.

    Parameters
    ----------
    network
        The network whose weights are penalised.
    factors
        (l1, l2) per weighted layer, first to last; see `Training.penalties`.
    """

    def __init__(self, network: nn.Module, factors: Sequence[tuple[float, float]]) -> None:
        weights = [weight for _, weight in weighted_layers(network)]
        self.terms = [
            (weight, l1, l2)
            for weight, (l1, l2) in zip(weights, factors, strict=True)
            if l1 > 0 or l2 > 0
        ]

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __call__(self) -> Tensor:
        """Return the penalty at the present weights, a scalar with a gradient."""
        parts = []
        for weight, l1, l2 in self.terms:
            if l1 > 0:
                parts.append(l1 * weight.abs().sum())
            if l2 > 0:
                parts.append(l2 * weight.square().sum())
        return torch.stack(parts).sum()


def cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return the mean over samples of weight[class] · cross-entropy.

    The mean divides by the number of samples, not by the sum of weights, so that a batch counts
    alike whatever classes it holds.
    """
    if weights is None:
        return nn.functional.cross_entropy(logits, targets)
    weights = weights.to(logits.dtype)
    losses = nn.functional.cross_entropy(logits, targets, weight=weights, reduction="sum")
    return losses / len(targets)
