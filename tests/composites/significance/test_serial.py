"""Autocorrelation and effective samples, against loops and the closed form of red noise."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.significance.serial import (
    Series,
    autocorrelation,
    effective,
    variance_of_mean,
)


def slow_autocorrelation(values: np.ndarray, member: np.ndarray) -> np.ndarray:
    """Lag-1 autocorrelation as a loop, Kendall's bias solved for the true value."""
    n, found = len(values), []
    for cell in values.T.astype(float):
        mean, products, pairs = cell.mean(), 0.0, 0
        for i in range(1, n):
            if member[i] == member[i - 1]:
                products += (cell[i] - mean) * (cell[i - 1] - mean)
                pairs += 1
        r = products / pairs / np.mean((cell - mean) ** 2)
        # E[r] = rho - (1 + 3 rho) / n
        found.append((r + 1 / n) / (1 - 3 / n))
    return np.clip(found, 0, 1 - 1e-6)


def test_it_is_a_loop_over_neighbours_of_one_member(noise, series) -> None:
    values = noise(40, 7, 0.5)
    member = np.repeat([0, 1, 2], [20, 1, 19])
    expected = slow_autocorrelation(values, member)
    assert autocorrelation(values, series(np.zeros(40, int), member)) == pytest.approx(expected)


@pytest.mark.parametrize("r", [0.2, 0.6, 0.9])
def test_it_is_right_on_average_where_samples_are_few(noise, series, r: float) -> None:
    # The plain estimate of 40 samples would be too low by (1 + 3r) / n = 0.04 to 0.09.
    found = autocorrelation(noise(40, 4000, r), series(40))
    assert found.mean() == pytest.approx(r, abs=0.03)


def test_constant_cells_and_lonely_samples_get_the_least_value(noise, series) -> None:
    values = noise(12, 3, 0.0)
    values[:, 1] = 2
    assert autocorrelation(values, series(12), 0.3)[1] == 0.3
    apart = series(np.zeros(12, int), np.arange(12))
    assert autocorrelation(values, apart, 0.25) == pytest.approx(0.25)
    assert autocorrelation(values[:3], series(3)) == pytest.approx(0)


def test_an_alternating_cell_counts_no_sample_twice(series) -> None:
    values = np.tile([[1.0], [-1.0]], (20, 1))
    assert autocorrelation(values, series(40)) == pytest.approx(0)


def test_effective_samples_by_hand() -> None:
    assert effective(90, np.array([0.0, 0.5, 0.8])) == pytest.approx([90, 30, 10])


@pytest.mark.parametrize("r", [0.0, 0.4, 0.95])
def test_variance_of_a_mean_is_the_sum_over_all_pairs(r: float) -> None:
    n = 37
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    expected = (r**lags).sum() / n**2
    assert variance_of_mean(n, np.array([r]))[0] == pytest.approx(expected)


def test_lengths_of_members(series) -> None:
    member = np.array([0, 0, 0, 4, 7, 7])
    assert series(np.zeros(6, int), member).lengths().tolist() == [3, 1, 2]


def test_others_are_each_sample_once_and_none_of_ones_own() -> None:
    # Row 5 is in both classes, row 6 in the two others.
    group = np.array([0, 1, 1, 2, 1, 0])
    row = np.array([5, 5, 6, 6, 8, 9])
    held = Series(group, np.zeros(6, int), row).against(0)
    assert held.tolist() == [True, False, True, False, True, True]
