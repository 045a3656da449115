"""Check: the plan of an experiment, without writing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from climxai.core.errors import DataError
from climxai.stages.beforehand import check_beforehand
from climxai.stages.index import rows_per_shard
from climxai.stages.preparation import Prepared, prepare, require_trainable
from climxai.stages.surroundings import check_methods

if TYPE_CHECKING:
    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment

RELEVANCE_BYTES = 4


@dataclass(frozen=True)
class Plan:
    """What an experiment is going to read, train, make and need."""

    files: tuple[str, ...]
    period: tuple[str, str]
    calendar: str
    rows: int
    grid: str
    channels: tuple[str, ...]
    valid_cells: int
    cells: int
    counts: dict[str, dict[str, int]]
    dropped: int
    preprocess: tuple[str, ...]
    network: str
    parameters: int
    seeds: tuple[int, ...]
    methods: tuple[str, ...]
    explained: int
    shards: int
    rows_per_shard: int
    training_bytes: int
    shard_bytes: int
    disk_bytes: int
    output: str
    warnings: tuple[str, ...]
    rules: dict[str, tuple[tuple[str, str, str], ...]]
    """by LRP method: name, kind and rule of every layer, from the input up"""
    refusal: str | None
    """why training would be refused, if it would"""


def check(experiment: Experiment) -> Plan:
    """Open the data and work out the plan.

    Raises
    ------
    ClimxaiError
        When the data do not suit the experiment.
    """
    from climxai.data.grids.describe import describe_grid
    from climxai.data.time import iso
    from climxai.models.network import count_parameters

    experiment.maps.check()
    prepared = prepare(experiment)
    rules = _rules(experiment, check_methods(experiment, prepared))
    check_beforehand(experiment, prepared)
    refusal = None
    try:
        require_trainable(prepared)
    except DataError as error:
        refusal = str(error)
    fields, classes = prepared.fields, prepared.samples.classes
    shape = tuple(int(fields.sizes[name]) for name in ("channel", "lat", "lon"))
    cells = int(np.prod(shape))
    per_shard = rows_per_shard(experiment, (shape[0], shape[1], shape[2]))
    explained = len(prepared.members(experiment.explain.samples))
    networks = len(experiment.train.seeds) + experiment.train.null_networks
    runs = networks * len(experiment.explain.methods)
    parameters = count_parameters(experiment.network, (shape[0], shape[1], shape[2]), len(classes))
    in_parts = sum(len(prepared.members(part)) for part in ("train", "validation", "test"))
    return Plan(
        files=tuple(str(path) for path in prepared.files),
        period=(iso(fields["time"].values[0]), iso(fields["time"].values[-1])),
        calendar=str(fields.attrs.get("calendar", "standard")),
        rows=int(fields.sizes["sample"]),
        grid=describe_grid(fields["lat"].values, fields["lon"].values),
        channels=_channels(prepared),
        valid_cells=int(prepared.valid.values.sum()),
        cells=cells,
        counts=prepared.counts(),
        dropped=int((prepared.labelling.numbers < 0).sum()),
        preprocess=tuple(step.name for step in experiment.preprocess),
        network=str(experiment.network.model_dump()["name"]),
        parameters=parameters,
        seeds=experiment.train.seeds,
        methods=tuple(str(method.id) for method in experiment.explain.methods),
        explained=explained,
        shards=runs * -(-explained // per_shard),
        rows_per_shard=per_shard,
        # Maps in memory while training, with their preprocessing; weights, gradients, momentum.
        training_bytes=in_parts * cells * 4 * 2 + parameters * 4 * 4,
        shard_bytes=min(per_shard, explained) * cells * 4 * 8,
        disk_bytes=runs * explained * cells * RELEVANCE_BYTES + networks * parameters * 4,
        output=experiment.output.directory,
        warnings=prepared.warnings,
        rules=rules,
        refusal=refusal,
    )


def _rules(experiment: Experiment, network: Network) -> dict[str, tuple[tuple[str, str, str], ...]]:
    """Return which rule every layer gets, by method; layers that none has are not there."""
    from climxai.attribution.methods.lrp import LayerwiseRelevance

    return {
        str(method.id): tuple(
            (layer.name, layer.kind, rule.short()) for layer, rule in method.layers(network)
        )
        for method in experiment.explain.methods
        if isinstance(method, LayerwiseRelevance)
    }


def _channels(prepared: Prepared) -> tuple[str, ...]:
    names = prepared.fields["channel"].values
    units = prepared.fields["units"].values
    return tuple(f"{name} ({unit or '1'})" for name, unit in zip(names, units, strict=True))
