"""Importance: configuration + bundles -> what regions are worth to the networks' skill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from climxai.attribution.methods.permutation import PermutationImportance
from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import Bundle, load_bundle
from climxai.bridge.importances import importance_dataset
from climxai.core.errors import ClimxaiError, ConfigError, DataError
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.layout import Layout
from climxai.stages.outputs import begin, result_attributes, stage_output, write_provenance
from climxai.stages.preparation import Prepared
from climxai.stages.surroundings import surroundings, traced
from climxai.stages.trained import prepare_with

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.attribution.context import Context
    from climxai.attribution.importance import Importance
    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment

Metric = Literal["cross_entropy", "accuracy"]


@dataclass(frozen=True)
class Ranked:
    """What an importance left: files, and rows to print per method."""

    netcdfs: tuple[Path, ...]
    pictures: tuple[Path, ...]
    rows: dict[str, list[dict[str, Any]]]
    metric: Metric
    skill: dict[str, tuple[float, float]]
    """method -> the metric of the samples as they are, and with all groups replaced; means"""


def importance(experiment: Experiment, metric: Metric = "cross_entropy") -> Ranked:
    """Measure every permutation importance of the configuration on the explained samples.

    Parameters
    ----------
    experiment
        The validated configuration; `explain.samples` says which samples count.
    metric
        What ranks groups and is drawn; both metrics are written.

    Raises
    ------
    ClimxaiError
        When no method is a permutation importance, a network is missing, or groups do not fit.
    """
    import torch

    methods = importances_of(experiment)
    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    with stage_output(experiment, "importance") as layout:
        bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        prepared = prepare_with(experiment, bundles)
        started = begin(prepared.files)
        found = _measure(experiment, bundles, prepared, methods, metric)
        datasets: dict[str, xr.Dataset] = {}
        for method in methods:
            name = str(method.id)
            attributes = {
                **result_attributes(
                    experiment, "importance", started, {each.seed: each.digest for each in bundles}
                ),
                "title": f"Permutation importance ({name})",
                "method": name,
                "method_settings": method.canonical(),
                "metric": metric,
                "samples": experiment.explain.samples,
                "only_correct": int(experiment.explain.only_correct),
                "passes": method.passes,
                "direction": method.direction,
            }
            datasets[name] = importance_dataset(found[name], prepared.valid, attributes)
            write_netcdf(datasets[name], layout.importance(name, "nc"))
        pictures = _draw(experiment, layout, datasets, metric)
        netcdfs = tuple(layout.importance(name, "nc") for name in datasets)
        write_provenance(
            layout,
            "importance",
            started,
            outputs=[str(p.relative_to(layout.root)) for p in netcdfs],
        )
    return Ranked(
        netcdfs,
        pictures,
        {name: rows_of(dataset, metric) for name, dataset in datasets.items()},
        metric,
        {
            name: (
                float(dataset[f"intact_{metric}"].mean()),
                float(dataset[f"replaced_{metric}"].mean()),
            )
            for name, dataset in datasets.items()
        },
    )


def importances_of(experiment: Experiment) -> list[PermutationImportance]:
    """Return the methods that are permutation importances.

    Raises
    ------
    ConfigError
        When there is none.
    """
    methods = experiment.explain.methods
    found = [each for each in methods if isinstance(each, PermutationImportance)]
    if not found:
        raise ConfigError(
            f"explain.methods: found {', '.join(str(each.id) for each in methods)}, none of them a "
            "permutation importance: add one, such as {name: permutation_importance, groups: "
            "{name: boxes, lat: 30, lon: 30}}"
        )
    return found


def _measure(
    experiment: Experiment,
    bundles: Sequence[Bundle],
    prepared: Prepared,
    methods: Sequence[PermutationImportance],
    metric: Metric,
) -> dict[str, dict[int, Importance]]:
    """Return method -> seed -> importance."""
    import torch

    from climxai.attribution.importance import importance as measure

    networks = traced({bundle.seed: bundle for bundle in bundles})
    context = surroundings(experiment, prepared, tuple(networks.values()))
    _check(experiment, methods, networks, context)
    chosen = prepared.members(experiment.explain.samples)
    if chosen.size == 0:
        raise DataError(
            f"there is no sample in the part {experiment.explain.samples!r} of the split: choose "
            "another `explain.samples`"
        )
    inputs = prepared.samples.take(chosen).inputs.compute()
    tensor = to_tensor(inputs, prepared.valid.values)
    labels = torch.from_numpy(prepared.samples.labels.values[chosen].astype(np.int64))
    rows = torch.from_numpy(inputs["row"].values.astype(np.int64))
    found: dict[str, dict[int, Importance]] = {str(method.id): {} for method in methods}
    with progress("measuring importance", len(networks) * len(methods)) as tick:
        for seed, network in networks.items():
            kept = _kept(experiment, network, tensor, labels, seed)
            for method in methods:
                found[str(method.id)][seed] = measure(
                    method,
                    network,
                    tensor[kept],
                    labels[kept],
                    replace(context, rows=rows[kept]),
                    metric,
                )
                tick()
    return found


def _check(
    experiment: Experiment,
    methods: Sequence[PermutationImportance],
    networks: dict[int, Network],
    context: Context,
) -> None:
    for index, method in enumerate(experiment.explain.methods):
        if method not in methods:
            continue
        try:
            method.check(next(iter(networks.values())), context)
        except ClimxaiError as error:
            raise type(error)(f"explain.methods.{index} ({method.id}): {error}") from error


def _kept(
    experiment: Experiment, network: Network, x: torch.Tensor, labels: torch.Tensor, seed: int
) -> torch.Tensor:
    """Return the positions of the samples that count for a network."""
    import torch

    from climxai.stages.attribute import BATCH

    if not experiment.explain.only_correct:
        return torch.arange(len(x))
    with torch.no_grad():
        logits = torch.cat([network(part) for part in torch.split(x, BATCH)])
    kept = torch.nonzero(logits.argmax(dim=1) == labels)[:, 0]
    if len(kept) == 0:
        raise DataError(
            f"the network of seed {seed} classifies no sample correctly: set "
            "`explain.only_correct` to false or train longer"
        )
    return kept


def _draw(
    experiment: Experiment, layout: Layout, datasets: dict[str, xr.Dataset], metric: Metric
) -> tuple[Path, ...]:
    from climxai.plots.importance import draw_importance
    from climxai.plots.style import save_figure

    written: list[Path] = []
    for name, dataset in datasets.items():
        figure = draw_importance(
            dataset, metric, title=f"Importance of regions: {name}", dpi=experiment.maps.dpi
        )
        paths = [layout.importance(name, suffix) for suffix in experiment.maps.formats]
        written += save_figure(figure, paths)
    return tuple(written)


def rows_of(dataset: xr.Dataset, metric: Metric, most: int = 15) -> list[dict[str, Any]]:
    """Return the groups that matter most, in order, as rows to print."""
    from climxai.plots.importance import places_of

    changes = dataset[metric]
    rows = []
    for place in places_of(dataset, metric)[:most].tolist():
        here = changes.isel(group=place)
        low, high = np.percentile(here.values, (5, 95))
        rows.append(
            {
                "group": str(dataset["group"].values[place]),
                "mean": float(here.mean()),
                "low": float(low),
                "high": float(high),
                "ranks": [int(each) for each in dataset["rank"].values[:, place]],
                "cells": int(dataset["cells"].values[place]),
            }
        )
    return rows
