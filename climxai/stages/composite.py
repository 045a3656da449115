"""Composite: shards of relevance -> one mean map per class, its statistics, and pictures."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from climxai.core.digest import file_digest
from climxai.core.errors import OutputError
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.explained import open_run
from climxai.stages.index import shards_of
from climxai.stages.layout import Layout
from climxai.stages.marks import agreeing, marks_of, null_shards_of, tell
from climxai.stages.outputs import (
    begin,
    result_attributes,
    stage_output,
    write_config,
    write_provenance,
)
from climxai.stages.wording import READABLE, field_name

if TYPE_CHECKING:
    import xarray as xr

    from climxai.attribution.methods import Method
    from climxai.composites.settings import Composite
    from climxai.composites.summary import Row
    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)

WORTH_A_WARNING: Final = 0.05


@dataclass(frozen=True)
class Composited:
    """What compositing left: netCDF and picture files, and a summary per method and composite."""

    netcdfs: tuple[Path, ...]
    maps: tuple[Path, ...]
    summaries: dict[str, list[Row]]
    layout: Layout


def composite(experiment: Experiment, *, allow_missing: bool = False) -> Composited:
    """Average the relevance of each class, beside the field's own composite, and draw both.

    Parameters
    ----------
    experiment
        The validated configuration, with one or several composites.
    allow_missing
        Whether shards that are missing or corrupt are left out with a warning.

    Raises
    ------
    OutputError
        When relevance is missing, damaged or made with another configuration, or no map is left.
    """
    from climxai.composites.composite import compose, work
    from climxai.composites.examine import examine
    from climxai.composites.summary import summarise

    with stage_output(experiment, "composite") as layout:
        opened = open_run(experiment, layout)
        shards, index, fields = opened.shards, opened.index, opened.fields
        started = begin(opened.files)
        write_config(experiment, layout)
        netcdfs, maps, summaries = [], [], {}
        for settings in experiment.composite:
            made = {}
            for method in experiment.explain.methods:
                held = shards_of(layout, shards, str(method.id), allow_missing=allow_missing)
                clusters = clusters_of(layout, method, settings, index["classes"])
                name = file_name(method, settings)
                with progress(f"compositing {name}", work(held, fields, settings)) as tick:
                    dataset = compose(
                        held,
                        fields,
                        index["classes"],
                        settings,
                        tick=tick,
                        clusters=clusters,
                        allow_missing=allow_missing,
                        memory=experiment.compute.memory,
                    )
                made[str(method.id)] = examine(
                    dataset,
                    held,
                    fields,
                    index["classes"],
                    settings,
                    memory=experiment.compute.memory,
                    clusters=clusters,
                    nulls=null_shards_of(experiment, layout, index, method, allow_missing),
                    allow_missing=allow_missing,
                )
            made = agreeing(made, settings)
            for method in experiment.explain.methods:
                name = file_name(method, settings)
                dataset = made[str(method.id)].assign_attrs(
                    _attributes(experiment, method, index, started)
                )
                listed = sum(shard.method == str(method.id) for shard in shards)
                if int(dataset.attrs["shards"]) < listed:
                    left_out = listed - int(dataset.attrs["shards"])
                    dataset = dataset.assign_attrs(shards_left_out=np.int32(left_out))
                path = layout.composite(name)
                write_netcdf(dataset, path)
                netcdfs.append(path)
                summaries[name] = summarise(dataset)
                _warn_of_zero_maps(name, summaries[name])
                tell(name, dataset)
                if settings.draw:
                    maps += draw_maps(dataset, experiment, method, settings, layout)
        write_provenance(
            layout,
            "composite",
            started,
            outputs={str(path.relative_to(layout.root)): file_digest(path) for path in netcdfs},
        )
    return Composited(tuple(netcdfs), tuple(maps), summaries, layout)


def file_name(method: Method, settings: Composite) -> str:
    """Return what the files of a composite are called: its method, and its id where it has one."""
    return str(method.id) if settings.id is None else f"{method.id}_{settings.id}"


def clusters_of(
    layout: Layout, method: Method, settings: Composite, classes: Sequence[str]
) -> tuple[Path, ...]:
    """Return the files of clusters that a composite reads, none where it reads none.

    Raises
    ------
    OutputError
        When they are not there, or it is not clear which are meant.
    """
    if not settings.reads("cluster"):
        return ()
    if settings.clusters is not None:
        path = layout.clusters(settings.clusters)
        if not path.exists():
            raise OutputError(
                f"there are no clusters named {settings.clusters!r} ({path} is missing): run "
                "`climxai strategies` first, or change `composite.clusters`"
            )
        return (path,)
    whole = layout.clusters(str(method.id))
    within = [layout.clusters(f"{method.id}_{name}") for name in classes]
    found = [path for path in (whole, *within) if path.exists()]
    if not found:
        raise OutputError(
            f"there are no clusters of the method {method.id} in {whole.parent}: run "
            "`climxai strategies` first"
        )
    if whole in found and len(found) > 1:
        raise OutputError(
            f"there are clusters of all classes and within classes of the method {method.id} in "
            f"{whole.parent}: say which are meant with `composite.clusters`, one of "
            f"{', '.join(path.stem for path in found)}"
        )
    return tuple(found)


def _attributes(
    experiment: Experiment, method: Method, index: dict[str, Any], started: dict[str, Any]
) -> dict[str, Any]:
    """Return the global attributes: all of a result's provenance, as text netCDF can hold."""
    networks = {seed: index["networks"][str(seed)] for seed in experiment.train.seeds}
    return {
        "title": f"Composite relevance per class ({method.id})",
        **result_attributes(experiment, "composite", started, networks),
        "method": str(method.id),
        "method_settings": method.canonical(),
        "objective_settings": experiment.explain.objective_of(method).canonical(),
        "signed": int(method.signed),
        "class_names": json.dumps(index["classes"]),
    }


def draw_maps(
    dataset: xr.Dataset,
    experiment: Experiment,
    method: Method,
    settings: Composite,
    layout: Layout,
) -> list[Path]:
    """Draw one map per class and channel that has samples."""
    from climxai.plots.maps import draw_map
    from climxai.plots.style import save_figure

    written = []
    channels = [str(name) for name in dataset["channel"].values]
    for label in (str(name) for name in dataset["class"].values):
        count = int(dataset["count"].sel({"class": label}))
        if count == 0:
            continue
        for channel in channels:
            chosen = dataset.sel({"class": label, "channel": channel})
            figure = draw_map(
                chosen["relevance"],
                chosen["field"].assign_attrs(
                    long_name=f"mean {field_name(chosen, experiment)}",
                    units=str(chosen["units"].item()),
                ),
                experiment.maps,
                signed=method.signed,
                title=_title(label, channel if len(channels) > 1 else None),
                subtitle=_subtitle(
                    dataset,
                    method,
                    count,
                    label,
                    str(experiment.explain.objective_of(method).model_dump()["name"]),
                ),
                label=colour_bar_label(settings.normalise),
                marks=marks_of(chosen, settings.significance, experiment.maps),
            )
            paths = [
                layout.map(
                    file_name(method, settings),
                    label,
                    channel if len(channels) > 1 else None,
                    suffix,
                )
                for suffix in experiment.maps.formats
            ]
            save_figure(figure, paths)
            written += paths
    return written


def _warn_of_zero_maps(method: str, rows: list[Row]) -> None:
    """Say which composites rest on maps that are zero everywhere: those say nothing."""
    for row in rows:
        share = row["zero_fraction"] or 0.0
        if share > WORTH_A_WARNING:
            LOG.warning(
                "%s, class %s, seed %d: %.0f%% of the %d maps are zero everywhere; they count, and "
                "weaken the composite",
                method,
                row["class_name"],
                row["seed"],
                100 * share,
                row["count"],
            )


def _title(label: str, channel: str | None) -> str:
    readable = READABLE.get(label, label.replace("_", " "))
    return f"Composite relevance: {readable}" + (f", {channel}" if channel else "")


def _subtitle(dataset: xr.Dataset, method: Method, count: int, label: str, objective: str) -> str:
    seeds = dataset.sizes["seed"]
    by_seed = dataset["count_by_seed"].sel({"class": label}).values
    n = f"n = {int(by_seed[0])}" if len(set(by_seed.tolist())) == 1 else f"n = {count} maps"
    settings = method.model_dump(mode="json")
    rule = settings.get("rule")
    rule = rule["name"] if isinstance(rule, dict) else rule
    how = f"{method.id} ({rule})" if rule and rule != method.id else str(method.id)
    what = objective.replace("_", " ")
    empty = int((dataset["zero_fraction"].sel({"class": label}) == 1).sum())
    networks = f"{seeds} network{'s' if seeds > 1 else ''}"
    if empty:
        networks += f" ({empty} of them with zero maps only)"
    return f"{how} of the {what}, {n}, {networks}"


def colour_bar_label(normalise: str) -> str:
    """Return the text of the colour bar: quantity, units and normalisation."""
    how = {
        "none": "in units of the explained output",
        "max": "each map divided by its maximum",
        "sum": "each map divided by its sum",
        "l2": "each map divided by its length",
        "rank": "each map replaced by its ranks",
    }
    return f"relevance (1), {how[normalise]}"
