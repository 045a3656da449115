"""Every algorithm on samples whose clusters are known, and what each refuses."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.cluster

from climxai.composites.clusters import CLUSTERERS, Clusterer
from climxai.composites.clusters.algorithms import (
    Agglomerative,
    GaussianMixture,
    Hdbscan,
    KMeans,
    Spectral,
)
from climxai.composites.clusters.clusterer import NONE, in_order
from climxai.composites.clusters.graph import neighbour_graph
from climxai.composites.clusters.number import agreement
from climxai.core.errors import DataError

ALL = [record() for record in CLUSTERERS.values()]


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return three round clouds of 40, 30 and 20 samples, shuffled, and which each is of."""
    rng = np.random.default_rng(seed)
    truth = np.repeat([1, 2, 3], [40, 30, 20])
    centres = np.array([[0, 0, 0], [9, 0, 0], [0, 9, 3]], dtype=float)
    values = centres[truth - 1] + rng.normal(size=(90, 3))
    order = rng.permutation(90)
    return values[order], truth[order]


def rings() -> tuple[np.ndarray, np.ndarray]:
    """Return two concentric rings and which each sample is of."""
    rng = np.random.default_rng(1)
    angle = rng.uniform(0, 2 * np.pi, 200)
    truth = np.repeat([1, 2], 100)
    radius = np.where(truth == 1, 1.0, 4.0) + rng.normal(0, 0.15, 200)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), truth


@pytest.mark.parametrize("algorithm", ALL, ids=lambda each: each.name)
def test_clouds_are_told_apart_and_numbered_by_size(algorithm: Clusterer) -> None:
    values, truth = blobs()
    found = algorithm.fit(values, 3, 0)
    inside = found != NONE
    assert inside.mean() > 0.9
    np.testing.assert_array_equal(found[inside], truth[inside])


@pytest.mark.parametrize("algorithm", ALL, ids=lambda each: each.name)
def test_the_same_seed_gives_the_same_bits(algorithm: Clusterer) -> None:
    values = np.random.default_rng(5).normal(size=(300, 6))
    first, second = (algorithm.fit(values, 4, 7) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_spectral_follows_shapes_that_kmeans_cannot() -> None:
    values, truth = rings()
    assert agreement(Spectral(neighbours=8).fit(values, 2, 0), truth) == 1
    assert agreement(KMeans().fit(values, 2, 0), truth) < 0.1


def test_spectral_is_that_of_scikit_learn_on_the_same_graph() -> None:
    # On a connected graph; on others scikit-learn warns and its vectors are not settled.
    values, _ = blobs(4)
    graph = neighbour_graph(values, 45)
    theirs = sklearn.cluster.SpectralClustering(
        3, affinity="precomputed", random_state=0, assign_labels="kmeans"
    ).fit_predict(graph)
    assert agreement(Spectral(neighbours=45).fit(values, 3, 0), theirs) == 1


def test_several_numbers_at_once_are_those_one_by_one() -> None:
    values, _ = blobs(2)
    for algorithm in (Spectral(neighbours=6), KMeans(), Agglomerative(), GaussianMixture()):
        many = algorithm.fit_many(values, (2, 4), 0)
        for number in (2, 4):
            np.testing.assert_array_equal(many[number], algorithm.fit(values, number, 0))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Spectral(neighbours=3), Spectral(neighbours=12)),
        (Agglomerative(linkage="single"), Agglomerative(linkage="complete")),
        (Hdbscan(smallest=5), Hdbscan(smallest=15)),
        (Hdbscan(neighbours=2), Hdbscan(neighbours=20)),
        (GaussianMixture(covariance="full"), GaussianMixture(covariance="spherical")),
    ],
    ids=str,
)
def test_every_setting_counts(one: Clusterer, other: Clusterer) -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0, (1, 4), (60, 2)), rng.normal(4, (2, 0.3), (30, 2))])
    assert agreement(one.fit(values, 3, 0), other.fit(values, 3, 0)) < 1


def test_numbers_go_by_size_then_by_place() -> None:
    found = in_order([5, 5, -1, 2, 2, 7, 7, 7])
    assert found.tolist() == [2, 2, 0, 3, 3, 1, 1, 1]


def test_samples_between_clusters_are_in_none() -> None:
    values, _ = blobs()
    values = np.concatenate([values, [[60.0, 60, 60]]])
    assert Hdbscan().fit(values, 0, 0)[-1] == NONE


@pytest.mark.parametrize("algorithm", [Spectral(neighbours=2), KMeans(), Agglomerative()])
def test_more_clusters_than_samples(algorithm: Clusterer) -> None:
    with pytest.raises(DataError, match=r"9 clusters of 8 samples.*at most 8"):
        algorithm.check(8, 9)
    algorithm.check(8, 8)


def test_fewer_samples_than_neighbours() -> None:
    with pytest.raises(DataError, match=r"10 nearest neighbours of each of 10 samples.*only 9"):
        Spectral(neighbours=10).check(10, 2)
    Spectral(neighbours=9).check(10, 2)


def test_a_cluster_larger_than_everything() -> None:
    with pytest.raises(DataError, match=r"smallest: found 12, there are only 8"):
        Hdbscan(smallest=12).check(8, None)
    with pytest.raises(DataError, match=r"neighbours: found 12, there are only 8"):
        Hdbscan(neighbours=12).check(8, None)
