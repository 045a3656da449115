"""Tests against zero: scipy's without autocorrelation, closed forms with it, and noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from climxai.composites.significance import SignTest, TTest
from climxai.composites.significance.method import Memory
from climxai.composites.significance.zero import worth_of_signs

APART = Memory(0.0)


@pytest.fixture
def independent(series):
    """Thirty samples of as many members: nothing repeats itself."""
    return series(np.zeros(30, int), np.arange(30))


def test_t_test_of_independent_samples_is_scipys(noise, independent) -> None:
    values = noise(30, 50, 0.0) + np.linspace(-1, 1, 50, dtype=np.float32)
    expected = stats.ttest_1samp(values.astype(float), 0).pvalue
    assert TTest().p_values(values, 0, independent, APART) == pytest.approx(expected, rel=1e-9)


def test_sign_test_of_independent_samples_is_scipys(noise, independent) -> None:
    values = noise(30, 50, 0.0) + np.linspace(-1, 1, 50, dtype=np.float32)
    values[:5, 3] = 0  # zeros do not count
    expected = [
        stats.binomtest(int((cell > 0).sum()), int((cell != 0).sum())).pvalue for cell in values.T
    ]
    found = SignTest().p_values(values, 0, independent, APART)
    assert found == pytest.approx(expected, rel=1e-9)


def test_t_test_with_a_known_autocorrelation_by_hand(series) -> None:
    # Constant steps: r is raised to what the map says, 0.5, so that 30 samples count as 10.
    rng = np.random.default_rng(3)
    values = rng.normal(0.4, 1, size=(30, 1)).astype(np.float32)
    cell = values[:, 0].astype(float)
    lonely = series(np.zeros(30, int), np.arange(30))
    found = TTest().p_values(values, 0, lonely, Memory(0.5))[0]
    t = cell.mean() / np.sqrt(cell.var() / (10 - 1))
    assert found == pytest.approx(2 * stats.t.sf(abs(t), 9))


def test_only_samples_of_the_class_count(noise, series) -> None:
    values = noise(60, 5, 0.0)
    group = np.tile([0, 1], 30)
    for test in (TTest(), SignTest()):
        found = test.p_values(values, 1, series(group, np.arange(60)), APART)
        alone = test.p_values(values[1::2], 0, series(np.zeros(30, int), np.arange(30)), APART)
        assert found.tolist() == alone.tolist()


def test_cells_of_zeros_are_never_significant_and_constant_ones_always(independent) -> None:
    values = np.zeros((30, 2), dtype=np.float32)
    values[:, 1] = 0.5
    assert TTest().p_values(values, 0, independent, APART).tolist() == [1, 0]
    found = SignTest().p_values(values, 0, independent, APART)
    assert found == pytest.approx([1, 2 * 0.5**30])


@pytest.mark.parametrize("r", [0.0, 0.5, 0.9])
def test_worth_of_signs_is_that_of_the_signs_of_red_noise(noise, r: float) -> None:
    n = 50
    signs = np.sign(noise(n, 20_000, r).astype(float))
    measured = signs.mean(axis=0).var() * n
    assert worth_of_signs(n, np.array([r]))[0] == pytest.approx(1 / measured, rel=0.05)


@pytest.mark.parametrize("test", [TTest(), SignTest()], ids=["t_test", "sign_test"])
@pytest.mark.parametrize(("n", "r"), [(30, 0.0), (30, 0.6), (100, 0.3), (100, 0.9)])
def test_noise_is_significant_no_more_often_than_said(noise, series, test, n, r) -> None:
    values = noise(n, 4000, r, random=n)
    memory = test.prepare(values[:, :256], 0, series(n))
    p = test.p_values(values, 0, series(n), memory)
    for rate in (0.01, 0.05, 0.1):
        # two standard errors of a share of 4000 cells
        assert (p <= rate).mean() <= rate + 2 * np.sqrt(rate / 4000)


@pytest.mark.parametrize("test", [TTest(), SignTest()], ids=["t_test", "sign_test"])
def test_noise_that_remembers_would_fool_a_test_that_does_not(noise, series, test) -> None:
    values = noise(100, 2000, 0.9)
    lonely = series(np.zeros(100, int), np.arange(100))
    assert (test.p_values(values, 0, lonely, APART) <= 0.05).mean() > 0.5


@pytest.mark.parametrize("test", [TTest(), SignTest()], ids=["t_test", "sign_test"])
def test_a_planted_signal_is_found(noise, series, test) -> None:
    values = noise(100, 500, 0.5) + np.float32(0.8)
    memory = test.prepare(values[:, :256], 0, series(100))
    assert (test.p_values(values, 0, series(100), memory) <= 0.05).mean() > 0.9
