"""Three commands from netCDF to composites and maps: what is left behind, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climxai.config.experiment import load_experiment
from tests.stages.conftest import Command

METHODS = ("lrp", "eps", "saliency", "input_x_gradient")


@pytest.fixture
def finished(climxai: Command, experiment: Path) -> Path:
    done = climxai("run", experiment)
    assert done.code == 0, done.err
    return experiment.parent / "out"


def test_the_layout_is_the_contract(finished: Path) -> None:
    expected = {"config.yaml", "provenance.json", "run.log", "scores.json"}
    assert expected <= {path.name for path in finished.iterdir()}
    for seed in (0, 1):
        bundle = finished / "networks" / f"seed-{seed}"
        assert {path.name for path in bundle.iterdir()} == {
            "weights.safetensors",
            "network.json",
            "preprocessing.nc",
            "history.csv",
            "provenance.json",
        }
    for method in METHODS:
        assert (finished / "composites" / f"{method}.nc").exists()
        assert (finished / "maps" / f"{method}_warm.png").exists()
        assert (finished / "relevance" / method / "seed-1" / "shard-00000.nc").exists()
    assert not [path for path in finished.rglob(".*") if path.name != ".climxai.lock"]


def test_the_network_learns_what_it_is_told(finished: Path) -> None:
    # The class is a function of the field: a network that does not find it is broken.
    scores = json.loads((finished / "scores.json").read_text())
    for row in scores["seeds"]:
        assert row["train"]["accuracy"] > 0.9
        assert row["test"]["balanced_accuracy"] > 0.7
        assert np.sum(row["test"]["confusion"]) == row["test"]["n"]
    assert set(scores["baselines"]) == {"majority", "linear"}


def test_shards_hold_every_labelled_sample_once(finished: Path) -> None:
    shards = sorted((finished / "relevance" / "lrp" / "seed-0").glob("*.nc"))
    rows = np.concatenate([xr.load_dataset(path)["row"].values for path in shards])
    assert len(rows) == len(set(rows.tolist()))
    held = xr.load_dataset(shards[0])
    assert held["relevance"].dims == ("sample", "channel", "lat", "lon")
    assert held.sizes["sample"] == 30
    # The land block of the tiny world, rows 0-1 and columns 0-1.
    assert np.isnan(held["relevance"].values[:, :, :2, :2]).all()
    assert np.isfinite(held["relevance"].values[:, :, 2:, :]).all()
    for name in ("output", "label", "prediction", "conservation", "zero_map", "mask_leak", "split"):
        assert held[name].dims == ("sample",)


def test_composites_are_the_mean_of_normalised_maps(finished: Path) -> None:
    # The oracle is numpy over all shards at once.
    for method in METHODS:
        made = xr.load_dataset(finished / "composites" / f"{method}.nc")
        folder = finished / "relevance" / method
        per_seed = []
        for seed in (0, 1):
            files = sorted((folder / f"seed-{seed}").glob("*.nc"))
            held = xr.concat([xr.load_dataset(path) for path in files], "sample")
            maps = held["relevance"].values.astype(np.float64)
            scale = np.nanmax(np.abs(maps), axis=(1, 2, 3), keepdims=True)
            normalised = np.divide(maps, scale, out=np.zeros_like(maps), where=scale > 0)
            normalised[np.isnan(maps)] = np.nan
            per_seed.append((normalised, held["label"].values))
        maps = np.concatenate([each for each, _ in per_seed])
        labels = np.concatenate([each for _, each in per_seed])
        for number, name in enumerate(("cold", "warm")):
            expected = maps[labels == number].mean(axis=0)
            found = made["relevance"].sel({"class": name}).values
            np.testing.assert_allclose(found, expected, atol=1e-6)
            assert int(made["count"].sel({"class": name})) == (labels == number).sum()


def test_the_field_composite_is_in_the_units_of_the_field(finished: Path) -> None:
    made = xr.load_dataset(finished / "composites" / "lrp.nc")
    assert made["field"].attrs["units"] == "degC"
    centre = made["field"].sel(channel="sst", lat=10, lon=180)
    assert float(centre.sel({"class": "warm"})) > 0.3
    assert float(centre.sel({"class": "cold"})) < -0.3


def test_everything_needed_to_repeat_it_is_written_down(finished: Path, tiny_file: Path) -> None:
    import hashlib

    made = xr.load_dataset(finished / "composites" / "lrp.nc")
    digest = hashlib.sha256(tiny_file.read_bytes()).hexdigest()
    assert json.loads(made.attrs["input_digests_sha256"]) == {str(tiny_file): digest}
    assert made.attrs["Conventions"] == "CF-1.11"
    assert json.loads(made.attrs["versions"])["torch"].startswith("2.")
    provenance = json.loads((finished / "provenance.json").read_text())
    assert set(provenance) == {"train", "explain", "composite", "report"}
    again = load_experiment(finished / "config.yaml")
    assert again.train.seeds == (0, 1)


def test_the_run_prints_where_its_results_are(climxai: Command, experiment: Path) -> None:
    done = climxai("run", experiment, "--set", "explain.methods=saliency")
    netcdf = experiment.parent / "out" / "composites" / "saliency.nc"
    picture = experiment.parent / "out" / "maps" / "saliency_warm.png"
    assert f"netCDF  {netcdf}" in done.out
    assert f"map     {picture}" in done.out
