"""How many clusters: what each criterion says of clouds, and of nothing but noise."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from climxai.composites.clusters.algorithms import Hdbscan, KMeans, Spectral
from climxai.composites.clusters.number import agreement, choose, resampled, silhouettes
from climxai.composites.clusters.settings import Suggest
from tests.composites.clusters.test_algorithms import blobs


def nothing() -> None:
    return None


def test_agreement_is_the_adjusted_rand_index() -> None:
    # Hubert & Arabie (1985), by counting pairs.
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
    a = b = both = 0
    for i, j in combinations(range(40), 2):
        a += one[i] == one[j]
        b += other[i] == other[j]
        both += (one[i] == one[j]) and (other[i] == other[j])
    expected = a * b / (40 * 39 / 2)
    index = (both - expected) / ((a + b) / 2 - expected)
    assert agreement(one, other) == pytest.approx(index)
    assert agreement(one, (one + 1) % 3) == 1


def test_silhouettes_are_those_of_the_definition() -> None:
    # Rousseeuw (1987): (b - a) / max(a, b), sample by sample.
    values, truth = blobs()
    truth = truth.copy()
    truth[5] = 0  # in no cluster
    found = silhouettes(values, truth)
    assert np.isnan(found[5])
    for i in (0, 1, 40):

        def mean(k: int, i: int = i) -> float:
            others = [j for j in np.flatnonzero(truth == k) if j != i]
            return float(np.mean([np.linalg.norm(values[i] - values[j]) for j in others]))

        a = mean(truth[i])
        b = min(mean(k) for k in (1, 2, 3) if k != truth[i])
        assert found[i] == pytest.approx((b - a) / max(a, b))


@pytest.mark.parametrize("algorithm", [Spectral(neighbours=8), KMeans()], ids=lambda a: a.name)
def test_three_clouds_are_three_clusters(algorithm: Spectral | KMeans) -> None:
    values, truth = blobs()
    found = choose(values, algorithm, Suggest(), 0, nothing)
    assert found.clusters == 3
    assert not found.asked
    assert found.votes == {"eigengap": 3, "silhouette": 3, "stability": 3}
    assert found.graph_parts == 3
    assert (found.eigenvalues[:3] < 1e-9).all()
    assert found.stability[found.numbers.index(3)] == pytest.approx(1)
    np.testing.assert_array_equal(found.labels[3], truth)


def test_a_number_given_is_taken() -> None:
    values, _ = blobs()
    found = choose(values, KMeans(clusters=11), Suggest(most=4), 0, nothing)
    assert found.clusters == 11
    assert found.asked
    assert found.numbers == (2, 3, 4, 11)


def test_noise_has_no_stable_clusters() -> None:
    values = np.random.default_rng(1).normal(size=(80, 10))
    found = choose(values, KMeans(), Suggest(), 0, nothing)
    assert np.nanmax(found.stability) < 0.75
    assert np.nanmax(found.silhouette) < 0.2


def test_a_number_that_is_found_has_its_stability_too() -> None:
    values, _ = blobs()
    found = choose(values, Hdbscan(), Suggest(), 0, nothing)
    assert found.numbers == (3,)
    assert found.votes == {}
    assert found.stability[0] > 0.8


def test_every_resample_is_told_and_random_numbers_are_the_same_again() -> None:
    values = np.random.default_rng(2).normal(size=(40, 3))
    told: list[int] = []
    settings = Suggest(resamples=7, fraction=0.6)
    first = choose(values, KMeans(), settings, 3, lambda: told.append(1))
    again = choose(values, KMeans(), settings, 3, nothing)
    assert len(told) == 7
    assert first.stability.tobytes() == again.stability.tobytes()
    assert (
        first.stability.tobytes()
        != choose(values, KMeans(), settings, 4, nothing).stability.tobytes()
    )


def test_a_part_too_small_for_its_graph_says_nothing() -> None:
    values = np.random.default_rng(2).normal(size=(10, 3))
    algorithm = Spectral(neighbours=9)
    labels = algorithm.fit_many(values, (2, 3), 0)
    mean, _ = resampled(values, algorithm, labels, Suggest(), 0, nothing)
    assert np.isnan(mean).all()


def test_few_samples() -> None:
    found = choose(np.random.default_rng(0).normal(size=(3, 2)), KMeans(), Suggest(), 0, nothing)
    assert found.clusters == 2
