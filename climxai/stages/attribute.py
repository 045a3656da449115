"""Attribute the samples of one shard: tensors in, a labelled dataset out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from climxai.bridge.shard import shard_dataset
from climxai.stages.preparation import PARTS, Prepared
from climxai.version import __version__

if TYPE_CHECKING:
    import torch
    import xarray as xr

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
    bounds: tuple[torch.Tensor, torch.Tensor] | None = None,
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
    bounds
        Smallest and largest training value of every cell, for methods that need them.
    """
    import torch

    from climxai.attribution.relevance import Relevance

    labels = torch.from_numpy(prepared.samples.labels.values[task.positions].astype(np.int64))
    valid = torch.from_numpy(prepared.valid.values.astype(bool))
    with torch.no_grad():
        logits = torch.cat([network(x) for x in torch.split(tensor, BATCH)])
    predictions = logits.argmax(dim=1)
    kept = torch.arange(len(tensor))
    if explain.only_correct:
        kept = kept[predictions == labels]
        tensor, logits, labels, predictions = (
            each[kept] for each in (tensor, logits, labels, predictions)
        )
    reference = explain.objective.reference(network)
    start = explain.objective.weights(logits, labels, prepared.samples.classes)
    found = [
        task.method.attribute(network, x, s, valid=valid, reference=reference, bounds=bounds)
        for x, s in zip(torch.split(tensor, BATCH), torch.split(start, BATCH), strict=True)
    ]
    references = [each.reference for each in found if each.reference is not None]
    relevance = Relevance(
        torch.cat([each.values for each in found]),
        torch.cat([each.output for each in found]),
        torch.cat(references) if references else None,
    )
    chosen = kept.numpy()
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
        attributes={
            "source": f"climxai {__version__}",
            "key": task.key,
            "network_digest_sha256": task.network,
            "method": str(task.method.id),
            "method_settings": task.method.canonical(),
            "objective_settings": explain.objective.canonical(),
            "seed": task.seed,
            "signed": int(task.method.signed),
        },
    )
