"""Small worlds for networks: shapes, examples, and one thread so that bits do not depend on it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from climxai.models.training.fit import Examples


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def examples() -> Examples:
    """40 samples on a 2-channel 3x4 grid, three classes that depend on the input."""
    random = np.random.default_rng(7)
    x = random.normal(size=(40, 2, 3, 4))
    centres = random.normal(size=(3, 24))
    y = (x.reshape(40, -1) @ centres.T + random.normal(size=(40, 3))).argmax(1)
    return Examples(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
