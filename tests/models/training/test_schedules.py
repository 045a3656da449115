"""Schedules against torch's own, which climxai does not use, and against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch.optim import lr_scheduler

from climxai.models.training.schedules import Constant, Cosine, Exponential, Plateau, Schedule, Step

EPOCHS = 20
LOSSES = [5.0, 4.0, 4.1, 4.2, 4.3, 3.9, 3.89999, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 2.0, 2.0, 2.0, 2.1]
LOSSES += [2.2, 2.0, 1.0]


def _torch_rates(make: Callable[[torch.optim.Optimizer], object]) -> list[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for epoch in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(LOSSES[epoch])
        else:
            scheduler.step()  # type: ignore[attr-defined]
    return rates


@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        (Step(every=6, by=0.3), lambda o: lr_scheduler.StepLR(o, 6, 0.3)),
        (Exponential(by=0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
        (Cosine(last=0.1), lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, eta_min=0.1)),
        (
            Plateau(by=0.5, patience=2, threshold=1e-4),
            lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=2, threshold=1e-4),
        ),
        (
            Plateau(by=0.2, patience=1, threshold=0.1),
            lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.2, patience=1, threshold=0.1),
        ),
    ],
    ids=["step", "exponential", "cosine", "plateau", "plateau-threshold"],
)
def test_equals_torch(schedule: Schedule, make: Callable[[torch.optim.Optimizer], object]) -> None:
    found = [schedule.factor(epoch, EPOCHS, LOSSES[:epoch]) for epoch in range(EPOCHS)]
    expected = _torch_rates(make)
    assert len(set(expected)) > 2
    assert found == pytest.approx(expected)


def test_closed_forms_at_single_epochs() -> None:
    assert Constant().factor(17, 20, ()) == 1
    assert Step(every=10, by=0.1).factor(9, 100, ()) == 1
    assert Step(every=10, by=0.1).factor(25, 100, ()) == pytest.approx(0.01)
    assert Exponential(by=0.5).factor(3, 100, ()) == 0.125
    assert Cosine().factor(50, 100, ()) == pytest.approx(0.5)
    assert Cosine(last=0.2).factor(25, 100, ()) == pytest.approx(
        0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2
    )
