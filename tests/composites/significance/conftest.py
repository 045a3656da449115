"""Noise that remembers, and series of samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from climxai.composites.significance.serial import Series

Noise = Callable[..., np.ndarray]


def red_noise(n: int, cells: int, r: float, random: int = 0) -> np.ndarray:
    """First-order autoregressive noise [sample, cell] of unit variance, from its definition."""
    rng = np.random.default_rng(random)
    shocks = rng.normal(size=(n, cells))
    values = np.empty((n, cells))
    values[0] = shocks[0]
    for i in range(1, n):
        values[i] = r * values[i - 1] + np.sqrt(1 - r**2) * shocks[i]
    return values.astype(np.float32)


@pytest.fixture(scope="session")
def noise() -> Noise:
    """Make red noise: ``noise(n, cells, r, random)``."""
    return red_noise


@pytest.fixture(scope="session")
def series() -> Callable[..., Series]:
    """Make a series: ``series(group, member)``; a number stands for so many samples of class 0."""

    def make(group: int | np.ndarray, member: np.ndarray | None = None) -> Series:
        group = np.zeros(group, dtype=np.int64) if isinstance(group, int) else np.asarray(group)
        member = np.zeros(len(group), dtype=np.int64) if member is None else np.asarray(member)
        return Series(group, member, np.arange(len(group)))

    return make
