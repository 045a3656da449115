"""Warnings: each fires on numbers made to set it off, and not on a run without faults."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from climxai.report.cautions import cautions
from climxai.report.material import Material
from tests.report.conftest import composite_dataset, part_of_scores, scores

EVEN = [[20, 0], [0, 20]]


def titles(material: Material, **changed: Any) -> list[str]:
    return [each.title for each in cautions(dataclasses.replace(material, **changed))]


def with_composite(material: Material, **variables: Any) -> Material:
    dataset = composite_dataset()
    for name, values in variables.items():
        dataset[name] = dataset[name].copy(data=np.asarray(values, dtype=float))
    one = dataclasses.replace(material.composites[0], dataset=dataset)
    return dataclasses.replace(material, composites=(one,))


def test_a_run_without_faults(material: Material) -> None:
    assert titles(material) == []


def test_what_the_stages_said(material: Material) -> None:
    made = {"train": {"warnings": ["the split is random: neighbours leak into the test part"]}}
    found = cautions(dataclasses.replace(material, provenance=made))
    assert [each.text for each in found] == [
        "The split is random: neighbours leak into the test part."
    ]


def test_another_configuration(material: Material) -> None:
    assert titles(material, same_config=False) == ["Another configuration"]


def test_stages_of_different_samples(material: Material) -> None:
    made = {"train": {"samples": "one"}, "explain": {"samples": "two"}}
    assert titles(material, provenance=made) == ["Stages of different data"]


@pytest.mark.parametrize(("few", "expected"), [(13, ["Imbalance"]), (14, [])])
def test_imbalance_from_three_to_one(material: Material, few: int, expected: list[str]) -> None:
    # 40 against 13 is more than three to one, 40 against 14 less.
    changed = scores([EVEN, EVEN], linear=[[15, 5], [5, 15]])
    for each in changed["seeds"]:
        each["train"] = part_of_scores([[40, 0], [0, few]])
    assert titles(material, scores=changed) == expected


def test_a_linear_model_as_good(material: Material) -> None:
    assert titles(material, scores=scores([EVEN], linear=EVEN)) == ["A linear model does as well"]


def test_overfitting_and_seeds_apart(material: Material) -> None:
    # Balanced accuracies on the test part 1.0 and 0.7, mean 0.85; 1.0 on the training part.
    changed = scores([EVEN, [[14, 6], [6, 14]]], linear=[[12, 8], [8, 12]])
    assert titles(material, scores=changed) == ["Overfitting", "Seeds that disagree"]


def test_zero_maps(material: Material) -> None:
    some = with_composite(material, zero_fraction=[[0.0, 0.2], [0.0, 0.0]])
    found = cautions(some)
    assert [each.title for each in found] == ["Zero maps"]
    assert "up to 20 %" in found[0].text


def test_conservation_only_where_the_output_is_shared_out(material: Material) -> None:
    lost = with_composite(material, conservation=[[0.4, 1.0], [0.5, 1.0]])
    found = cautions(lost)
    assert [each.title for each in found] == ["Conservation"]
    assert "La Niña 0.40 to 0.50" in found[0].text
    assert found[0].section == "audit"
    held = lost.composites[0]
    gradient = held.dataset.assign_attrs(method_settings='{"name": "saliency"}')
    changed = dataclasses.replace(held, dataset=gradient)
    assert titles(lost, composites=(changed,)) == []


def test_seeds_whose_maps_differ(material: Material) -> None:
    maps = composite_dataset()["relevance_by_seed"].values.copy()
    maps[1] = np.random.default_rng(0).permutation(maps[1].ravel()).reshape(maps[1].shape)
    assert set(titles(with_composite(material, relevance_by_seed=maps))) == {"Seeds that disagree"}


def test_relevance_on_land(material: Material) -> None:
    assert titles(material, leaks={"saliency": 0.3, "lrp": 0.001}) == [
        "Relevance on cells without data"
    ]


def test_nothing_significant(material: Material) -> None:
    dataset = composite_dataset()
    cells = {"cells_t_test": [[24, 24], [24, 24]], "cells_significant_t_test": [[0, 0], [3, 0]]}
    for name, values in cells.items():
        dataset[name] = (("class", "channel"), values)
    one = dataclasses.replace(material.composites[0], dataset=dataset)
    found = cautions(dataclasses.replace(material, composites=(one,)))
    assert [each.title for each in found] == ["Nothing significant"]
    assert "La Niña: none of 48 cells" in found[0].text


def test_suspect_and_loose_clusters(material: Material) -> None:
    account = {
        **material.clusters[0].account,
        "verdict": "hardly stable: adjusted Rand index 0.20 in the middle",
        "suspects": [{"cluster": 2, "kind": "land", "text": "80 % of its relevance lies on land"}],
    }
    changed = dataclasses.replace(material.clusters[0], account=account)
    found = cautions(dataclasses.replace(material, clusters=(changed,)))
    assert [each.title for each in found] == ["A suspect strategy", "Clusters"]
    assert "cluster 2: 80 % of its relevance lies on land" in found[0].text
