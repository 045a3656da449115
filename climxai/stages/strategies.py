"""Strategies: shards of relevance -> clusters, their composites, and what is suspect about them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.core.digest import file_digest
from climxai.core.errors import ConfigError, DataError, did_you_mean
from climxai.core.files import write_json, write_text
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.explained import open_run
from climxai.stages.index import shards_of
from climxai.stages.layout import Layout
from climxai.stages.outputs import (
    begin,
    result_attributes,
    stage_output,
    write_config,
    write_provenance,
)
from climxai.stages.strategies_groups import Group, groups_of

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.methods import Method
    from climxai.composites.clusters.gather import Explained
    from climxai.composites.clusters.report import Account
    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clustered:
    """What clustering left: an account per method and group of samples, and files."""

    accounts: tuple[Account, ...]
    netcdfs: tuple[Path, ...]
    tables: tuple[Path, ...]
    pictures: tuple[Path, ...]
    layout: Layout


def strategies(experiment: Experiment, others: tuple[Path, ...] = ()) -> Clustered:
    """Cluster the relevance of each method, and write clusters, composites and pictures.

    Parameters
    ----------
    experiment
        The validated configuration; its section `strategies` says what is clustered and how.
    others
        Output directories of other runs whose clusters are compared with these.

    Raises
    ------
    ClimxaiError
        When relevance is missing, damaged or made with another configuration, or there are too few
        samples for what is asked.
    """
    from climxai.composites.clusters.gather import read_heads

    with stage_output(experiment, "strategies") as layout:
        opened = open_run(experiment, layout)
        shards, index, fields = opened.shards, opened.index, opened.fields
        started = begin(opened.files)
        write_config(experiment, layout)
        networks = {seed: index["networks"][str(seed)] for seed in experiment.train.seeds}
        attributes = result_attributes(experiment, "strategies", started, networks)
        made: list[tuple[Account, list[Path], list[Path], list[Path]]] = []
        for method in _methods(experiment):
            held = shards_of(layout, shards, str(method.id))
            if experiment.strategies.seed != "mean" and experiment.strategies.seed not in held:
                raise ConfigError(
                    f"strategies.seed: {method.id} has no relevance of seed "
                    f"{experiment.strategies.seed}, only of {', '.join(map(str, held))}"
                )
            explained = read_heads(held, index["classes"])
            made += _method(
                experiment, layout, method, explained, fields, index["classes"], attributes, others
            )
        netcdfs = tuple(path for _, paths, _, _ in made for path in paths)
        write_provenance(
            layout,
            "strategies",
            started,
            outputs={str(path.relative_to(layout.root)): file_digest(path) for path in netcdfs},
        )
    return Clustered(
        tuple(account for account, _, _, _ in made),
        netcdfs,
        tuple(path for _, _, paths, _ in made for path in paths),
        tuple(path for _, _, _, paths in made for path in paths),
        layout,
    )


def _methods(experiment: Experiment) -> list[Method]:
    known = {str(method.id): method for method in experiment.explain.methods}
    asked = experiment.strategies.methods or tuple(known)
    for name in asked:
        if name not in known:
            raise ConfigError(
                f"strategies.methods: there is no method {name!r} in `explain.methods`."
                + did_you_mean(name, tuple(known))
            )
    return [known[name] for name in asked]


def _method(
    experiment: Experiment,
    layout: Layout,
    method: Method,
    explained: Explained,
    fields: xr.DataArray,
    classes: list[str],
    attributes: dict[str, Any],
    others: tuple[Path, ...],
) -> Iterator[tuple[Account, list[Path], list[Path], list[Path]]]:
    """Cluster the groups of one method; a class with too few samples is left out with a warning."""
    groups = list(groups_of(experiment, str(method.id), explained, fields, classes))
    refused: list[DataError] = []
    for group in groups:
        try:
            yield _group(
                experiment, layout, method, explained, fields, classes, attributes, others, group
            )
        except DataError as error:
            refused.append(error)
            if len(refused) == len(groups):
                raise
            LOG.warning("%s, %s is left out: %s", method.id, group.within, error)


def _group(
    experiment: Experiment,
    layout: Layout,
    method: Method,
    explained: Explained,
    fields: xr.DataArray,
    classes: list[str],
    attributes: dict[str, Any],
    others: tuple[Path, ...],
    group: Group,
) -> tuple[Account, list[Path], list[Path], list[Path]]:
    """Cluster one group, write its files, draw its pictures."""
    from climxai.composites.clusters.averages import averages, work
    from climxai.composites.clusters.dataset import (
        labels_dataset,
        samples_csv,
        strategies_dataset,
    )
    from climxai.composites.clusters.found import find
    from climxai.composites.clusters.gather import gather
    from climxai.composites.clusters.places import masks
    from climxai.composites.clusters.report import account
    from climxai.composites.clusters.stability import variants
    from climxai.stages.strategies_compared import dates_of, other_runs
    from climxai.stages.strategies_pictures import draw

    settings, rows = experiment.strategies, group.rows
    passes = 2 * work(explained, fields, settings) + settings.suggest.resamples
    with progress(f"clustering {group.name}", passes) as tick:
        gathered = gather(explained, fields, rows, settings, tick)
        found = find(gathered, settings, f"{method.id}, {group.within}", tick)
        places = masks(explained.first.lat, explained.first.lon, settings.suspect)
        pooled = averages(explained, fields, rows, found.labels, settings, places, tick)
    part = gathered.take(found.clustered)
    changed = list(variants(part, found.labels[found.clustered], found.choice.clusters, settings))
    changed += [*other_runs(others, group.name, rows, found.labels)]
    at = np.searchsorted(explained.row, rows)
    label, right = explained.label[at], explained.right[at]
    time, dates, year = dates_of(fields, rows)
    told = account(
        group.name, str(method.id), group.within, gathered, found, pooled, changed, settings,
        dates=dates, of_class={name: label == i for i, name in enumerate(classes)}, right=right,
    )  # fmt: skip
    _warn_of_graph(told)
    dataset = strategies_dataset(
        found, pooled, fields, rows, time,
        {
            "label": (label.astype(np.int32), _flags("true class", classes)),
            "prediction": (
                explained.prediction[at].astype(np.int32),
                _flags("class that most networks gave", classes),
            ),
            "right": (right, {"long_name": "fraction of networks that are right", "units": "1"}),
        },
    ).assign_attrs(
        title=f"Clusters of relevance ({method.id}, {group.within})",
        **attributes,
        method=str(method.id),
        method_settings=method.canonical(),
        strategies=settings.canonical(),
        verdict=told["verdict"],
    )  # fmt: skip
    small = labels_dataset(rows, time, found.labels, found.clusters).assign_attrs(
        title=f"Cluster of each sample ({method.id}, {group.within})", **attributes
    )
    write_netcdf(dataset, layout.strategies(group.name, "nc"))
    write_netcdf(small, layout.clusters(group.name))
    names = np.array([*classes, "none"], dtype=object)
    table = samples_csv(
        found, dates,
        {"row": rows.tolist(), "class": names[label].tolist(), "right": right.round(3).tolist()},
        settings.nearest,
    )  # fmt: skip
    write_text(layout.strategies(group.name, "csv"), table)
    write_json(layout.strategies(group.name, "json"), told)
    pictures = draw(
        dataset, found, told, experiment, method, layout, year=year, classes=names[label].tolist()
    )
    return (
        told,
        [layout.strategies(group.name, "nc"), layout.clusters(group.name)],
        [layout.strategies(group.name, "csv"), layout.strategies(group.name, "json")],
        pictures,
    )


def _flags(text: str, classes: list[str]) -> dict[str, Any]:
    return {
        "long_name": text,
        "flag_values": np.arange(len(classes), dtype=np.int32),
        "flag_meanings": " ".join(classes),
    }


def _warn_of_graph(told: Account) -> None:
    """Say when the graph itself falls into more parts than clusters: those are arbitrary then."""
    chosen = told["chosen"]
    if told["settings"]["algorithm"]["name"] == "spectral" and (
        chosen["graph_parts"] > chosen["clusters"]
    ):
        LOG.warning(
            "%s: the graph of %d neighbours falls into %d parts without any link, more than %d "
            "clusters: which parts go together is arbitrary; take more neighbours "
            "(`strategies.algorithm.neighbours`)",
            told["id"],
            chosen["neighbours"],
            chosen["graph_parts"],
            chosen["clusters"],
        )
