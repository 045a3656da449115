"""Null networks: counts and places against sorted lists, and exchangeable networks."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.significance.nulls import NullTally, networks_needed, place_of


def tally(composite: np.ndarray, nulls: np.ndarray, quantile: float = 0.95) -> NullTally:
    """One group; composite [cell], nulls [network, cell]."""
    held = NullTally(composite[None], np.array([len(nulls)]), quantile)
    for each in nulls:
        held.add(0, each)
    return held


def test_p_values_by_counting() -> None:
    nulls = np.array([[1.0, -3.0, np.nan], [-2.0, 0.5, np.nan], [0.0, 4.0, np.nan]])
    found = tally(np.array([-2.0, 5.0, np.nan]), nulls).p_values()[0]
    assert found[:2].tolist() == [2 / 4, 1 / 4]
    assert np.isnan(found[2])


@pytest.mark.parametrize(("quantile", "networks"), [(0.95, 19), (0.9, 9), (0.99, 99), (0.5, 1)])
def test_networks_needed(quantile: float, networks: int) -> None:
    assert networks_needed(quantile) == networks
    assert place_of(networks, quantile) == 1
    assert place_of(networks - 1, quantile) == 0
    nulls = np.arange(1.0, networks + 1)[:, None]
    assert tally(np.ones(1), nulls, quantile).quantile()[0, 0] == networks
    if networks > 1:
        assert np.isinf(tally(np.ones(1), nulls[1:], quantile).quantile()[0, 0])


def test_the_largest_are_those_of_the_sorted_list() -> None:
    rng = np.random.default_rng(4)
    nulls = rng.normal(size=(40, 30)).astype(np.float32)
    found = tally(rng.normal(size=30), nulls, 0.9).quantile()[0]
    assert found.tolist() == np.sort(np.abs(nulls), axis=0)[-4].tolist()


def test_groups_may_have_different_numbers_of_networks() -> None:
    held = NullTally(np.ones((3, 1)), np.array([9, 19, 0]), 0.9)
    for number in range(19):
        held.add(1, np.array([float(number)]))
        if number < 9:
            held.add(0, np.array([float(number)]))
    assert held.quantile().ravel().tolist() == [8, 17, np.inf]
    assert held.p_values()[:2].ravel().tolist() == [9 / 10, 19 / 20]
    assert np.isnan(held.p_values()[2, 0])


@pytest.mark.parametrize("networks", [19, 25, 60])
def test_a_network_like_the_others_exceeds_them_no_more_often_than_said(networks: int) -> None:
    rng = np.random.default_rng(1)
    nulls, one = rng.normal(size=(networks, 40_000)), rng.normal(size=40_000)
    held = tally(one, nulls)
    beyond = np.abs(one) > held.quantile()[0]
    allowed = place_of(networks, 0.95) / (networks + 1)
    assert beyond.mean() == pytest.approx(allowed, abs=0.004)
    assert allowed <= 0.05
    assert ((held.p_values()[0] <= 0.05 + 1e-12) == beyond).mean() > 0.9999
