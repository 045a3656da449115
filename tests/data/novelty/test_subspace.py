"""Novelty: closed forms, scikit-learn's principal components, weights and groups."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from climxai.core.errors import DataError
from climxai.core.period import Period
from climxai.data.novelty.baselines import (
    ClassRows,
    NoClass,
    PeriodRows,
    RecordRows,
    TrainingPart,
)
from climxai.data.novelty.patterns import fit_patterns
from climxai.data.novelty.subspace import fit_subspace


def draws(rows=40, columns=15, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(rows, columns)) * np.linspace(3, 0.2, columns) + 5


def test_patterns_are_scikit_learns_principal_components():
    values, others = draws(), draws(seed=1)
    found = fit_subspace(values, np.ones(15), np.zeros(15, int), 0.975)
    known = PCA(n_components=0.975, svd_solver="full").fit(values)
    assert len(found.patterns) == known.n_components_
    np.testing.assert_allclose(found.variance[: known.n_components_],
                               known.explained_variance_ratio_)  # fmt: skip
    left = others - known.inverse_transform(known.transform(others))
    np.testing.assert_allclose(found.error(others), left, atol=1e-12)
    deviation = np.sqrt(values.var(axis=0).mean())
    expected = np.sqrt((left**2).mean(axis=1)) / deviation
    np.testing.assert_allclose(found.novelty(others), expected)


def test_what_a_plane_cannot_hold_is_its_distance():
    # A baseline in the plane of the first two axes: novelty is the third coordinate over the
    # baseline's standard deviation, here sqrt((1 + 4 + 0) / 3).
    plane = np.array([[1, 0, 0], [-1, 0, 0], [0, 2, 0], [0, -2, 0]]) * np.sqrt(2.0)
    found = fit_subspace(plane, np.ones(3), np.zeros(3, int), 1.0)
    assert len(found.patterns) == 2
    values = [[9, -7, 0], [0.3, 0.1, 4], [0, 0, -5]]
    expected = np.array([0, 4, 5]) / np.sqrt(3) / np.sqrt(5 / 3)
    np.testing.assert_allclose(found.novelty(values), expected, atol=1e-12)
    np.testing.assert_allclose(found.error(values), [[0, 0, 0], [0, 0, 4], [0, 0, -5]], atol=1e-12)


def test_the_baseline_itself_is_left_what_was_not_kept():
    # The mean square novelty of the baseline is the share of variance that was left out.
    values = draws()
    for variance in (0.3, 0.8, 0.975, 1.0):
        found = fit_subspace(values, np.arange(1.0, 16), np.arange(15) // 8, variance)
        assert found.explained >= variance - 1e-12
        assert found.variance[: len(found.patterns) - 1].sum() < variance
        mean_square = (found.novelty(values) ** 2).mean()
        assert mean_square == pytest.approx(1 - found.explained, abs=1e-12)


def test_a_weight_of_two_is_a_column_there_twice():
    values, others = draws(columns=6), draws(columns=6, seed=2)
    twice = np.concatenate([values, values[:, :1]], axis=1)
    weighted = fit_subspace(values, [2, 1, 1, 1, 1, 1], np.zeros(6, int), 0.8)
    plain = fit_subspace(twice, np.ones(7), np.zeros(7, int), 0.8)
    again = np.concatenate([others, others[:, :1]], axis=1)
    np.testing.assert_allclose(weighted.novelty(others), plain.novelty(again))


def test_units_of_a_group_do_not_matter():
    values, others = draws(), draws(seed=3)
    groups = np.arange(15) // 5
    units = np.repeat([1.0, 1000.0, 0.01], 5)
    one = fit_subspace(values, np.ones(15), groups, 0.9)
    other = fit_subspace(values * units, np.ones(15), groups, 0.9)
    np.testing.assert_allclose(one.novelty(others), other.novelty(others * units), rtol=1e-8)
    np.testing.assert_allclose(one.error(others) * units, other.error(others * units), rtol=1e-6)


def test_a_constant_group_is_refused():
    values = draws()
    values[:, 5:] = 273.15
    with pytest.raises(DataError, match="slp does not vary over the 40 rows"):
        fit_subspace(values, np.ones(15), np.arange(15) // 5 > 0, 0.9, ("sst", "slp"))


def rows():
    time = np.arange("2000-01", "2001-01", dtype="datetime64[M]").astype("datetime64[ns]")
    numbers = np.array([0, 1, -1, -1, 0, 1, 1, -1, 0, 0, -1, 1])
    return RecordRows(numbers, ("cold", "warm"), time, np.arange(6))


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (TrainingPart(), [0, 1, 4, 5]),
        (ClassRows(class_name="warm"), [1, 5, 6, 11]),
        (ClassRows(class_name="cold", period=Period(start="2000-05")), [4, 8, 9]),
        (NoClass(), [2, 3, 7, 10]),
        (NoClass(period=Period(end="2000-04")), [2, 3]),
        (PeriodRows(period=Period(start="2000-03", end="2000-05")), [2, 3, 4]),
    ],
)
def test_rows_of_a_baseline(baseline, expected):
    assert baseline.rows(rows()).tolist() == expected


def test_baselines_without_rows_are_refused():
    with pytest.raises(DataError, match=r"no class 'wram'\. Did you mean 'warm'"):
        ClassRows(class_name="wram").rows(rows())
    with pytest.raises(DataError, match=r"rows of 1990 to 1990\): found 0 rows.*2000-01-01"):
        PeriodRows(period=Period(start="1990", end="1990")).rows(rows())


def test_the_baselines_own_samples_are_scored_without_their_block():
    # The oracle refits by hand: blocks of rows, scikit-learn's components of the other blocks.
    values, others = draws(rows=12), draws(rows=5, seed=4)
    rows = np.array([0, 1, 2, 5, 6, 7, 20, 21, 22, 30, 31, 32])
    found = fit_patterns(values, rows, np.ones(15), np.zeros(15, int), 0.9, 4)
    scale = np.sqrt(values.var(axis=0).mean())
    for block in range(4):
        out = slice(3 * block, 3 * block + 3)
        known = PCA(n_components=0.9, svd_solver="full").fit(np.delete(values, out, axis=0))
        left = values[out] - known.inverse_transform(known.transform(values[out]))
        np.testing.assert_allclose(found.error(values[out], rows[out]), left, atol=1e-12)
        expected = np.sqrt((left**2).mean(axis=1)) / scale
        np.testing.assert_allclose(found.novelty(values[out], rows[out]), expected)
    elsewhere = np.array([3, 4, 8, 9, 40])
    whole = fit_subspace(values, np.ones(15), np.zeros(15, int), 0.9)
    np.testing.assert_allclose(found.novelty(others, elsewhere), whole.novelty(others))
    mixed = found.novelty(np.concatenate([others, values]), np.concatenate([elsewhere, rows]))
    np.testing.assert_allclose(mixed[:5], whole.novelty(others))
    np.testing.assert_allclose(mixed[5:8], found.novelty(values[:3], rows[:3]))


@pytest.mark.parametrize(
    ("count", "folds", "blocks"), [(12, 1, 0), (3, 5, 0), (4, 5, 2), (12, 5, 5)]
)
def test_small_baselines_are_cut_less_or_not_at_all(count, folds, blocks):
    values, rows = draws(rows=count), np.arange(count)
    found = fit_patterns(values, rows, np.ones(15), np.zeros(15, int), 0.9, folds)
    assert (found.left is None) == (blocks == 0)
    expected = found.whole.novelty(values)
    for out in np.array_split(rows, blocks) if blocks else ():
        others = np.delete(values, out, axis=0)
        known = PCA(n_components=0.9, svd_solver="full").fit(others)
        left = values[out] - known.inverse_transform(known.transform(values[out]))
        expected[out] = np.sqrt(((left * found.whole.scale) ** 2).sum(axis=1))
    np.testing.assert_allclose(found.novelty(values, rows), expected, atol=1e-12)


def test_a_block_without_variance_leaves_the_departure_from_its_mean():
    values = np.concatenate([np.zeros((2, 3)), np.ones((2, 3))])
    found = fit_patterns(values, np.arange(4), np.ones(3), np.zeros(3, int), 0.9, 2)
    np.testing.assert_allclose(found.error(values, np.arange(4)), [[-1] * 3] * 2 + [[1] * 3] * 2)
