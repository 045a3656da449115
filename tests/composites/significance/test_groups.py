"""Permutation of blocks: scipy for single samples, enumeration, noise, and a difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from climxai.composites.significance import Permutation, blocks
from climxai.composites.significance.groups import enlargement
from climxai.composites.significance.method import Memory
from climxai.composites.significance.serial import Series

SINGLE = Memory(0.0, 1)


def test_single_samples_give_what_scipy_gives(noise, series) -> None:
    group = np.repeat([0, 1], [12, 18])
    values = noise(30, 8, 0.0) + np.outer(group, np.linspace(0, 1.5, 8)).astype(np.float32)
    found = Permutation(permutations=4000).p_values(values, 1, series(group), SINGLE)
    expected = stats.permutation_test(
        (values[group == 1].astype(float), values[group == 0].astype(float)),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        n_resamples=4000,
        vectorized=True,
        rng=np.random.default_rng(0),
    ).pvalue
    # both draw at random: four standard errors of a share of 4000, twice
    assert found == pytest.approx(np.asarray(expected), abs=0.045)


def test_few_samples_give_the_share_of_all_arrangements(series) -> None:
    from itertools import combinations

    values = np.array([[3.0], [4.0], [0.0], [1.0], [0.5], [2.0]], dtype=np.float32)
    group = np.array([1, 1, 0, 0, 0, 0])
    observed = abs(values[:2].mean() - values[2:].mean())
    every = [
        abs(values[list(pair)].mean() - np.delete(values, pair).mean())
        for pair in combinations(range(6), 2)
    ]
    share = np.mean(np.array(every) >= observed - 1e-6)
    found = Permutation(permutations=20_000).p_values(values, 1, series(group), SINGLE)[0]
    assert found == pytest.approx(share, abs=0.01)


def test_an_order_of_blocks_is_a_permutation_that_keeps_most_neighbours(series) -> None:
    held = series(np.zeros(50, int), np.repeat([0, 1], [30, 20]))
    order = blocks.shuffled(np.random.default_rng(0), held, 10)
    assert sorted(order.tolist()) == list(range(50))
    # at most 4 + 3 pieces, so at most 6 broken neighbours
    assert np.count_nonzero(np.diff(order) != 1) <= 6
    assert order.tolist() != list(range(50))


@pytest.mark.parametrize(("n", "r"), [(40, 0.0), (120, 0.6), (200, 0.8)])
def test_noise_is_significant_no_more_often_than_said(noise, series, n: int, r: float) -> None:
    # Many series of classes that last as the noise does: one alone would be a matter of luck.
    test, shares = Permutation(permutations=199), []
    for random in range(12):
        values = noise(n, 200, r, random=random)
        group = (noise(n, 1, r, random=100 + random)[:, 0] > 0).astype(int)
        p = test.p_values(values, 1, series(group), test.prepare(values, 1, series(group)))
        shares.append([(p <= rate).mean() for rate in (0.05, 0.1)])
    error = np.std(shares, axis=0) / np.sqrt(len(shares))
    assert np.all(np.mean(shares, axis=0) <= np.array([0.05, 0.1]) + 2 * error)


def test_single_samples_would_be_fooled_by_noise_that_remembers(noise, series) -> None:
    values = noise(200, 300, 0.9)
    group = (noise(200, 1, 0.9, random=100)[:, 0] > 0).astype(int)
    p = Permutation(permutations=199).p_values(values, 1, series(group), SINGLE)
    assert (p <= 0.05).mean() > 0.3


def test_a_planted_difference_is_found_also_where_nothing_is_negative(noise, series) -> None:
    group = (np.arange(120) // 10 % 2).astype(int)
    values = np.abs(noise(120, 200, 0.3)) + 1.0 * group[:, None].astype(np.float32)
    test = Permutation(permutations=199)
    p = test.p_values(values, 1, series(group), test.prepare(values, 1, series(group)))
    assert (p <= 0.05).mean() > 0.95


def test_a_class_alone_has_nothing_to_be_compared_with(noise, series) -> None:
    found = Permutation().p_values(noise(10, 3, 0.0), 0, series(10), SINGLE)
    assert np.isnan(found).all()


def test_samples_in_several_groups_are_compared_once(noise, series) -> None:
    values = noise(20, 10, 0.0)
    group = np.repeat([0, 1], 10)
    alone = Permutation(permutations=99).p_values(values, 0, series(group), SINGLE)
    # A third group of samples that stand in the others as well changes nothing.
    row = np.append(np.arange(20), [3, 12, 13])
    more = Series(np.append(group, [2, 2, 2]), np.zeros(23, int), row)
    again = np.vstack([values, values[[3, 12, 13]]])
    found = Permutation(permutations=99).p_values(again, 0, more, SINGLE)
    assert found.tolist() == alone.tolist()


def test_the_same_seed_gives_the_same_bits_and_another_one_others(noise, series) -> None:
    values, group = noise(40, 64, 0.3), np.tile([0, 1], 20)
    first, again, other = (
        Permutation(permutations=99, seed=seed).p_values(values, 0, series(group), Memory(0, 2))
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_enlargement_is_a_ratio_of_quadratic_forms(series) -> None:
    rng = np.random.default_rng(0)
    member, r = np.repeat([0, 1], [7, 5]), 0.7
    lags = np.abs(np.subtract.outer(np.arange(12), np.arange(12)))
    covariance = np.where(member[:, None] == member, r**lags, 0.0)
    observed = np.repeat([0.3, -0.2, 0.3, -0.2], 3)
    drawn = np.stack([rng.permutation(observed) for _ in range(30)])
    expected = observed @ covariance @ observed
    expected /= np.mean([each @ covariance @ each for each in drawn])
    held = series(np.zeros(12, int), member)
    assert enlargement(observed, drawn, held, r) == pytest.approx(np.sqrt(expected))
    assert expected > 1
    assert enlargement(observed, drawn, held, 0.0) == pytest.approx(1)


def test_long_lasting_classes_do_not_make_noise_significant(noise, series) -> None:
    # Blocks follow the memory of the maps; classes that last longer are cut by them.
    test, shares = Permutation(permutations=199), []
    for random in range(20):
        values = noise(120, 200, 0.6, random=random)
        group = (noise(120, 1, 0.9, random=100 + random)[:, 0] > 0).astype(int)
        p = test.p_values(values, 1, series(group), test.prepare(values, 1, series(group)))
        shares.append((p <= 0.1).mean())
    assert np.mean(shares) <= 0.1 + 2 * np.std(shares) / np.sqrt(20)


def test_of_two_classes_one_differs_from_the_other_as_that_from_it(noise, series) -> None:
    values, group = noise(40, 64, 0.3), (np.arange(40) // 5 % 2).astype(int)
    first, second = (
        Permutation(permutations=99).p_values(values, k, series(group), Memory(0.3, 4))
        for k in (0, 1)
    )
    assert first.tolist() == second.tolist()
