from __future__ import annotations

import pytest
import torch
from torch import nn

from climxai.attribution.network import trace


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def make():
    """Seeded construction of modules with signed weights and non-zero biases, in float64."""

    def build(*layers: nn.Module, seed: int = 0, bias: float = 0.3) -> nn.Module:
        generator = torch.Generator().manual_seed(seed)
        module = nn.Sequential(*layers).double()
        with torch.no_grad():
            for name, parameter in module.named_parameters():
                values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
                scale = bias if name.endswith("bias") else 0.4
                parameter.copy_(values * scale)
        return module

    return build


@pytest.fixture
def dense(make):
    """A dense ReLU network on 1 x 3 x 4 cells with three outputs."""
    return make(
        nn.Flatten(), nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3)
    )


@pytest.fixture
def dense_network(dense):
    return trace(dense, (1, 3, 4), torch.float64)


@pytest.fixture
def fields():
    """Six signed samples [6, 1, 3, 4]."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn((6, 1, 3, 4), generator=generator, dtype=torch.float64)
