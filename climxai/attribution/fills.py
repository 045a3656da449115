"""Fills: what stands in place of a group of cells when a method asks what it mattered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from climxai.attribution.baselines import BASELINES, Baseline
from climxai.core.errors import ModelError
from climxai.core.record import OneOf, Record

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.groups.indices import Indices
    from climxai.attribution.replacement import Replacement


class LocalMean(Record):
    """The group's own mean per channel, by area: its pattern goes, its level stays.

    A broad anomaly is part of the level: what is asked is whether its shape mattered.
    """

    name: Literal["local_mean"] = "local_mean"


FILLS: dict[str, type[Record]] = {**BASELINES, "local_mean": LocalMean}

AnyFill = Annotated[Baseline | LocalMean, OneOf(FILLS, "fill")]
"""A baseline, whose maps are taken where the group lies, or the group's own mean."""


def check_fill(fill: Baseline | LocalMean, sizes: tuple[int, ...], context: Context) -> None:
    """Raise where a fill cannot be had; ``sizes`` are the numbers of cells of the groups.

    Raises
    ------
    ClimxaiError
        When training rows or a file are missing, or the mean of single cells is asked for.
    """
    if isinstance(fill, Baseline):
        fill.check(context)
    elif max(sizes) == 1:
        raise ModelError(
            "fill local_mean replaces every group by its own mean, and these groups are single "
            "cells, so that nothing would change: choose another fill, or larger groups"
        )


def replacements(
    fill: Baseline | LocalMean, x: Tensor, indices: Indices, context: Context
) -> list[Replacement]:
    """Return what stands in place of the groups of ``x``, one or several, to be averaged over.

    Parameters
    ----------
    fill
        The record.
    x
        Inputs [sample, channel, lat, lon].
    indices
        The groups.
    context
        Valid cells, grid and training rows.
    """
    from climxai.attribution.baselines.maps import Zero
    from climxai.attribution.replacement import Replacement

    if isinstance(fill, LocalMean):
        return [Replacement(levels=group_means(x, indices, context))]
    if isinstance(fill, Zero):
        return [Replacement()]
    return [Replacement(maps=each[None]) for each in fill.maps(x, context)]


def group_means(x: Tensor, indices: Indices, context: Context) -> Tensor:
    """Return the mean of every group by area [sample, group, channel]; 0 where it has no cell."""
    import numpy as np
    import torch

    depth, height, width = indices.cover.shape
    area = np.ones((height, width))
    if context.grid is not None:
        area = np.maximum(np.cos(np.deg2rad(context.grid.lat)), 1e-6)[:, None] * area
    weights = torch.from_numpy(np.tile(area.reshape(-1), depth)).to(x)
    cell = torch.from_numpy(indices.cover.cell)
    # One sum per group and channel.
    of = torch.from_numpy(indices.cover.group) * depth + cell // (height * width)
    sums = x.new_zeros((len(x), len(indices.cover) * depth))
    values = x.flatten(1)[:, cell]
    # About one cell's value each, so that the mean of equal values is that value exactly.
    some = torch.zeros_like(sums)
    some[:, of] = values
    sums.index_add_(1, of, (values - some[:, of]) * weights[cell])
    totals = x.new_zeros(len(indices.cover) * depth).index_add_(0, of, weights[cell])
    means = some + sums / torch.where(totals > 0, totals, torch.ones_like(totals))
    return means.reshape(len(x), len(indices.cover), depth)
