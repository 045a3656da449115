"""Streaming moments against numpy on the whole array."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climxai.composites.reductions import Moments


def streamed(values: np.ndarray, cuts: list[int], order: list[int] | None = None) -> dict:
    pieces = np.split(values, sorted(cuts))
    state = Moments.empty(values.shape[1:])
    for i in order or range(len(pieces)):
        state = state.combine(Moments.chunk(pieces[i], np.ones(len(pieces[i]))))
    return state.finalise()


def numpy_moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # cells that are never valid
        return np.nanmean(values, axis=0), np.nanstd(values, axis=0)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_chunking_in_any_order_equals_numpy(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 30))
    random = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    values = random.normal(3, 2, (n, 2, 3))
    values[random.random(values.shape) < data.draw(st.sampled_from([0, 0.3, 1]))] = np.nan
    cuts = data.draw(st.lists(st.integers(0, n), max_size=6))
    order = data.draw(st.permutations(range(len(cuts) + 1)))
    found = streamed(values, cuts, order)
    mean, std = numpy_moments(values)
    np.testing.assert_allclose(found["mean"], mean, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(found["std"], std, rtol=1e-10, atol=1e-12)


def test_combination_is_associative() -> None:
    random = np.random.default_rng(1)
    a, b, c = (Moments.chunk(random.normal(i, 1, (i + 2, 4)), np.ones(i + 2)) for i in range(3))
    left, right = a.combine(b).combine(c), a.combine(b.combine(c))
    for name in ("count", "mean", "m2"):
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol=1e-12)


def test_a_small_spread_on_a_large_mean_survives() -> None:
    # The sum of squares minus the squared sum would lose all digits here.
    values = 1e8 + np.random.default_rng(2).normal(0, 1e-3, (1000, 3))
    found = streamed(values, [10, 11, 400])
    np.testing.assert_allclose(found["std"], (values - 1e8).std(axis=0), rtol=1e-4)


def test_weights_count_a_sample_several_times() -> None:
    values = np.random.default_rng(3).normal(size=(5, 2))
    weights = np.array([3, 0, 1, 2, 0])
    found = Moments.chunk(values, weights)
    repeated = np.repeat(values, weights, axis=0)
    np.testing.assert_allclose(found.finalise()["mean"], repeated.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.finalise()["std"], repeated.std(axis=0), rtol=1e-13)
    assert (found.count == 6).all()


@pytest.mark.parametrize("weight", [0, 1])
def test_the_values_given_are_not_changed(weight: int) -> None:
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    before = values.copy()
    Moments.chunk(values, np.full(2, weight))
    np.testing.assert_array_equal(values, before)


def test_nothing_counted_is_missing_not_zero() -> None:
    found = Moments.empty((2,)).finalise()
    assert np.isnan(found["mean"]).all()
    assert np.isnan(found["std"]).all()
