"""Tests of a composite read from shards: every selection, order, seeds, members, null networks."""

from __future__ import annotations

import logging
import tracemalloc

import numpy as np
import pytest
import xarray as xr

from climxai.composites.composite import compose
from climxai.composites.examine import examine
from climxai.composites.settings import Composite
from climxai.composites.significance.serial import Series
from climxai.composites.significance.zero import TTest

T_TEST = {"tests": ["t_test", {"name": "permutation", "permutations": 49}]}


def nothing(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def examined(explained, memory: int = 10**8, nulls=None, **settings: object) -> xr.Dataset:
    made = Composite.model_validate({"significance": T_TEST} | settings)
    shards = explained.written or explained.write()
    held = compose(shards, explained.fields, explained.classes, made, tick=nothing)
    return examine(
        held, shards, explained.fields, explained.classes, made, memory=memory, nulls=nulls
    )


def by_hand(maps: np.ndarray, member: np.ndarray) -> np.ndarray:
    """The t-test of maps [sample, channel, lat, lon] that are already in order."""
    cells = np.flatnonzero(np.isfinite(maps[0]).ravel())
    values = maps.reshape(len(maps), -1)[:, cells].astype(np.float32)
    number = np.unique(member, return_inverse=True)[1]
    series = Series(np.zeros(len(maps), int), number, np.arange(len(maps)))
    p = np.full(maps[0].size, np.nan)
    p[cells] = TTest().p_values(values, 0, series, TTest().prepare(values, 0, series))
    return p.reshape(maps.shape[1:])


def test_maps_are_normalised_averaged_over_seeds_and_put_into_order(explained) -> None:
    held = examined(explained)
    maps = [explained.relevance[seed] for seed in (0, 1)]
    maps = [m / np.nanmax(np.abs(m), axis=(1, 2, 3), keepdims=True) for m in maps]
    mean = (maps[0] + maps[1]) / 2
    member = explained.fields["member"].values
    order = np.lexsort((explained.fields["time"].values, member))
    for k, name in enumerate(explained.classes):
        inside = order[explained.label[order] == k]
        expected = by_hand(mean[inside], member[inside])
        found = held["p_t_test"].sel({"class": name}).values
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
        assert int(held["samples_t_test"].sel({"class": name})) == len(inside)


def test_seeds_averaged_first_are_normalised_afterwards(explained) -> None:
    held = examined(explained, seeds="before")
    mean = (explained.relevance[0] + explained.relevance[1]) / 2
    mean = mean / np.nanmax(np.abs(mean), axis=(1, 2, 3), keepdims=True)
    member = explained.fields["member"].values
    order = np.lexsort((explained.fields["time"].values, member))
    inside = order[explained.label[order] == 1]
    found = held["p_t_test"].values[1]
    np.testing.assert_allclose(found, by_hand(mean[inside], member[inside]), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("lengths", [(24,), (5, 19), (1, 2, 3, 18)])
def test_any_cutting_into_shards_gives_the_same(explained, lengths) -> None:
    first = examined(explained)
    explained.write(lengths)
    again = examined(explained, memory=1000)
    for name in ("p_t_test", "p_permutation"):
        np.testing.assert_array_equal(first[name].values, again[name].values)


def test_a_sample_counts_for_each_class_that_a_network_gives_it(explained) -> None:
    held = examined(explained, by="prediction")
    predictions = np.stack([explained.prediction[seed] for seed in (0, 1)])
    for k in range(2):
        expected = int((predictions == k).any(axis=0).sum())
        assert int(held["samples_t_test"].values[k]) == expected


def test_groups_that_overlap_are_tested_one_by_one(explained) -> None:
    groups = {"early": "row < 40", "late": "row > 10"}
    held = examined(explained, by={"name": "conditions", "groups": groups})
    row = explained.row
    assert held["samples_t_test"].values.tolist() == [(row < 40).sum(), (row > 10).sum()]
    # Samples of both are no evidence for a difference: only what is in one alone is compared.
    assert np.isfinite(held["p_permutation"].values[0]).any()


def test_null_networks_are_compared_by_their_own_maps(make, tmp_path) -> None:
    explained = make(seeds=(0, 1))
    real = explained.write()
    rng = np.random.default_rng(8)
    nulls = make(seeds=tuple(range(9)))
    nulls.folder = tmp_path / "nulls"
    for seed in nulls.relevance:
        nulls.relevance[seed] = (rng.normal(size=nulls.relevance[seed].shape) / 9).astype("f4")
        nulls.relevance[seed][np.isnan(explained.relevance[0])] = np.nan
    shards = nulls.write()
    explained.written = real
    held = examined(
        explained,
        nulls=shards,
        normalise="none",
        significance={"null_quantile": 0.9},
        select={"seeds": [0]},
    )
    means = np.array(
        [
            [nulls.relevance[seed][nulls.label == k].mean(axis=0) for k in range(2)]
            for seed in range(9)
        ]
    )
    valid = np.isfinite(held["relevance"].values)
    beyond = held["null_quantile"].values[valid]
    assert beyond == pytest.approx(np.abs(means).max(axis=0)[valid], rel=1e-5)
    assert held["networks_null_networks"].values.tolist() == [9, 9]


def test_a_composite_by_seed_has_no_null_counterpart(explained, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        held = examined(
            explained,
            nulls=explained.write(),
            by={"name": "conditions", "groups": {"one": "seed == 1"}},
        )
    assert "p_null_networks" not in held
    assert "depends on the seed of a map" in caplog.text


def test_memory_follows_the_budget_and_hardly_the_samples(make) -> None:
    peaks = []
    for samples in (400, 1600):
        explained = make(samples=samples, channels=20, seeds=(0,))
        explained.written = {}
        made = Composite.model_validate({"significance": {"tests": ["t_test", "sign_test"]}})
        shards = explained.write(lengths=[100] * (samples // 100))
        held = compose(shards, explained.fields, explained.classes, made, tick=nothing)
        explained.relevance.clear()
        tracemalloc.start()
        examine(held, shards, explained.fields, explained.classes, made, memory=1_000_000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 64 cells at a time, of 1200 more samples: 0.3 MB of float32, a few times in float64.
    # All 960 cells would be fifteen times as much.
    assert peaks[1] - peaks[0] < 3_000_000
