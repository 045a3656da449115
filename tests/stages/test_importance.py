"""`climxai importance`: against losses computed here from the bundles, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from climxai.attribution.context import Context
from climxai.attribution.donors import picked
from climxai.bridge.batches import to_tensor
from climxai.bridge.bundle import load_bundle
from climxai.bridge.training_rows import TrainingRows
from climxai.config.experiment import load_experiment
from climxai.stages.preparation import prepare
from tests.stages.conftest import Command

METHODS = (
    "explain.methods=["
    "{id: one, name: permutation_importance, groups: {name: boxes, lat: 60, lon: 120}, repeats: 3},"
    "{id: back, name: permutation_importance, passes: multi, repeats: 2,"
    " groups: {name: regions, regions: {pacific: [-60, 60, 130, 270]}}},"
    "{id: fore, name: permutation_importance, passes: multi, direction: forward, repeats: 2,"
    " groups: {name: boxes, lat: 90, lon: 180}},"
    "{id: nested, name: permutation_importance, repeats: 2,"
    " groups: {name: regions, regions: {all: global, part: [-60, 60, 130, 270]}}}, saliency]"
)


@pytest.fixture
def trained(climxai: Command, experiment: Path) -> Path:
    done = climxai("train", experiment)
    assert done.code == 0, done.err
    return experiment.parent / "out"


def losses(network: torch.nn.Module, x: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    with torch.no_grad():
        logits = network(x).double()
    entropy = -torch.log_softmax(logits, 1)[torch.arange(len(x)), labels].mean()
    return float(entropy), float((logits.argmax(1) == labels).double().mean())


def test_it_agrees_with_losses_computed_one_by_one(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    done = climxai("importance", experiment, "--set", METHODS)
    assert done.code == 0, done.err
    settings = load_experiment(experiment, (METHODS,))
    prepared = prepare(settings)
    valid = prepared.valid.values
    inputs = prepared.samples.inputs.compute()
    x = to_tensor(inputs, valid)
    labels = torch.from_numpy(prepared.samples.labels.values.astype(np.int64))
    training = TrainingRows(prepared.samples.take(prepared.members("train")))
    context = Context(
        torch.from_numpy(valid), rows=torch.from_numpy(inputs["row"].values.astype(np.int64))
    )
    pool = training.draw(min(200, len(training)), 0)
    for name, repeats in (("one", 3), ("nested", 2)):
        held = xr.load_dataset(trained / "importance" / f"{name}.nc")
        chosen = picked(x, pool, repeats, context, 0)
        groups = next(m for m in settings.explain.methods if m.id == name).groups  # type: ignore[attr-defined]
        cover = groups.cover(valid, inputs["lat"].values, inputs["lon"].values)
        for seed in (0, 1):
            network = load_bundle(trained / "networks" / f"seed-{seed}").network()
            before = losses(network, x, labels)
            assert float(held["intact_cross_entropy"].sel(seed=seed)) == pytest.approx(
                before[0], rel=1e-5
            )
            assert float(held["intact_accuracy"].sel(seed=seed)) == pytest.approx(before[1])
            for repeat in range(repeats):
                donor = pool[chosen[:, repeat]].flatten(1)
                for group in range(len(cover)):
                    changed = x.flatten(1).clone()
                    cells = cover.cell[cover.group == group]
                    changed[:, cells] = donor[:, cells]
                    after = losses(network, changed.reshape(x.shape), labels)
                    here = held.sel(seed=seed).isel(repeat=repeat, group=group)
                    assert float(here["cross_entropy"]) == pytest.approx(
                        after[0] - before[0], abs=2e-5
                    )
                    assert float(here["accuracy"]) == pytest.approx(before[1] - after[1], abs=0.011)
                everything = x.flatten(1).clone()
                everything[:, np.unique(cover.cell)] = donor[:, np.unique(cover.cell)]
                after = losses(network, everything.reshape(x.shape), labels)
                assert float(
                    held["replaced_cross_entropy"].sel(seed=seed, repeat=repeat)
                ) == pytest.approx(after[0], rel=1e-4)


def test_several_passes_sum_to_the_whole_and_find_the_region_of_the_index(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    assert climxai("importance", experiment, "--set", METHODS).code == 0
    for name in ("back", "fore"):
        held = xr.load_dataset(trained / "importance" / f"{name}.nc")
        whole = held["replaced_cross_entropy"] - held["intact_cross_entropy"]
        np.testing.assert_allclose(held["cross_entropy"].sum("group"), whole, atol=2e-5)
        lost = held["intact_accuracy"] - held["replaced_accuracy"]
        np.testing.assert_allclose(held["accuracy"].sum("group"), lost, atol=1e-9)
    # The labels are an index of the Pacific: what lies elsewhere is worth little.
    back = xr.load_dataset(trained / "importance" / "back.nc")
    assert back["group"].values.tolist() == ["pacific", "elsewhere"]
    assert (back["rank"].sel(group="pacific") == 1).all()
    assert float(back["cross_entropy_mean"].sel(group="pacific").min()) > 0.1


def test_what_is_written_says_where_it_comes_from(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    done = climxai("importance", experiment, "--set", METHODS, "--metric", "accuracy")
    assert done.code == 0, done.err
    assert "one: accuracy" in done.out
    assert "saliency" not in done.out
    held = xr.load_dataset(trained / "importance" / "one.nc")
    assert held["cross_entropy"].dims == ("seed", "repeat", "group")
    assert held.attrs["metric"] == "accuracy"
    assert json.loads(held.attrs["method_settings"])["repeats"] == 3
    assert set(json.loads(held.attrs["network_digests_sha256"])) == {"0", "1"}
    low, high = np.percentile(held["accuracy"], (5, 95), axis=1)
    np.testing.assert_allclose(held["accuracy_low"], low)
    np.testing.assert_allclose(held["accuracy_high"], high)
    number = held["group_number"]
    assert number.dims == ("channel", "lat", "lon")
    assert (number.values[0, :2, :2] == -1).all()
    counts = [int((number == group).sum()) for group in range(held.sizes["group"])]
    assert held["cells"].values.tolist() == counts
    assert held["land"].values.max() > 0
    assert (held["rank"].values.min(axis=1) == 1).all()
    assert "group_number" not in xr.load_dataset(trained / "importance" / "nested.nc")
    for name in ("one", "back", "fore", "nested"):
        assert (trained / "importance" / f"{name}.png").stat().st_size > 5000
    assert "importance" in json.loads((trained / "provenance.json").read_text())


def test_only_correct_samples_start_from_full_accuracy(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    done = climxai(
        "importance", experiment, "--set", METHODS, "--set", "explain.only_correct=true",
        "--set", "explain.samples=test",
    )  # fmt: skip
    assert done.code == 0, done.err
    held = xr.load_dataset(trained / "importance" / "one.nc")
    assert (held["intact_accuracy"] == 1).all()
    assert held["count"].values.max() < 40


def test_without_a_permutation_importance_it_is_refused(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    done = climxai("importance", experiment)
    assert done.code == 2
    assert "none of them a permutation importance" in done.err
    assert not (trained / "importance").exists()


def test_a_region_of_land_is_refused_with_its_place(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    groups = "{name: regions, regions: {land: [-60, -25, 350, 50]}}"
    setting = f"explain.methods=[saliency, {{name: permutation_importance, groups: {groups}}}]"
    for command in ("importance", "check"):
        done = climxai(command, experiment, "--set", setting)
        assert done.code == 4
        assert "explain.methods.1 (permutation_importance)" in done.err
        assert "'land' holds no valid cell" in done.err


PERTURBING = (
    "explain.methods=["
    "{name: occlusion, patch: {lat_degrees: 40, lon_degrees: 90}, stride: 1, fill: climatology},"
    "{name: ablation, fill: local_mean}, {name: shapley, permutations: 4},"
    "{name: permutation_importance, passes: multi, repeats: 2,"
    " groups: {name: regions, regions: [tropical_pacific]}}]"
)


def test_the_perturbing_methods_explain_end_to_end(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    done = climxai("explain", experiment, "--set", PERTURBING)
    assert done.code == 0, done.err
    for name in ("occlusion", "ablation", "shapley", "permutation_importance"):
        files = sorted((trained / "relevance" / name / "seed-0").glob("*.nc"))
        held = xr.concat([xr.load_dataset(path) for path in files], "sample")
        assert np.isnan(held["relevance"].values[:, 0, :2, :2]).all()
        assert (held["mask_leak"] == 0).all()
        assert float(abs(held["relevance"]).max()) > 1e-3
        if name in ("shapley", "permutation_importance"):
            np.testing.assert_allclose(held["completeness_gap"], 0, atol=1e-4)
        else:
            assert held["conservation"].isnull().all()
