"""How many threads a training takes: one where the work of a step is too small to share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from climxai.models.network import weighted_layers

SHARED_FROM = 10**8
"""multiplications per step of a dense network from which threads share them"""


def is_small(network: nn.Module, batch_size: int) -> bool:
    """Return whether one thread does a step of ``network`` as well as several.

    True of dense networks with fewer than `SHARED_FROM` multiplications forward per step; never of
    convolutions, whose weights are used at every cell.
    """
    if any(isinstance(layer, _ConvNd) for layer in network.modules()):
        return False
    return batch_size * sum(w.numel() for _, w in weighted_layers(network)) < SHARED_FROM


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Let torch use one thread, when wanted; the number found on entry is put back.

    Threads that share tiny pieces of work wait for each other: on a busy machine of two cores a
    dense network on a global map trained ten times faster with one.
    """
    before = torch.get_num_threads()
    try:
        if wanted:
            torch.set_num_threads(1)
        yield
    finally:
        if wanted:
            torch.set_num_threads(before)
