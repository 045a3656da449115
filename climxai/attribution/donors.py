"""Training samples whose values stand in place of another sample's."""

from __future__ import annotations

import torch
from torch import Tensor

from climxai.attribution.context import Context
from climxai.core.errors import ModelError


def check_donors(context: Context) -> None:
    """Raise `ModelError` where an explanation is made without training samples."""
    if context.training is None:
        raise ModelError(
            "values are taken from other training samples, and there are none here: explain with "
            "the experiment's data, or choose a method that fills, such as ablation"
        )


def donors(x: Tensor, context: Context, pool: int, seed: int) -> Tensor:
    """Return training samples [donor, channel, lat, lon] held like ``x``, 0 on invalid cells.

    Parameters
    ----------
    x
        Inputs [sample, channel, lat, lon].
    context
        Training samples and valid cells.
    pool
        How many at most.
    seed
        Which of them, where there are more.

    Raises
    ------
    ModelError
        When there are none, or they are shaped differently.
    """
    check_donors(context)
    rows = context.training
    if rows is None or len(rows) == 0:
        raise ModelError("there is no training sample to take values from: train on more samples")
    held = rows.draw(min(pool, len(rows)), seed).to(x) * context.valid.to(x)
    if held.shape[1:] != x.shape[1:]:
        raise ModelError(
            f"training samples have shape {tuple(held.shape[1:])}, the inputs {tuple(x.shape[1:])}:"
            " give inputs with the network's channels on its grid"
        )
    return held


def picked(x: Tensor, pool: Tensor, repeats: int, context: Context, seed: int) -> Tensor:
    """Return which donors each sample takes values from [sample, repeat], drawn per sample.

    None is taken twice before all were taken once; a donor that is the sample itself never is.

    Raises
    ------
    ModelError
        When the pool holds nothing but the sample itself.
    """
    found = torch.empty((len(x), repeats), dtype=torch.int64)
    probe = pool.flatten(1).double().sum(1)
    for number, each in enumerate(x):
        order = torch.randperm(len(pool), generator=context.generator(seed, number))
        # Equal sums first: whole maps are compared only where they may be equal.
        alike = torch.isclose(probe[order], each.double().sum(), rtol=1e-6, atol=1e-6)
        for place in torch.nonzero(alike)[:, 0].tolist():
            alike[place] = bool((pool[order[place]] == each).all())
        others = order[~alike]
        if len(others) == 0:
            raise ModelError(
                "the training samples hold nothing but the sample that is explained: there are no "
                "other values to take"
            )
        found[number] = others.repeat(-(-repeats // len(others)))[:repeats]
    return found
