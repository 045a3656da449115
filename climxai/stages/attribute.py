"""Attribute the samples of one shard: tensors in, a labelled dataset out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from climxai.bridge.shard import shard_dataset
from climxai.stages.preparation import PARTS, Prepared
from climxai.stages.surroundings import with_reference
from climxai.version import __version__

if TYPE_CHECKING:
    import torch
    import xarray as xr

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.config.sections import Explain
    from climxai.stages.index import ShardTask

BATCH: Final = 256
"""Samples attributed at once: bounds what a convolutional network keeps of its activations."""


def attribute(
    explain: Explain,
    network: Network,
    tensor: torch.Tensor,
    inputs: xr.DataArray,
    prepared: Prepared,
    task: ShardTask,
    context: Context,
) -> xr.Dataset:
    """Return the relevance of the samples of ``task`` as the dataset its file holds.

    Parameters
    ----------
    explain
        The objective, and whether only correctly classified samples count.
    network
        The traced network of the task's seed.
    tensor
        The task's maps [sample, channel, lat, lon], invalid cells 0.
    inputs
        The same maps with their coordinates.
    prepared
        Labels, parts of the split and valid cells.
    task
        Method, seed and positions in the samples.
    context
        What methods may know beside the network; rows and references are filled in here.
    """
    import torch

    from climxai.attribution.relevance import Relevance

    labels = torch.from_numpy(prepared.samples.labels.values[task.positions].astype(np.int64))
    rows = torch.from_numpy(inputs["row"].values.astype(np.int64))
    voters = [peer for peer, _ in context.peers] if task.method.over_seeds else [network]
    with torch.no_grad():
        logits = torch.stack(
            [torch.cat([voter(x) for x in torch.split(tensor, BATCH)]) for voter in voters]
        ).mean(0)
    predictions = logits.argmax(dim=1)
    kept = torch.arange(len(tensor))
    if explain.only_correct:
        kept = kept[predictions == labels]
        tensor, logits, labels, predictions, rows = (
            each[kept] for each in (tensor, logits, labels, predictions, rows)
        )
    objective = explain.objective_of(task.method)
    context = with_reference(replace(context, rows=rows, seed=task.seed), objective, network)
    start = objective.weights(logits, labels, prepared.samples.classes)
    found = []
    for first in range(0, max(1, len(tensor)), BATCH):
        part = slice(first, first + BATCH)
        found.append(task.method.attribute(network, tensor[part], start[part], context.take(part)))
    references = [each.reference for each in found if each.reference is not None]
    handed = [each.handed for each in found if each.handed is not None]
    relevance = Relevance(
        torch.cat([each.values for each in found]),
        torch.cat([each.output for each in found]),
        torch.cat(references) if references else None,
        torch.cat(handed) if handed else None,
    )
    chosen = kept.numpy()
    index = prepared.index_of(task.positions[chosen])
    return shard_dataset(
        relevance,
        inputs.isel(sample=chosen),
        prepared.valid.values,
        labels=labels.numpy(),
        predictions=predictions.numpy(),
        parts=prepared.parts[task.positions][chosen],
        part_names=PARTS,
        classes=prepared.samples.classes,
        decomposes=task.method.decomposes,
        confidence=torch.softmax(logits, dim=1).amax(dim=1).numpy(),
        index=index,
        attributes={
            "source": f"climxai {__version__}",
            "key": task.key,
            "network_digest_sha256": task.network,
            "seeds_averaged": task.seeds_averaged,
            "method": str(task.method.id),
            "method_settings": task.method.canonical(),
            "objective_settings": objective.canonical(),
            "seed": task.seed,
            **({"labels": "shuffled"} if task.null else {}),
            "signed": int(task.method.signed),
        },
    )
