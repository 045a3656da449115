"""Explain: configuration + bundles -> shards of relevance -> index.

One shard is one file. It is done when the file exists and carries its key, so that a killed run
goes on where it stopped and two runs never mix.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import Bundle, load_bundle
from climxai.core.digest import file_digest
from climxai.core.errors import DataError, ModelError
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
    sweep,
)
from climxai.stages.keys import data_key, samples_key
from climxai.stages.layout import Layout
from climxai.stages.outputs import begin, stage_output, write_provenance
from climxai.stages.preparation import Prepared, prepare

if TYPE_CHECKING:
    import torch

    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explained:
    """What explaining left: the shards, and how many of them were made now."""

    shards: tuple[Shard, ...]
    made: int
    layout: Layout


def explain(experiment: Experiment) -> Explained:
    """Attribute the chosen samples with every method and every seed's network.

    Raises
    ------
    ClimxaiError
        When a network is missing or does not suit the data, or a method not the network.
    """
    with stage_output(experiment, "explain") as layout:
        bundles = [load_bundle(layout.network(seed)) for seed in experiment.train.seeds]
        prepared = _prepare(experiment, bundles)
        started = begin(prepared.files)
        samples = samples_key(experiment, prepared.files)
        chosen = prepared.members(experiment.explain.samples)
        if chosen.size == 0:
            raise DataError(
                f"there is no sample to explain in the part {experiment.explain.samples!r} of the "
                "split: choose another `explain.samples`"
            )
        tasks = plan_shards(experiment, layout, bundles, samples, chosen, prepared)
        left = [task for task in tasks if not done_with_key(task.path, task.key)]
        if len(left) < len(tasks):
            LOG.info("%d of %d shards are there already", len(tasks) - len(left), len(tasks))
        for seed in experiment.train.seeds:
            for method in experiment.explain.methods:
                make_directory(layout.shard(str(method.id), seed, 0).parent)
        with progress("explaining", len(left)) as tick:
            for _ in _run(experiment, bundles, prepared, left):
                tick()
        sweep(layout, {task.path for task in tasks})
        shards = tuple(task.as_shard(layout) for task in tasks)
        write_json(
            layout.index,
            {
                "format": INDEX_FORMAT,
                "samples": samples,
                "classes": list(prepared.samples.classes),
                "networks": {str(bundle.seed): bundle.digest for bundle in bundles},
                "shards": [shard.__dict__ for shard in shards],
            },
        )
        write_provenance(layout, "explain", started, samples=samples, shards=len(shards))
    return Explained(shards, len(left), layout)


def _prepare(experiment: Experiment, bundles: Sequence[Bundle]) -> Prepared:
    """Prepare the data with the bundles' own preprocessing; check that they suit each other."""
    import xarray as xr

    first = bundles[0]
    preprocessings = {file_digest(bundle.path / "preprocessing.nc") for bundle in bundles}
    if len(preprocessings) > 1 or any(b.signature != first.signature for b in bundles):
        raise ModelError(
            f"the networks below {first.path.parent} were trained on different data or with "
            "different preprocessing: run `climxai train` again"
        )
    fields = experiment.data.open()
    first.signature.check_grid(fields, str(first.path))
    same_data = _trained_on(first) == data_key(experiment, experiment.data.paths())
    valid = None
    if same_data:
        # The mask was found by reading these very files: no need to read them all again.
        valid = xr.DataArray(
            first.signature.valid(),
            dims=("channel", "lat", "lon"),
            coords={name: fields[name] for name in ("channel", "lat", "lon")},
        )
    prepared = prepare(experiment, preprocessing=first.preprocessing, valid=valid)
    if not same_data:
        first.signature.check_mask(prepared.valid, str(first.path))
    if prepared.samples.classes != first.classes:
        raise ModelError(
            f"the classes of `label` ({', '.join(prepared.samples.classes)}) are not those of the "
            f"network in {first.path} ({', '.join(first.classes)}): run `climxai train` again"
        )
    return prepared


def _trained_on(bundle: Bundle) -> str:
    from climxai.bridge.bundle import PROVENANCE
    from climxai.core.files import read_json

    found = read_json(bundle.path / PROVENANCE, f"the provenance of the network in {bundle.path}")
    return str(found.get("data", ""))


def _run(
    experiment: Experiment,
    bundles: Sequence[Bundle],
    prepared: Prepared,
    tasks: Sequence[ShardTask],
) -> Iterator[Path]:
    """Make the shards that are left: rows outermost, so that a sample is read once."""
    import torch

    from climxai.attribution.network import trace

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    networks: dict[int, Network] = {}
    by_seed = {bundle.seed: bundle for bundle in bundles}
    valid = prepared.valid.values
    bounds = _bounds(prepared) if any(task.method.needs_bounds for task in tasks) else None
    block = -1
    for task in sorted(tasks, key=lambda task: task.number):
        if task.seed not in networks:
            bundle = by_seed[task.seed]
            networks[task.seed] = trace(bundle.network(), bundle.signature.shape)
            for method in experiment.explain.methods:
                method.check(networks[task.seed])
        if task.number != block:
            held = prepared.samples.take(task.positions)
            inputs = held.inputs.compute()
            tensor = to_tensor(inputs, valid)
            block = task.number
        write_netcdf(
            attribute(
                experiment.explain, networks[task.seed], tensor, inputs, prepared, task, bounds
            ),
            task.path,
        )
        yield task.path


def _bounds(prepared: Prepared) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the smallest and largest training value of every cell, invalid cells being 0."""
    import torch
    import xarray as xr

    training = prepared.samples.take(prepared.members("train")).inputs
    extremes = xr.Dataset({"low": training.min("sample"), "high": training.max("sample")}).compute()
    valid = torch.from_numpy(prepared.valid.values.astype(bool))
    smallest, largest = (
        torch.where(valid, torch.from_numpy(extremes[name].values.astype("float32")), 0.0)
        for name in ("low", "high")
    )
    return smallest, largest
