"""Feature vectors: what is divided by what, weights, cosine, principal components."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from climxai.composites.clusters.features import divided, features, reduced
from climxai.composites.clusters.gather import Gathered
from climxai.composites.clusters.settings import Strategies
from climxai.core.errors import DataError


@pytest.fixture
def gathered() -> Gathered:
    rng = np.random.default_rng(0)
    return Gathered(
        row=np.arange(12),
        relevance={seed: rng.normal(size=(12, 7)).astype(np.float32) for seed in (0, 1, 2)},
        field=(20 * rng.normal(size=(12, 7))).astype(np.float32),
        area=rng.uniform(0.2, 1, 7),
        lat=np.zeros(7),
        lon=np.arange(7.0),
    )


def test_each_map_is_divided_by_its_own_size() -> None:
    maps = np.array([[1.0, -4, 2], [0, 0, 0], [3, 0, 4]])
    np.testing.assert_allclose(divided(maps, "max")[0], [0.25, -1, 0.5])
    np.testing.assert_allclose(divided(maps, "sum")[0], np.array([1, -4, 2]) / 7)
    np.testing.assert_allclose(divided(maps, "l2")[2], [0.6, 0, 0.8])
    for how in ("max", "sum", "l2", "none"):
        assert not divided(maps, how)[1].any()


def test_seeds_are_averaged_before_a_map_is_divided(gathered: Gathered) -> None:
    mean = np.mean([gathered.relevance[seed].astype(float) for seed in (0, 1, 2)], axis=0)
    made = features(gathered, Strategies(weights="none"))
    np.testing.assert_allclose(made, mean / np.abs(mean).max(axis=1, keepdims=True), rtol=1e-6)


def test_a_sample_that_one_seed_does_not_explain_is_the_mean_of_the_others(
    gathered: Gathered,
) -> None:
    gathered.relevance[1][4] = np.nan
    expected = (gathered.relevance[0][4].astype(float) + gathered.relevance[2][4]) / 2
    np.testing.assert_allclose(gathered.mean()[4], expected, rtol=1e-6)


def test_area_weights_do_not_change_when_cells_are_split(gathered: Gathered) -> None:
    # Half of the cells split in two with equal values: distances between maps stay the same.
    split = np.repeat(np.arange(7), [2, 1, 2, 1, 2, 1, 2])
    finer = Gathered(
        row=gathered.row,
        relevance={seed: maps[:, split] for seed, maps in gathered.relevance.items()},
        field=gathered.field[:, split],
        area=(gathered.area / np.array([2, 1, 2, 1, 2, 1, 2]))[split],
        lat=gathered.lat[split],
        lon=gathered.lon[split],
    )
    settings = Strategies(normalise="max")
    one, other = pdist(features(gathered, settings)), pdist(features(finer, settings))
    np.testing.assert_allclose(one / one.mean(), other / other.mean())
    plain = settings.model_copy(update={"weights": "none"})
    one, other = pdist(features(gathered, plain)), pdist(features(finer, plain))
    assert not np.allclose(one / one.mean(), other / other.mean())


def test_cosine_is_the_distance_of_directions(gathered: Gathered) -> None:
    made = features(gathered, Strategies(metric="cosine", weights="none", normalise="none"))
    expected = pdist(gathered.mean(), "cosine")
    np.testing.assert_allclose(pdist(made) ** 2 / 2, expected, atol=1e-9)


def test_both_halves_count_alike(gathered: Gathered) -> None:
    made = features(gathered, Strategies(features="both"))
    assert made.shape == (12, 14)
    assert made[:, :7].var(axis=0).sum() == pytest.approx(1)
    assert made[:, 7:].var(axis=0).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "change",
    [
        {"features": "fields"},
        {"normalise": "sum"},
        {"weights": "none"},
        {"metric": "cosine"},
        {"pca": 2},
        {"pca": 0.5},
    ],
    ids=str,
)
def test_every_setting_counts(gathered: Gathered, change: dict) -> None:
    usual = features(gathered, Strategies())
    other = features(gathered, Strategies(**change))
    assert other.shape != usual.shape or not np.allclose(other, usual)
    if change == {"features": "fields"}:
        scaled = Strategies(features="fields", normalise_fields="l2")
        assert not np.allclose(other, features(gathered, scaled))


def test_all_components_keep_all_distances() -> None:
    values = np.random.default_rng(2).normal(size=(20, 6))
    np.testing.assert_allclose(pdist(reduced(values, 6)), pdist(values))


def test_a_share_of_the_variance_keeps_so_many_components() -> None:
    # The oracle are the singular values of the centred samples.
    values = np.random.default_rng(3).normal(size=(30, 8)) * np.array([5, 3, 1, 1, 1, 1, 1, 1])
    size = np.linalg.svd(values - values.mean(axis=0), compute_uv=False) ** 2
    needed = int(np.searchsorted(np.cumsum(size) / size.sum(), 0.8)) + 1
    assert reduced(values, 0.8).shape == (30, needed)


def test_more_components_than_there_are() -> None:
    with pytest.raises(DataError, match=r"9 principal components of 5 samples with 8 features"):
        reduced(np.zeros((5, 8)), 9)
