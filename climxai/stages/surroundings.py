"""What methods may know beside a network: valid cells, grid, training rows, the other seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.core.errors import ClimxaiError
from climxai.stages.preparation import Prepared

if TYPE_CHECKING:
    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.objectives.objective import Objective
    from climxai.bridge.bundle import Bundle
    from climxai.config.experiment import Experiment


def surroundings(
    experiment: Experiment, prepared: Prepared, networks: Iterable[Network] = ()
) -> Context:
    """Return the context of every explanation of an experiment; training rows are read lazily."""
    import torch

    from climxai.attribution.context import Context
    from climxai.attribution.objectives.objective import Grid
    from climxai.bridge.training_rows import TrainingRows

    return Context(
        valid=torch.from_numpy(prepared.valid.values.astype(bool)),
        training=TrainingRows(prepared.samples.take(prepared.members("train"))),
        grid=Grid(
            np.asarray(prepared.valid["lat"].values, dtype=np.float64),
            np.asarray(prepared.valid["lon"].values, dtype=np.float64),
        ),
        peers=tuple((each, None) for each in networks),
        memory=experiment.compute.memory,
    )


def with_reference(context: Context, objective: Objective, network: Network) -> Context:
    """Return the context with what the objective subtracts from every network's outputs."""
    return replace(
        context,
        reference=objective.reference(network),
        peers=tuple((peer, objective.reference(peer)) for peer, _ in context.peers),
    )


def check_methods(experiment: Experiment, prepared: Prepared) -> Network:
    """Refuse a method that does not suit the network, before anything is trained.

    Returns
    -------
    Network
        An untrained network of the experiment, traced.

    Raises
    ------
    ClimxaiError
        Naming the method's trouble with the network, the grid or the valid cells.
    """
    from climxai.attribution.network import trace
    from climxai.bridge.signature import Signature
    from climxai.models.network import build_network

    shape = Signature.of(prepared.fields, prepared.valid).shape
    outputs = len(prepared.samples.classes)
    network = trace(build_network(experiment.network, shape, outputs, seed=0), shape)
    check_traced(experiment, network, surroundings(experiment, prepared, (network,)))
    return network


def check_traced(experiment: Experiment, network: Network, context: Context) -> None:
    """Refuse a method that does not suit a network; see `check_methods`.

    Raises
    ------
    ClimxaiError
        With the position of the method in the configuration.
    """
    for index, method in enumerate(experiment.explain.methods):
        try:
            method.check(network, context)
            if isinstance(method, LayerwiseRelevance):
                method.check_objective(experiment.explain.objective_of(method))
        except ClimxaiError as error:
            raise type(error)(f"explain.methods.{index} ({method.id}): {error}") from error


def traced(bundles: Mapping[int, Bundle]) -> dict[int, Network]:
    """Return the networks of all seeds, traced."""
    from climxai.attribution.network import trace

    return {
        seed: trace(bundle.network(), bundle.signature.shape) for seed, bundle in bundles.items()
    }
