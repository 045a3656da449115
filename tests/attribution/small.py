"""Small seeded networks in float64, their samples, and one call that explains them."""

from __future__ import annotations

import torch

from climxai.attribution.context import Context
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.network import trace

SHAPE = (2, 6, 8)


def seeded(module, bias=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    for name, parameter in module.named_parameters():
        values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.4
        parameter.data = values if bias or "bias" not in name else torch.zeros_like(values)
    return module


def samples(shape=SHAPE, count=4):
    return torch.randn((count, *shape), generator=torch.Generator().manual_seed(3)).double()


def explain(module, rule, x=None, convention="climxai", start=None):
    shape = SHAPE if x is None else tuple(x.shape[1:])
    x = samples() if x is None else x
    network = trace(module, shape, torch.float64)
    scores = network(x)
    if start is None:
        start = torch.zeros_like(scores)
        start.flatten(1)[:, 0] = 1
    method = LayerwiseRelevance(rule=rule, convention=convention)
    valid = torch.ones(shape, dtype=torch.bool)
    return method.attribute(network, x, start, Context(valid))
