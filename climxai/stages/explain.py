"""Explain: configuration + bundles -> shards of relevance -> index.

One shard is one file. It is done when the file exists and carries its key, so that a killed run
goes on where it stopped and two runs never mix.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import Bundle, load_bundle
from climxai.core.errors import DataError
from climxai.core.files import make_directory, write_json
from climxai.core.netcdf import write_netcdf
from climxai.core.progress import progress
from climxai.stages.attribute import attribute
from climxai.stages.index import (
    INDEX_FORMAT,
    Shard,
    ShardTask,
    done_with_key,
    plan_shards,
    settings_of,
    sweep,
)
from climxai.stages.keys import samples_key
from climxai.stages.layout import Layout
from climxai.stages.null_networks import told
from climxai.stages.outputs import begin, stage_output, write_config, write_provenance
from climxai.stages.preparation import Prepared
from climxai.stages.surroundings import check_traced, surroundings, traced
from climxai.stages.trained import prepare_with

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.stages.audit import Audited

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explained:
    """What explaining left: the shards, how many of them were made now, and an audit if asked."""

    shards: tuple[Shard, ...]
    made: int
    layout: Layout
    audited: Audited | None = None


def explain(experiment: Experiment) -> Explained:
    """Attribute the chosen samples with every method and every seed's network.

    Raises
    ------
    ClimxaiError
        When a network is missing or does not suit the data, or a method not the network.
    """
    with stage_output(experiment, "explain") as layout:
        bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        nulls = [load_bundle(layout.null_network(n)) for n in range(experiment.train.null_networks)]
        prepared = prepare_with(experiment, bundles, nulls)
        started = begin(prepared.files)
        write_config(experiment, layout)
        samples = samples_key(experiment, prepared.files)
        chosen = prepared.members(experiment.explain.samples)
        if chosen.size == 0:
            raise DataError(
                f"there is no sample to explain in the part {experiment.explain.samples!r} of the "
                "split: choose another `explain.samples`"
            )
        tasks = plan_shards(experiment, layout, bundles, samples, chosen, prepared)
        null_tasks = (
            plan_shards(experiment, layout, nulls, samples, chosen, prepared, null=True)
            if nulls
            else []
        )
        every = [*tasks, *null_tasks]
        left = [task for task in every if not done_with_key(task.path, task.key)]
        if len(left) < len(every):
            LOG.info("%d of %d shards are there already", len(every) - len(left), len(every))
        for folder in sorted({task.path.parent for task in every}):
            make_directory(folder)
        with progress("explaining", len(left)) as tick:
            for held, null in ((bundles, False), (nulls, True)):
                chosen_tasks = [task for task in left if task.null == null]
                for _ in _run(experiment, held, prepared, chosen_tasks):
                    tick()
        sweep(layout, {task.path for task in every})
        shards = tuple(task.as_shard(layout) for task in tasks)
        write_json(
            layout.index,
            {
                "format": INDEX_FORMAT,
                "samples": samples,
                "classes": list(prepared.samples.classes),
                "networks": {str(bundle.seed): bundle.digest for bundle in bundles},
                "null_networks": {str(bundle.seed): bundle.digest for bundle in nulls},
                "explain": settings_of(experiment),
                "shards": [shard.__dict__ for shard in shards],
                "null_shards": [task.as_shard(layout).__dict__ for task in null_tasks],
            },
        )
        write_provenance(layout, "explain", started, samples=samples, shards=len(shards))
        audited = None
        if experiment.explain.audit:
            from climxai.stages.audit import keep_books

            audited = keep_books(experiment, layout, bundles, prepared)
    return Explained(shards, len(left), layout, audited)


def _run(
    experiment: Experiment,
    bundles: Sequence[Bundle],
    prepared: Prepared,
    tasks: Sequence[ShardTask],
) -> Iterator[Path]:
    """Make the shards that are left: rows outermost, so that a sample is read once."""
    import torch

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    if not tasks:
        return
    networks = traced({bundle.seed: bundle for bundle in bundles})
    context = surroundings(experiment, prepared, networks.values())
    for network in networks.values():
        check_traced(experiment, network, context)
    valid = prepared.valid.values
    block = -1
    for task in sorted(tasks, key=lambda task: task.number):
        if task.number != block:
            held = prepared.samples.take(task.positions)
            inputs = held.inputs.compute()
            tensor = to_tensor(inputs, valid)
            block = task.number
        labelled = prepared
        if task.null:
            context = replace(context, peers=((networks[task.seed], None),))
            labelled = told(experiment, prepared, task.seed)
        write_netcdf(
            attribute(
                experiment.explain,
                networks[task.seed],
                tensor,
                inputs,
                labelled,
                task,
                context,
            ),
            task.path,
        )
        yield task.path
