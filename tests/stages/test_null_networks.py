"""Networks trained on shuffled labels: kept apart, made once, compared with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climxai.bridge.bundle import load_bundle
from tests.stages.conftest import Command

MEDIAN = ("--set", "composite.significance.null_quantile=0.5")
TWO = ("--set", "train.null_networks=2", *MEDIAN)


def ok(climxai: Command, *arguments: object) -> str:
    done = climxai(*arguments)
    assert done.code == 0, done.err
    return done.out + done.err


def read(path: Path) -> xr.Dataset:
    with xr.open_dataset(path) as held:
        return held.load()


@pytest.fixture
def methods(experiment: Path) -> Path:
    """The tiny experiment with two methods, one of which averages over seeds."""
    text = experiment.read_text(encoding="utf-8")
    begin, end = text.index("  methods:"), text.index("composite:")
    asked = (
        "  methods:\n    - input_x_gradient\n    - {name: seed_average, method: input_x_gradient}\n"
    )
    experiment.write_text(text[:begin] + asked + text[end:], encoding="utf-8")
    return experiment


def test_they_are_trained_beside_the_others_which_are_kept(
    climxai: Command, experiment: Path
) -> None:
    ok(climxai, "train", experiment)
    networks = experiment.parent / "out" / "networks"
    before = {seed: load_bundle(networks / f"seed-{seed}").digest for seed in (0, 1)}
    said = ok(climxai, "train", experiment, *TWO)
    assert "seed 0: already trained, kept" in said
    assert "null network 1: 12 epochs" in said
    assert {seed: load_bundle(networks / f"seed-{seed}").digest for seed in (0, 1)} == before
    nulls = [load_bundle(networks / f"null-{number}") for number in (0, 1)]
    assert len({bundle.digest for bundle in nulls} | set(before.values())) == 4
    assert [bundle.seed for bundle in nulls] == [0, 1]
    said = ok(climxai, "train", experiment, *TWO)
    assert "null network 0: already trained, kept" in said
    said = ok(climxai, "train", experiment, *TWO, "--set", "train.null_block_length=6")
    assert "null network 0: 12 epochs" in said
    assert "seed 0: already trained, kept" in said


def test_they_learn_nothing_of_the_true_labels(climxai: Command, experiment: Path) -> None:
    ok(climxai, "train", experiment, "--set", "train.null_networks=6", *MEDIAN)
    out = experiment.parent / "out"
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert [row["null_network"] for row in scores["null_networks"]] == list(range(6))
    real = np.mean([row["train"]["balanced_accuracy"] for row in scores["seeds"]])
    null = np.mean([row["train"]["balanced_accuracy"] for row in scores["null_networks"]])
    assert real > 0.8
    assert null < 0.65


def test_they_are_explained_apart_from_the_others(climxai: Command, methods: Path) -> None:
    ok(climxai, "train", methods, *TWO)
    said = ok(climxai, "explain", methods, *TWO)
    out = methods.parent / "out"
    folder = out / "relevance" / "input_x_gradient"
    assert sorted(path.name for path in folder.iterdir()) == [
        "null-0", "null-1", "seed-0", "seed-1",
    ]  # fmt: skip
    real, null = (read(folder / name / "shard-00000.nc") for name in ("seed-0", "null-0"))
    assert null.attrs["labels"] == "shuffled"
    assert "labels" not in real.attrs
    # The label beside a map is what the network was told: as many of each, but elsewhere.
    labels = [each["label"].values for each in (null, real)]
    assert labels[0].tolist() != labels[1].tolist()
    parts = [each["split"].values for each in (null, real)]
    for part in np.unique(parts[1]):
        counts = [np.bincount(held[parts[1] == part], minlength=2) for held in labels]
        if part != 0:  # the first shard holds only some of the training samples
            assert counts[0].tolist() == counts[1].tolist()
    assert null["row"].values.tolist() == real["row"].values.tolist()
    assert not np.allclose(
        np.nan_to_num(null["relevance"].values), np.nan_to_num(real["relevance"].values)
    )
    # A null network is alone also where a method averages over seeds.
    alone = read(out / "relevance" / "seed_average" / "null-0" / "shard-00000.nc")
    np.testing.assert_allclose(alone["relevance"].values, null["relevance"].values, rtol=1e-5)
    index = json.loads((out / "relevance" / "index.json").read_text(encoding="utf-8"))
    assert all("null-" not in line["file"] for line in index["shards"])
    assert {line["seed"] for line in index["null_shards"]} == {0, 1}
    assert "0 were made now" not in said
    assert "of which 0 were made now" in ok(climxai, "explain", methods, *TWO)


def test_composites_of_networks_not_explained_yet_are_refused(
    climxai: Command, experiment: Path
) -> None:
    ok(climxai, "train", experiment, *TWO)
    ok(climxai, "explain", experiment)
    done = climxai("composite", experiment, *TWO)
    assert done.code == 5
    assert "lacks that of some of the 2 networks trained on shuffled labels" in done.err


def test_networks_that_are_missing_or_of_other_settings_are_named(
    climxai: Command, experiment: Path
) -> None:
    ok(climxai, "train", experiment)
    done = climxai("explain", experiment, *TWO)
    assert done.code == 4
    assert "null-0" in done.err
    assert "climxai train" in done.err
    ok(climxai, "train", experiment, *TWO)
    done = climxai("explain", experiment, *TWO, "--set", "train.null_block_length=3")
    assert done.code == 4
    assert "null-0 was trained with another" in done.err


def test_composites_are_compared_with_theirs(climxai: Command, methods: Path) -> None:
    three = ("--set", "train.null_networks=3", *MEDIAN)
    ok(climxai, "train", methods, *three)
    ok(climxai, "explain", methods, *three)
    said = ok(climxai, "composite", methods, *three)
    out = methods.parent / "out"
    held = read(out / "composites" / "input_x_gradient.nc")
    assert held["networks_null_networks"].values.tolist() == [3, 3]
    # The oracle: means per class of each null network's maps, each divided by its maximum.
    means = []
    for number in range(3):
        folder = out / "relevance" / "input_x_gradient" / f"null-{number}"
        shards = [read(path) for path in sorted(folder.glob("*.nc"))]
        maps = np.concatenate([each["relevance"].values for each in shards])
        label = np.concatenate([each["label"].values for each in shards])
        largest = np.nanmax(np.abs(maps), axis=(1, 2, 3), keepdims=True)
        maps /= np.where(largest > 0, largest, 1)
        means.append([maps[label == k].mean(axis=0) for k in range(2)])
    size = np.abs(np.array(means))
    relevance = np.abs(held["relevance"].values)
    valid = np.isfinite(relevance)
    # Half of 3 + 1: the second largest of the three.
    second = np.sort(size, axis=0)[-2]
    assert held["null_quantile"].values[valid] == pytest.approx(second[valid], rel=1e-4)
    expected = (1 + (size >= relevance).sum(axis=0)) / 4
    assert held["p_null_networks"].values[valid] == pytest.approx(expected[valid])
    mask = held["significant_null_networks"].values
    assert (mask[valid] == 1).tolist() == (relevance > second)[valid].tolist()
    assert "cells are significant (null networks)" in said
    # Fewer of the same networks can be taken without explaining anything again.
    ok(climxai, "composite", methods, *TWO)
    fewer = read(out / "composites" / "input_x_gradient.nc")
    assert fewer["networks_null_networks"].values.tolist() == [2, 2]


def test_composites_of_clusters_and_seeds_have_no_counterpart(
    climxai: Command, methods: Path
) -> None:
    text = methods.read_text(encoding="utf-8")
    grouped = 'composite: {by: {name: conditions, groups: {first: "seed == 0"}}, significance: '
    methods.write_text(
        text.replace("composite: {normalise: max}\n", grouped + "{null_quantile: 0.5}}\n"),
        encoding="utf-8",
    )
    two = ("--set", "train.null_networks=2")
    ok(climxai, "train", methods, *two)
    ok(climxai, "explain", methods, *two)
    said = ok(climxai, "composite", methods, *two)
    assert "the composite depends on the seed of a map" in said
    held = read(methods.parent / "out" / "composites" / "input_x_gradient.nc")
    assert "p_null_networks" not in held
