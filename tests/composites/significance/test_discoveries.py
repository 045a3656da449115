"""The false discovery rate against scipy's adjusted p-values and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from climxai.composites.significance.discoveries import threshold


@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("random", range(5))
def test_what_is_significant_is_what_scipy_adjusts_below_alpha(alpha: float, random: int) -> None:
    rng = np.random.default_rng(random)
    p = np.concatenate([rng.uniform(size=200), rng.uniform(0, 0.01, size=40)])
    expected = stats.false_discovery_control(p) <= alpha
    assert (p <= threshold(p, alpha)).tolist() == expected.tolist()


def test_cells_that_are_not_tested_do_not_count() -> None:
    p = np.array([[0.01, np.nan], [0.04, np.nan]])
    assert threshold(p, 0.05) == 0.04
    assert np.isnan(threshold(np.full(3, np.nan), 0.1))
    assert np.isnan(threshold(np.array([0.5, 0.9]), 0.1))
    assert threshold(np.array([0.0, 0.9]), 0.1) == 0


def test_a_field_of_noise_is_significant_as_often_as_said() -> None:
    rng = np.random.default_rng(0)
    fields = rng.uniform(size=(2000, 100))
    share = np.mean([np.isfinite(threshold(field, 0.1)) for field in fields])
    assert share == pytest.approx(0.1, abs=0.025)
