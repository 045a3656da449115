"""Random numbers that depend on a seed alone, and flags that are put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derived_seed(seed: int, purpose: str, number: int = 0) -> int:
    """Return a 63-bit seed for one purpose (and, for example, one epoch) of a user's seed."""
    entropy = [seed, number, *purpose.encode()]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(seed: int, purpose: str, number: int = 0) -> torch.Generator:
    """Return a fresh CPU generator for one purpose of a user's seed."""
    return torch.Generator().manual_seed(derived_seed(seed, purpose, number))


class _Reseed:
    def __init__(self, device: torch.device) -> None:
        self.device = device

    def __call__(self, seed: int, purpose: str, number: int = 0) -> None:
        value = derived_seed(seed, purpose, number)
        # Not torch.manual_seed: that would touch the generators of every other device.
        torch.default_generator.manual_seed(value)
        if self.device.type == "cuda":
            with torch.cuda.device(self.device):
                torch.cuda.manual_seed(value)


@contextmanager
def own_randomness(device: torch.device | None = None) -> Iterator[_Reseed]:
    """Lend the global generators (CPU and ``device``); yields the function that seeds them.

    Modules such as dropout draw from the global generators and cannot be given one. The state found
    on entry is put back on leaving, whatever happens.
    """
    device = device or torch.device("cpu")
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield _Reseed(device)


@contextmanager
def deterministic_kernels(wanted: bool) -> Iterator[None]:
    """Let torch choose only kernels that repeat to the bit, when wanted; flags are put back."""
    enabled = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    try:
        if wanted:
            torch.use_deterministic_algorithms(True)
            torch.backends.cudnn.benchmark = False
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warn_only)
        torch.backends.cudnn.benchmark = benchmark
