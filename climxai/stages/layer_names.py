"""What the sections `optimal_input` and `novelty` say about layers, before a network is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from climxai.stages.preparation import Prepared

if TYPE_CHECKING:
    from climxai.config.experiment import Experiment


def check_layers(experiment: Experiment, prepared: Prepared) -> None:
    """Refuse targets and layers that the network of the configuration does not have.

    Raises
    ------
    ModelError
        Listing the layers there are.
    """
    from climxai.attribution.network import trace
    from climxai.attribution.visualise.layers import layer_shape
    from climxai.attribution.visualise.optimise import single_targets
    from climxai.bridge.signature import Signature
    from climxai.models.network import build_network
    from climxai.stages.novelty_spaces import INPUTS

    classes = prepared.samples.classes
    targets = single_targets(experiment.optimal_input.targets, classes)
    layer = experiment.novelty.space
    named = [each for each in targets.values() if each.model_dump()["name"] != "class"]
    if not named and layer == INPUTS:
        return
    shape = Signature.of(prepared.fields, prepared.valid).shape
    network = trace(build_network(experiment.network, shape, len(classes), seed=0), shape)
    for target in named:
        target.check(network, classes)
    if layer != INPUTS:
        layer_shape(network, layer)
