"""The block bootstrap against a slow loop, noise, and blocks of given and chosen length."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.significance import BlockBootstrap, blocks
from climxai.composites.significance.method import Memory
from climxai.composites.significance.serial import autocorrelation


def slow_bootstrap(values: np.ndarray, length: int, resamples: int, seed: int) -> np.ndarray:
    """Bootstrap-t with moving blocks, sample by sample, of one member and r = 0."""
    n = len(values)
    begins = list(range(n - length + 1))
    drawn = max(2, round(n / length))
    rng = blocks.generator(seed, "block_bootstrap", 0)
    chosen = rng.integers(0, len(begins), size=(resamples, drawn))
    found = []
    for cell in values.T.astype(float):
        every = np.array([cell[b : b + length].mean() for b in begins])
        error = every.std() / np.sqrt(drawn)
        t = abs(cell.mean()) / error
        beyond = 0
        for picks in chosen:
            means = every[picks]
            own = means.std() / np.sqrt(drawn)
            beyond += abs(means.mean() - every.mean()) >= t * own * (1 - 1e-9)
        found.append((1 + beyond) / (1 + resamples))
    return np.array(found)


def test_it_is_the_slow_loop_where_nothing_repeats_itself(noise, series, monkeypatch) -> None:
    values = noise(24, 6, 0.0) + np.linspace(0, 0.6, 6, dtype=np.float32)
    from climxai.composites.significance import bootstrap

    monkeypatch.setattr(bootstrap, "autocorrelation", lambda values, *_: np.zeros(values.shape[1]))
    test = BlockBootstrap(block_length=3, resamples=200, seed=5)
    found = test.p_values(values, 0, series(24), Memory(0.0, 3))
    assert found.tolist() == slow_bootstrap(values, 3, 200, 5).tolist()


def test_the_enlargement_makes_up_for_what_short_blocks_miss(noise) -> None:
    n, length, r = 60, 6, 0.8
    values = noise(n, 6000, r).astype(float)
    begins = range(n - length + 1)
    every = np.stack([values[b : b + length].mean(axis=0) for b in begins])
    seen = ((every - every.mean(axis=0)) ** 2).mean() / (n / length)
    true = values.mean(axis=0).var()
    from climxai.composites.significance.bootstrap import enlargement

    factor = enlargement(n, length, np.array([r]))[0] ** 2
    # The bootstrap-t itself makes up for the lost degree of freedom, 1 - length / n.
    assert factor * seen == pytest.approx(true * (1 - length / n), rel=0.1)
    assert true > 2 * seen
    assert enlargement(n, length, np.array([0.0]))[0] == pytest.approx(1)


@pytest.mark.parametrize(("n", "r"), [(30, 0.0), (60, 0.6), (120, 0.9)])
def test_noise_is_significant_no_more_often_than_said(noise, series, n: int, r: float) -> None:
    values = noise(n, 2000, r, random=7)
    test = BlockBootstrap(resamples=400)
    p = test.p_values(values, 0, series(n), test.prepare(values[:, :256], 0, series(n)))
    for rate in (0.05, 0.1):
        assert (p <= rate).mean() <= rate + 2 * np.sqrt(rate / 2000)


def test_a_planted_signal_is_found(noise, series) -> None:
    values = noise(100, 300, 0.5) + np.float32(0.8)
    test = BlockBootstrap(resamples=400)
    p = test.p_values(values, 0, series(100), test.prepare(values, 0, series(100)))
    assert (p <= 0.05).mean() > 0.9


def test_the_same_seed_gives_the_same_bits_and_another_one_others(noise, series) -> None:
    values = noise(40, 300, 0.3)
    found = [
        BlockBootstrap(resamples=100, seed=seed).p_values(values, 0, series(40), Memory(0.2, 4))
        for seed in (1, 1, 2)
    ]
    assert found[0].tolist() == found[1].tolist()
    assert found[0].tolist() != found[2].tolist()
    parts = [
        BlockBootstrap(resamples=100, seed=1).p_values(part, 0, series(40), Memory(0.2, 4))
        for part in np.split(values, 3, axis=1)
    ]
    assert np.concatenate(parts).tolist() == found[0].tolist()


def test_zero_cells_and_constant_ones(series) -> None:
    values = np.zeros((20, 2), dtype=np.float32)
    values[:, 1] = 3
    p = BlockBootstrap(resamples=99).p_values(values, 0, series(20), Memory(0.0, 2))
    assert p.tolist() == [1, 0.01]


def test_blocks_stay_inside_members(series) -> None:
    member = np.repeat([0, 1, 2], [5, 2, 4])
    begin, end = blocks.starts(series(np.zeros(11, int), member), 3)
    pairs = list(zip(begin.tolist(), end.tolist(), strict=True))
    assert pairs == [(0, 3), (1, 4), (2, 5), (5, 7), (7, 10), (8, 11)]


def test_the_length_solves_wilks_equation() -> None:
    n, r = 200, 0.5
    length = blocks.block_length(n, np.full(10, r))
    power = 2 / 3 * (1 - (1 - r) / (1 + r))
    # Wilks 1997, equation 19: the solution lies within half a sample.
    assert abs(length - (n - length + 1) ** power) < 1
    assert blocks.block_length(n, np.zeros(10)) == 1
    assert blocks.block_length(20, np.full(10, 0.999)) == 5
    assert blocks.block_length(1, np.zeros(0)) == 1


def test_a_given_length_is_taken_and_one_not_given_is_chosen(noise, series) -> None:
    values = noise(200, 100, 0.5)
    assert BlockBootstrap(block_length=9).prepare(values, 0, series(200)).block == 9
    expected = blocks.block_length(200, autocorrelation(values, series(200)))
    assert BlockBootstrap().prepare(values, 0, series(200)).block == expected
    assert 5 < expected < 20
