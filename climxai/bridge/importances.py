"""Permutation importance as a dataset: by seed, repeat and group of cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.cf import LATITUDE, LONGITUDE

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.groups import Cover
    from climxai.attribution.importance import Importance

WHAT: Final = {
    "cross_entropy": "rise of the cross entropy without the group's own values",
    "accuracy": "fall of the accuracy without the group's own values",
}
INTERVAL: Final = (5.0, 95.0)
"""Percentiles over repeats that the interval spans."""


def importance_dataset(
    found: Mapping[int, Importance], valid: xr.DataArray, attributes: Mapping[str, Any]
) -> xr.Dataset:
    """Return the importance of one method's groups as labelled arrays.

    Parameters
    ----------
    found
        Seed -> importance for its network, in the order cross entropy, accuracy.
    valid
        Valid cells (channel, lat, lon), for their coordinates.
    attributes
        Global attributes.

    Returns
    -------
    xarray.Dataset
        Per metric: itself (seed, repeat, group), its mean, low and high over repeats (seed, group),
        intact (seed) and replaced (seed, repeat); rank (seed, group), from 1; count (seed); and,
        where no cell is in two groups, group_number (channel, lat, lon), -1 in no group.
    """
    import xarray as xr

    each = list(found.values())
    cover = each[0].cover
    variables: dict[str, Any] = {}
    for number, (metric, text) in enumerate(WHAT.items()):
        changes = np.stack([one.changes[number] for one in each])
        low, high = np.percentile(changes, INTERVAL, axis=1)
        said = metric.replace("_", " ")
        percent = " to ".join(f"{bound:g}" for bound in INTERVAL)
        variables |= {
            metric: (("seed", "repeat", "group"), changes, _named(text)),
            f"{metric}_mean": (
                ("seed", "group"),
                changes.mean(axis=1),
                _named(f"{text}, mean over repeats"),
            ),
            f"{metric}_low": (
                ("seed", "group"),
                low,
                _named(f"{text}, lower end of the interval of {percent} percent of the repeats"),
            ),
            f"{metric}_high": (
                ("seed", "group"),
                high,
                _named(f"{text}, upper end of the interval of {percent} percent of the repeats"),
            ),
            f"intact_{metric}": (
                "seed",
                [one.intact[number] for one in each],
                _named(f"{said} of the samples as they are"),
            ),
            f"replaced_{metric}": (
                ("seed", "repeat"),
                np.stack([one.replaced[number] for one in each]),
                _named(f"{said} with all groups replaced"),
            ),
        }
    ranks = np.stack([np.argsort(one.order) + 1 for one in each]).astype(np.int32)
    variables["rank"] = (
        ("seed", "group"),
        ranks,
        {"long_name": "place of the group, 1 for the one that matters most", "units": "1"},
    )
    variables["count"] = (
        "seed",
        np.array([one.samples for one in each], dtype=np.int32),
        {"long_name": "number of samples", "units": "1"},
    )
    dataset = xr.Dataset(
        variables,
        coords={
            "seed": ("seed", list(found), {"long_name": "seed of the network"}),
            "repeat": ("repeat", np.arange(each[0].changes.shape[1], dtype=np.int32),
                       {"long_name": "draw of other samples"}),
            **group_coordinates(cover, [str(name) for name in valid["channel"].values]),
        },
        attrs=dict(attributes),
    )  # fmt: skip
    if not cover.disjoint:
        return dataset
    places = xr.DataArray(
        cover.number.reshape(cover.shape).astype(np.int32),
        dims=("channel", "lat", "lon"),
        coords={name: valid[name].reset_coords(drop=True) for name in ("channel", "lat", "lon")},
        attrs={"long_name": "position of the cell's group along group, -1 in no group"},
    )
    dataset["group_number"] = places
    dataset["lat"].attrs, dataset["lon"].attrs = dict(LATITUDE), dict(LONGITUDE)
    return dataset


def group_coordinates(cover: Cover, channels: list[str]) -> dict[str, Any]:
    """Return what is known of groups: names, channels, numbers of cells, shares of land."""
    return {
        "group": ("group", group_names(cover, channels), {"long_name": "group of cells"}),
        "cells": ("group", cover.sizes.astype(np.int32),
                  {"long_name": "number of valid cells in the group", "units": "1"}),
        "land": ("group", cover.land,
                 {"long_name": "share of the group's outline that is invalid", "units": "1"}),
    }  # fmt: skip


def group_names(cover: Cover, channels: list[str]) -> list[str]:
    """Return what groups are called, with their channel where there are several."""
    names = []
    for name, channel in zip(cover.names, cover.channels, strict=True):
        if channel is None or len(channels) == 1:
            names.append(channels[0] if name == "channel" else name)
        else:
            names.append(channels[channel] if name == "channel" else f"{name}, {channels[channel]}")
    return names


def _named(text: str) -> dict[str, str]:
    return {"long_name": text, "units": "1"}
