"""Fast moments keep what float32 holds, whatever the maps are like."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.running import Running


def moments(maps: np.ndarray, kinds: np.ndarray, how="none", step=16) -> dict:
    state = Running(maps.shape[1], how)
    for begin in range(0, len(maps), step):
        part = slice(begin, begin + step)
        _, odd = state.add(maps[part], kinds[part])
        if odd.size:
            state.add_carefully(maps[part][odd], kinds[part][odd])
    return {kind: each.finalise() for kind, each in state.moments().items()}


def test_a_small_spread_on_a_large_mean_after_zero_maps() -> None:
    random = np.random.default_rng(0)
    maps = (1 + 1e-3 * random.normal(size=(3000, 50))).astype(np.float32)
    maps[:20] = 0
    found = moments(maps, np.zeros(3000, int))[0]
    exact = maps.astype(np.float64)
    np.testing.assert_allclose(found["mean"], exact.mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(found["std"], exact.std(axis=0), rtol=1e-6)


def test_a_constant_cell_has_no_spread() -> None:
    maps = np.full((500, 3), np.float32(1 / 3))
    kinds = np.arange(500) % 2
    maps[kinds == 1] = np.float32(0.7)
    found = moments(maps, kinds)
    for kind, value in ((0, np.float32(1 / 3)), (1, np.float32(0.7))):
        np.testing.assert_allclose(found[kind]["mean"], value, rtol=1e-7)
        assert found[kind]["std"].max() < 1e-7


@pytest.mark.parametrize("how", ["none", "max", "sum", "l2"])
def test_many_maps_on_a_large_grid(how: str) -> None:
    random = np.random.default_rng(1)
    maps = random.standard_normal((300, 5000), dtype=np.float32)
    maps *= random.lognormal(0, 2, (300, 1)).astype(np.float32)
    maps[:, 1000:1700] = np.nan
    kinds = random.integers(0, 3, 300)
    size = np.nan_to_num(np.abs(maps.astype(np.float64)))
    scale = {"none": np.ones(300), "max": size.max(1), "sum": size.sum(1),
             "l2": np.sqrt((size**2).sum(1))}[how]  # fmt: skip
    exact = maps.astype(np.float64) / scale[:, None]
    for kind, found in moments(maps, kinds, how).items():
        for name, values in (("mean", exact[kinds == kind].mean(0)),
                             ("std", exact[kinds == kind].std(0))):  # fmt: skip
            np.testing.assert_allclose(
                found[name], values, rtol=1e-6, atol=1e-6 * np.nanmax(np.abs(values))
            )


def test_odd_maps_are_told_and_nothing_is_added() -> None:
    random = np.random.default_rng(2)
    maps = random.standard_normal((8, 6), dtype=np.float32)
    maps[:, 2] = np.nan
    state = Running(6, "none")
    assert not state.add(maps, np.zeros(8, int))[1].size
    before = state.moments()[0].count.copy()
    swapped = maps[:1].copy()
    swapped[0, [2, 3]] = 1, np.nan  # as many gaps, elsewhere
    infinite = maps[:2].copy()
    infinite[1, 0] = np.inf
    hidden = maps[:2].copy()
    hidden[1, 2] = np.inf
    huge = maps[:1] * np.float32(1e15)
    for odd in (swapped, infinite[1:], hidden[1:], huge, np.full((1, 6), np.nan, np.float32)):
        assert state.add(odd, np.zeros(len(odd), int))[1].tolist() == [0]
        np.testing.assert_array_equal(state.moments()[0].count, before)
    assert state.add(infinite, np.zeros(2, int))[1].tolist() == [1]
    np.testing.assert_array_equal(state.moments()[0].count, before + (before > 0))
