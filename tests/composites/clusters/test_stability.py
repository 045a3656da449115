"""Changed settings, other runs, and what is said about them."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.clusters import embedding
from climxai.composites.clusters.algorithms import KMeans, Spectral
from climxai.composites.clusters.embedding import FEWEST, pca_places, tsne_places
from climxai.composites.clusters.found import find
from climxai.composites.clusters.gather import Gathered
from climxai.composites.clusters.settings import Strategies
from climxai.composites.clusters.stability import Variant, other_run, variants, verdict
from climxai.core.errors import DataError
from tests.composites.clusters.test_algorithms import blobs


def nothing() -> None:
    return None


def two_kinds(seeds: int = 4, apart: float = 5.0, noise: float = 1.0) -> Gathered:
    """Return maps of relevance of two kinds, 25 and 15 samples, and fields of noise."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], [25, 15])
    base = rng.normal(size=(40, 30)) + apart * np.eye(2, 30)[truth]
    relevance = {
        seed: (base + noise * rng.normal(size=(40, 30))).astype(np.float32) for seed in range(seeds)
    }
    field = rng.normal(size=(40, 30)).astype(np.float32)
    return Gathered(np.arange(40), relevance, field, np.ones(30), np.zeros(30), np.arange(30.0))


def test_clear_kinds_stay_whatever_is_changed() -> None:
    gathered = two_kinds(apart=15)
    settings = Strategies(algorithm=Spectral(neighbours=10))
    found = find(gathered, settings, "here", nothing)
    assert found.clusters == 2
    assert np.bincount(found.labels).tolist() == [0, 25, 15]
    changed = list(variants(gathered, found.labels, 2, settings))
    assert [each.kind for each in changed] == [
        *["neighbours"] * 3, *["normalise"] * 3, *["seeds"] * 3, *["features"] * 2,
    ]  # fmt: skip
    same = [each.agreement for each in changed if each.kind in ("normalise", "seeds")]
    assert min(same) > 0.8
    # The fields are noise: their clusters are others.
    assert max(each.agreement for each in changed if each.kind == "features") < 0.3
    assert "stable" in verdict(1.0, changed)


def test_what_is_used_is_not_compared_with_itself() -> None:
    gathered = two_kinds(seeds=1)
    settings = Strategies(algorithm=Spectral(neighbours=5), normalise="sum", vary=[5, 9])
    labels = np.repeat([1, 2], [25, 15])
    changes = [each.change for each in variants(gathered, labels, 2, settings)]
    assert changes[:4] == ["9 neighbours", "normalise: none", "normalise: max", "normalise: l2"]
    assert not any("network" in each for each in changes)
    on_fields = Strategies(algorithm=KMeans(), features="fields")
    assert not list(variants(gathered, labels, 2, on_fields))


def test_another_run_is_compared_over_the_rows_of_both() -> None:
    mine = {1: 1, 2: 1, 3: 2, 4: 2, 9: 1}
    theirs = {1: 2, 2: 2, 3: 1, 4: 1, 7: 3}
    found = other_run("other", mine, theirs)
    assert (found.samples, found.clusters, found.agreement) == (4, 3, 1.0)
    assert np.isnan(other_run("other", mine, {77: 1}).agreement)


@pytest.mark.parametrize(
    ("resampled", "found", "lowest", "said"),
    [
        (0.95, [0.9, 1.0], None, "stable: every change"),
        (0.95, [0.9, 1.0], 0.3, "mostly stable"),
        (0.6, [0.7, 0.9], None, "partly stable"),
        (0.2, [0.3, 0.9], None, "hardly stable"),
        (np.nan, [np.nan], None, "stability unknown"),
    ],
)
def test_what_is_said(
    resampled: float, found: list[float], lowest: float | None, said: str
) -> None:
    changed = [Variant("seeds", "", 10, 2, value, lowest) for value in found]
    changed.append(Variant("features", "the fields", 10, 2, -0.5))  # does not count
    assert verdict(resampled, changed).startswith(said)


def test_maps_without_relevance_are_in_no_cluster() -> None:
    gathered = two_kinds()
    for maps in gathered.relevance.values():
        maps[[3, 30]] = 0
    found = find(gathered, Strategies(), "here", nothing)
    assert found.labels[[3, 30]].tolist() == [0, 0]
    assert (np.delete(found.labels, [3, 30]) > 0).all()
    assert np.isnan(found.tsne[[3, 30]]).all()
    nearest = found.nearest(1, 3)
    centre = found.features[found.labels[found.clustered] == 1].mean(axis=0)
    away = {
        int(at): np.linalg.norm(values - centre)
        for at, values in zip(found.clustered, found.features, strict=True)
        if found.labels[at] == 1
    }
    assert nearest.tolist() == sorted(away, key=away.__getitem__)[:3]


def test_too_few_samples_with_relevance() -> None:
    gathered = two_kinds()
    for maps in gathered.relevance.values():
        maps[2:] = 0
    with pytest.raises(DataError, match=r"here: 40 samples, of which 2 have any relevance"):
        find(gathered, Strategies(), "here", nothing)


def test_principal_components_are_singular_vectors() -> None:
    values = np.random.default_rng(1).normal(size=(30, 5)) * np.array([4, 2, 1, 1, 1])
    places, share = pca_places(values)
    u, s, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(places), np.abs(u[:, :2] * s[:2]), atol=1e-10)
    np.testing.assert_allclose(share, (s**2 / (s**2).sum())[:2])
    assert (np.abs(places).argmax(axis=0) == places.argmax(axis=0)).all()


def test_tsne_keeps_clouds_together_and_gives_the_same_bits() -> None:
    values, truth = blobs()
    places = tsne_places(values, 15.0, 0)
    centres = np.array([places[truth == k].mean(axis=0) for k in (1, 2, 3)])
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(axis=1) + 1
    assert (nearest == truth).mean() > 0.95
    assert places.tobytes() == tsne_places(values, 15.0, 0).tobytes()
    assert np.isnan(tsne_places(values[: FEWEST - 1], 15.0, 0)).all()
    assert np.isfinite(tsne_places(np.zeros((6, 3)), 30.0, 0)).all()


def test_of_many_samples_an_even_part_is_arranged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "MOST", 30)
    values, _ = blobs()
    placed = np.isfinite(tsne_places(values, 5.0, 0)).all(axis=1)
    assert np.flatnonzero(placed).tolist() == list(range(0, 90, 3))
