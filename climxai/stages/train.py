"""Train: configuration -> labelled samples -> one network per seed -> bundles and scores."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import PROVENANCE, Bundle
from climxai.core.files import read_json, write_json
from climxai.stages.keys import samples_key, training_key
from climxai.stages.layout import Layout
from climxai.stages.null_networks import train_null_networks
from climxai.stages.one_network import train_one
from climxai.stages.outputs import begin, stage_output, write_config, write_provenance
from climxai.stages.preparation import PARTS, Prepared, prepare, require_trainable
from climxai.stages.surroundings import check_methods

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.models.training.fit import Examples

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """What training left: the bundles in the order of the seeds, and the scores."""

    bundles: tuple[Bundle, ...]
    scores: dict[str, Any]
    layout: Layout
    loss_curves: Path


def train(experiment: Experiment) -> Trained:
    """Train one network per seed and score it on every part of the split, beside baselines.

    A seed whose bundle is already there with the same key is not trained again.

    Raises
    ------
    ClimxaiError
        When configuration, data, training or output are at fault.
    """
    with stage_output(experiment, "train") as layout:
        prepared = prepare(experiment)
        for warning in prepared.warnings:
            LOG.warning("%s", warning)
        require_trainable(prepared)
        check_methods(experiment, prepared)
        started = begin(prepared.files)
        write_config(experiment, layout)
        examples = read_parts(prepared)
        samples = samples_key(experiment, prepared.files)
        bundles, rows = [], []
        for seed in experiment.train.seeds:
            bundle = train_one(
                experiment,
                prepared,
                examples,
                layout.network(seed),
                training_key(experiment, samples, seed),
                seed=seed,
                number=seed,
                started=started,
                what=f"seed {seed}",
            )
            bundles.append(bundle)
            rows.append({"seed": seed, **score_network(bundle, examples, prepared)})
        scores: dict[str, Any] = {"seeds": rows, "baselines": _baselines(prepared, examples)}
        nulls = train_null_networks(experiment, prepared, examples, layout, samples, started)
        if nulls:
            scores["null_networks"] = [
                {"null_network": each.seed, **score_network(each, examples, prepared)}
                for each in nulls
            ]
        write_json(layout.scores, scores)
        _draw_loss(experiment, layout, bundles)
        write_provenance(
            layout,
            "train",
            started,
            samples=samples,
            networks={str(bundle.seed): bundle.digest for bundle in bundles},
            null_networks={str(bundle.seed): bundle.digest for bundle in nulls},
            warnings=list(prepared.warnings),
        )
    return Trained(tuple(bundles), scores, layout, layout.loss_curves)


def read_parts(prepared: Prepared) -> dict[str, Examples]:
    """Read the samples of each part of the split into memory, once."""
    import torch

    from climxai.models.training.fit import Examples

    valid = prepared.valid.values
    parts = {}
    for part in PARTS[:3]:
        members = prepared.members(part)
        if members.size:
            chosen = prepared.samples.take(members)
            targets = torch.from_numpy(chosen.labels.values.astype(np.int64))
            parts[part] = Examples(to_tensor(chosen.inputs, valid), targets)
    return parts


def score_network(
    bundle: Bundle, examples: dict[str, Examples], prepared: Prepared
) -> dict[str, Any]:
    """Return the scores of one network on every part that has samples."""
    from climxai.models.network import logits
    from climxai.models.scores import score

    network = bundle.network()
    return {
        part: score(logits(network, held.inputs), held.targets.numpy(), prepared.samples.classes)
        for part, held in examples.items()
    }


def _baselines(prepared: Prepared, examples: dict[str, Examples]) -> dict[str, Any]:
    from climxai.models.baselines import baselines

    valid = prepared.valid.values
    parts = {
        part: (held.inputs.numpy()[:, valid], held.targets.numpy())
        for part, held in examples.items()
    }
    x, y = parts["train"]
    return baselines(x, y, parts, prepared.samples.classes)


def _draw_loss(experiment: Experiment, layout: Layout, bundles: list[Bundle]) -> None:
    from climxai.plots.curves import loss_curves
    from climxai.plots.style import save_figure

    histories = {bundle.seed: bundle.path / "history.csv" for bundle in bundles}
    best = {
        bundle.seed: int(read_json(bundle.path / PROVENANCE, "its provenance")["best_epoch"])
        for bundle in bundles
        if experiment.train.early_stopping is not None
    }
    save_figure(loss_curves(histories, best_epochs=best), [layout.loss_curves])
