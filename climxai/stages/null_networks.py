"""Null networks: trained like the others, on labels that do not belong to their samples.

What their composites show is what architecture, data and method show where there was nothing to
learn. They are kept apart from the others, as ``networks/null-<n>`` and
``relevance/<method>/null-<n>``.

Source: Labe & Barnes 2021, J. Adv. Model. Earth Syst. 13, e2021MS002464.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from climxai.stages.keys import null_key
from climxai.stages.layout import Layout
from climxai.stages.one_network import train_one
from climxai.stages.preparation import PARTS, Prepared

if TYPE_CHECKING:
    from climxai.bridge.bundle import Bundle
    from climxai.config.experiment import Experiment
    from climxai.models.training.fit import Examples

LOG = logging.getLogger(__name__)


def train_null_networks(
    experiment: Experiment,
    prepared: Prepared,
    examples: dict[str, Examples],
    layout: Layout,
    samples: str,
    started: dict[str, Any],
) -> tuple[Bundle, ...]:
    """Train as many networks on shuffled labels as are asked for; return their bundles.

    Parameters
    ----------
    experiment, prepared
        Settings and data.
    examples
        Inputs and true labels by part of the split.
    layout
        Where bundles go.
    samples
        Digest of the samples.
    started
        Provenance that is known beforehand.
    """
    from climxai.models.randomness import derived_seed

    bundles = []
    for number in range(experiment.train.null_networks):
        bundles.append(
            train_one(
                experiment,
                prepared,
                _examples(told(experiment, prepared, number), examples),
                layout.null_network(number),
                null_key(experiment, samples, number),
                # Other first weights than those of the networks they are compared with.
                seed=derived_seed(number, "null network"),
                number=number,
                started=started,
                what=f"null network {number}",
            )
        )
    return tuple(bundles)


def told(experiment: Experiment, prepared: Prepared, number: int) -> Prepared:
    """Return the data with the labels that one null network is told: those of other samples.

    Labels are shuffled within each part of the split, samples in gaps included. Its maps are put
    into classes by these labels, too: a null network stands for the whole way from labels to
    composites, so that what a network makes of the labels it has memorised is no discovery.
    """
    from climxai.models.training.shuffled import shuffled_labels

    labels = prepared.samples.labels.copy(deep=True)
    for part in PARTS:
        members = prepared.members(part)
        labels.values[members] = shuffled_labels(
            labels.values[members], number, experiment.train.null_block_length, part
        )
    return replace(prepared, samples=replace(prepared.samples, labels=labels))


def _examples(prepared: Prepared, examples: dict[str, Examples]) -> dict[str, Examples]:
    """Return the examples with the labels of ``prepared``."""
    import torch

    return {
        part: replace(
            held,
            targets=torch.from_numpy(
                prepared.samples.labels.values[prepared.members(part)].astype(np.int64)
            ),
        )
        for part, held in examples.items()
    }
