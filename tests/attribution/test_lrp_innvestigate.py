"""Real maps of iNNvestigate 2.1.2 for single layers with signed inputs and biases, to 1e-5."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace

h5py = pytest.importorskip("h5py")

ANALYZERS = {
    "LRPZ": ("zero", {}),
    "LRPEpsilon": ({"name": "epsilon", "epsilon": 0.1}, {}),
    "LRPAlpha1Beta0": ("alpha1beta0", {}),
    "LRPAlpha2Beta1": ("alpha2beta1", {}),
    "LRPAlpha1Beta0IgnoreBias": ("alpha1beta0", {"bias": "ignored"}),
    "LRPAlpha2Beta1IgnoreBias": ("alpha2beta1", {"bias": "ignored"}),
    "LRPZPlus": ("z_plus", {"bias": "ignored"}),
    "LRPZPlusFast": ("z_plus", {"bias": "ignored", "signed_inputs": "whole"}),
    "LRPFlat": ("flat", {}),
    "LRPWSquare": ("w_square", {}),
    "LRPZ_boxed_input_layer_rule": ({"name": "z_box", "low": -10, "high": 10}, {}),
}


class ChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def network_of(layer, file):
    if layer == "Dense":
        dense = nn.Linear(84, 4)
        dense.weight.data = torch.tensor(file["Dense/w0"][:]).T.contiguous()
        dense.bias.data = torch.tensor(file["Dense/w1"][:])
        return nn.Sequential(ChannelsLast(), dense)
    if layer == "Conv2D":
        conv = nn.Conv2d(2, 3, 3)
        conv.weight.data = torch.tensor(file["Conv2D/w0"][:]).permute(3, 2, 0, 1).contiguous()
        conv.bias.data = torch.tensor(file["Conv2D/w1"][:])
        return nn.Sequential(conv, ChannelsLast())
    pool = nn.AvgPool2d(2) if layer == "AvgPool" else nn.MaxPool2d(2)
    return nn.Sequential(pool, ChannelsLast())


@pytest.mark.parametrize("layer", ["Dense", "Conv2D", "AvgPool", "MaxPool"])
def test_single_layers(layer, shared_data):
    path = shared_data / "oracles" / "innvestigate_layers.h5"
    if not path.exists():
        pytest.skip(f"no {path.name} in the shared data")
    with h5py.File(path) as file:
        x = torch.tensor(file["input"][:]).permute(0, 3, 1, 2).contiguous()
        network = trace(network_of(layer, file), (2, 6, 7))
        np.testing.assert_allclose(network(x), file[f"{layer}/output"][:], atol=1e-5)
        start = torch.zeros_like(network(x))
        start[:, 1] = 1
        for analyzer, (rule, overrides) in ANALYZERS.items():
            method = LayerwiseRelevance(rule=rule, convention={"name": "innvestigate", **overrides})
            found = method.attribute(network, x, start, Context(torch.ones(2, 6, 7).bool())).values
            expected = file[f"{layer}/attr_{analyzer}"][:].transpose(0, 3, 1, 2)
            np.testing.assert_allclose(
                found, expected, atol=1e-5, rtol=1e-5, err_msg=f"{layer} {analyzer}"
            )
