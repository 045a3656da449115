"""One network, trained and saved as a bundle, or found there already."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from climxai.bridge.bundle import Bundle, load_bundle, save_bundle
from climxai.bridge.signature import Signature
from climxai.core.errors import ModelError
from climxai.core.progress import progress
from climxai.stages.keys import data_key
from climxai.stages.preparation import Prepared

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment
    from climxai.models.training.fit import Examples

LOG = logging.getLogger(__name__)


def train_one(
    experiment: Experiment,
    prepared: Prepared,
    examples: dict[str, Examples],
    path: Path,
    key: str,
    *,
    seed: int,
    number: int,
    started: dict[str, Any],
    what: str,
) -> Bundle:
    """Train one network and save it; one that is there already with the same key is kept.

    Parameters
    ----------
    experiment, prepared
        Settings and data.
    examples
        What the network sees, by part of the split.
    path
        The directory of the bundle.
    key
        Digest of everything that determines the network.
    seed
        Fixes its first weights, shuffling and dropout.
    number
        What the bundle calls its seed.
    started
        Provenance that is known beforehand.
    what
        Name of the network in messages.

    Raises
    ------
    ModelError
        When training fails.
    """
    import torch

    from climxai.models.network import build_network
    from climxai.models.training.fit import fit

    if experiment.compute.threads is not None:
        torch.set_num_threads(experiment.compute.threads)
    done = _finished(path, key)
    if done is not None:
        LOG.info("%s: already trained, kept", what)
        return done
    signature = Signature.of(prepared.fields, prepared.valid)
    classes = prepared.samples.classes
    network = build_network(experiment.network, signature.shape, len(classes), seed=seed)
    with progress(f"training {what}", experiment.train.epochs) as tick:
        history = fit(
            network,
            examples["train"],
            examples.get("validation"),
            experiment.train,
            seed,
            on_epoch=lambda row: tick(1, f"loss {row.train_loss:.4g}"),
        )
    last = history.rows[-1]
    LOG.info(
        "%s: %d epochs, training loss %.4g, training accuracy %.3f",
        what,
        len(history),
        last.train_loss,
        last.train_accuracy,
    )
    return save_bundle(
        path,
        network,
        architecture=experiment.network,
        signature=signature,
        classes=classes,
        seed=number,
        key=key,
        preprocessing=prepared.preprocessing,
        history_csv=history.csv(),
        provenance={
            **started,
            "data": data_key(experiment, prepared.files),
            "seed": number,
            "key": key,
            "best_epoch": history.best_epoch,
        },
    )


def _finished(path: Path, key: str) -> Bundle | None:
    if not path.exists():
        return None
    try:
        bundle = load_bundle(path)
        bundle.network()
    except ModelError as error:
        LOG.warning("%s; it is replaced", error)
        return None
    return bundle if bundle.key == key else None
