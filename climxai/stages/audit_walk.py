"""The walk of an audit: every seed and method on a block of samples while it is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import Bundle
from climxai.core.progress import progress
from climxai.stages.attribute import BATCH
from climxai.stages.index import rows_per_shard
from climxai.stages.preparation import Prepared
from climxai.stages.surroundings import surroundings, traced, with_reference

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.attribution.context import Context
    from climxai.attribution.lrp.audit import Audit
    from climxai.attribution.network import Network
    from climxai.config.experiment import Experiment

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Samples held at once: inputs [sample, channel, lat, lon], labels, places among the chosen."""

    tensor: torch.Tensor
    labels: torch.Tensor
    where: Positions


@dataclass
class Books:
    """Parts of audits per method and seed, and what the advice looks at.

    Parameters
    ----------
    parts
        Method -> seed -> positions along ``sample`` and their audit.
    scores
        Seed -> objective -> explained scalars of the first samples, and what biases alone give.
    networks
        Seed -> its network.
    """

    parts: dict[str, dict[int, list[tuple[Positions, Audit]]]] = field(default_factory=dict)
    scores: dict[int, dict[str, tuple[torch.Tensor, torch.Tensor]]] = field(default_factory=dict)
    networks: dict[int, Network] = field(default_factory=dict)


def walk(
    experiment: Experiment,
    bundles: Sequence[Bundle],
    prepared: Prepared,
    chosen: Positions,
    methods: Sequence[LayerwiseRelevance],
) -> Books:
    """Audit block after block of samples, every seed and method on a block while it is held."""
    import torch

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    books = Books()
    for method in methods:
        books.parts[str(method.id)] = {bundle.seed: [] for bundle in bundles}
    books.networks = traced({bundle.seed: bundle for bundle in bundles})
    context = surroundings(experiment, prepared)
    with progress("auditing", len(chosen) * len(bundles)) as tick:
        for block in _blocks(experiment, prepared, chosen, bundles[0].signature.shape):
            for bundle in bundles:
                _audit_block(experiment, prepared, books, bundle.seed, block, methods, context)
                tick(len(block.where))
    return books


def _blocks(
    experiment: Experiment, prepared: Prepared, chosen: Positions, shape: tuple[int, int, int]
) -> Iterator[Block]:
    """Yield the chosen samples, as many at a time as memory allows, in batches."""
    import torch

    size = rows_per_shard(experiment, shape)
    for begins in range(0, len(chosen), size):
        positions = chosen[begins : begins + size]
        tensor = to_tensor(prepared.samples.take(positions).inputs.compute(), prepared.valid.values)
        labels = torch.from_numpy(prepared.samples.labels.values[positions].astype(np.int64))
        for first in range(0, len(positions), BATCH):
            part = slice(first, first + BATCH)
            where = np.arange(begins + first, begins + first + len(labels[part]))
            yield Block(tensor[part], labels[part], where)


def _audit_block(
    experiment: Experiment,
    prepared: Prepared,
    books: Books,
    seed: int,
    block: Block,
    methods: Sequence[LayerwiseRelevance],
    context: Context,
) -> None:
    import torch

    from climxai.attribution.lrp.advice import scores_and_biases

    network = books.networks[seed]
    with torch.no_grad():
        logits = network(block.tensor)
    tensor, labels, where = block.tensor, block.labels, block.where
    if experiment.explain.only_correct:
        kept = torch.nonzero(logits.argmax(dim=1) == labels)[:, 0]
        tensor, labels, logits = tensor[kept], labels[kept], logits[kept]
        where = where[kept.numpy()]
    if not len(tensor):
        return
    for method in methods:
        objective = experiment.explain.objective_of(method)
        start = objective.weights(logits, labels, prepared.samples.classes)
        around = with_reference(context, objective, network)
        found = method.audit(network, tensor, start, around)
        books.parts[str(method.id)][seed].append((where, found))
        scores = books.scores.setdefault(seed, {})
        if objective.canonical() not in scores:
            scores[objective.canonical()] = scores_and_biases(network, logits, start, around)


def coordinates(prepared: Prepared, chosen: Positions) -> dict[str, xr.DataArray]:
    """Return the coordinates of the chosen samples, without values of their own."""
    inputs = prepared.samples.inputs
    return {
        str(name): coordinate.isel(sample=chosen).reset_coords(drop=True)
        for name, coordinate in inputs.coords.items()
        if coordinate.dims == ("sample",) and name != "sample"
    }
