"""Null networks: quantiles by counting, and exchangeable networks exceed as often as said."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.significance.nulls import networks_needed, null_p_values, null_quantile


def test_p_values_by_counting() -> None:
    nulls = np.array([[1.0, -3.0, np.nan], [-2.0, 0.5, 1.0], [0.0, 4.0, 1.0]])
    found = null_p_values(np.array([-2.0, 5.0, 1.0]), nulls)
    assert found[:2].tolist() == [2 / 4, 1 / 4]
    assert np.isnan(found[2])


@pytest.mark.parametrize(("quantile", "networks"), [(0.95, 19), (0.9, 9), (0.99, 99), (0.5, 1)])
def test_networks_needed(quantile: float, networks: int) -> None:
    assert networks_needed(quantile) == networks
    nulls = np.arange(1.0, networks + 1)[:, None]
    assert null_quantile(nulls, quantile)[0] == networks
    if networks > 1:
        assert np.isinf(null_quantile(nulls[1:], quantile)[0])


@pytest.mark.parametrize("networks", [19, 25, 60])
def test_a_network_like_the_others_exceeds_them_no_more_often_than_said(networks: int) -> None:
    rng = np.random.default_rng(1)
    nulls, one = rng.normal(size=(networks, 40_000)), rng.normal(size=40_000)
    beyond = np.abs(one) > null_quantile(nulls, 0.95)
    allowed = np.floor(0.05 * (networks + 1) + 1e-9) / (networks + 1)
    assert beyond.mean() == pytest.approx(allowed, abs=0.004)
    assert allowed <= 0.05
    assert (beyond == (null_p_values(one, nulls) <= 0.05 + 1e-12)).all()
