"""`climxai novelty`: scikit-learn's components as oracle, a planted stranger, layers, bad input."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file
from sklearn.decomposition import PCA

from tests.conftest import tiny_world
from tests.stages.conftest import Command

ALONE = ("--set", "novelty.folds=1")


def anomalies(made: xr.Dataset, file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return anomalies [sample, cell] of the training climatology on valid cells, and areas."""
    with xr.open_dataset(file) as world:
        sst = world["sst"].load()
    train = sst.isel(time=np.flatnonzero(made["split"].values == 0))
    field = sst.groupby("time.month") - train.groupby("time.month").mean("time")
    valid = np.isfinite(sst.values).all(axis=0)
    area = np.broadcast_to(np.cos(np.deg2rad(sst["lat"].values))[:, None], valid.shape)[valid]
    return field.values[:, valid].astype(np.float64), area


def expected(values: np.ndarray, area: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """Return novelty by scikit-learn: components of root-area-weighted baseline samples."""
    root = np.sqrt(area / area.sum())
    deviation = np.sqrt((values[baseline].var(axis=0) * root**2).sum())
    weighted = values * root / deviation
    known = PCA(n_components=0.975, svd_solver="full").fit(weighted[baseline])
    left = weighted - known.inverse_transform(known.transform(weighted))
    return np.sqrt((left**2).sum(axis=1))


def ranking(out: Path) -> list[dict[str, str]]:
    with (out / "novelty" / "ranking.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_novelty_is_what_scikit_learns_components_leave(
    climxai: Command, experiment: Path, tiny_file: Path
) -> None:
    # No network is needed to compare inputs.
    done = climxai("novelty", experiment, *ALONE, "--set", "novelty.baseline=no_class")
    assert done.code == 0, done.err
    out = experiment.parent / "out"
    made = xr.load_dataset(out / "novelty" / "novelty.nc")
    values, area = anomalies(made, tiny_file)
    assert made["novelty"].sizes["sample"] == len(values) == 96
    baseline = np.flatnonzero(made["label"].values < 0)
    assert 10 < baseline.size < 60
    assert made["in_baseline"].values.astype(bool).tolist() == (made["label"] < 0).values.tolist()
    novelty = expected(values, area, baseline)
    np.testing.assert_allclose(made["novelty"], novelty, rtol=1e-3)
    rows = ranking(out)
    assert [int(row["rank"]) for row in rows] == list(range(1, 97))
    assert [int(row["row"]) for row in rows] == np.argsort(-novelty, kind="stable").tolist()
    assert {row["class"] for row in rows} == {"", "cold", "warm"}
    assert rows[0]["time"] in done.out
    maps = xr.load_dataset(out / "novelty" / "maps.nc")
    assert maps["rank"].values.tolist() == [1, 2, 3, 4]
    assert maps["error"].attrs["units"] == maps["field"].attrs["units"] == "degC"
    # A map of errors has the sample's novelty: its root mean square, over the deviation.
    deviation = np.sqrt((values[baseline].var(axis=0) * area).sum() / area.sum())
    valid = np.isfinite(maps["error"].values[0, 0])
    errors = maps["error"].values[:, 0, valid].astype(np.float64)
    found = np.sqrt((errors**2 * area).sum(axis=1) / area.sum()) / deviation
    np.testing.assert_allclose(found, maps["novelty"], rtol=1e-3)
    pictures = sorted(path.name for path in (out / "novelty").glob("*.png"))
    assert len(pictures) == 5
    assert f"map_01_{rows[0]['time'][:7]}.png" in pictures


def test_a_stranger_comes_first_and_shows_where(
    climxai: Command, experiment: Path, tmp_path: Path
) -> None:
    world = tiny_world()
    world["sst"][70, 4, 6:] += 4.0
    world.to_netcdf(tmp_path / "strange.nc")
    settings = ("--set", f"data.files={tmp_path / 'strange.nc'}")
    plain = climxai("novelty", experiment, *settings, "--set", "novelty.error_maps=all")
    assert plain.code == 0, plain.err
    out = experiment.parent / "out"
    rows = ranking(out)
    assert rows[0]["row"] == "70"
    assert float(rows[0]["novelty"]) > 2 * float(rows[1]["novelty"])
    maps = xr.load_dataset(out / "novelty" / "maps.nc")
    assert maps.sizes["sample"] == 96
    error = maps["error"].isel(sample=70, channel=0)
    assert int(np.nanargmax(abs(error.values))) in (4 * 8 + 6, 4 * 8 + 7)
    np.testing.assert_allclose(error[4, 6:], 4.0, rtol=0.3)
    # The same in standardised inputs: errors are in the field's units again.
    steps = ("--set", "preprocess=[anomaly, {name: standardise, per: field}]")
    scaled = climxai("novelty", experiment, *settings, *steps)
    assert scaled.code == 0, scaled.err
    again = xr.load_dataset(out / "novelty" / "maps.nc")
    assert again["error"].attrs["units"] == "degC"
    np.testing.assert_allclose(again["error"][0, 0], error, atol=1e-3)
    np.testing.assert_allclose(
        xr.load_dataset(out / "novelty" / "novelty.nc")["novelty"][70], float(rows[0]["novelty"]),
        rtol=1e-4,
    )  # fmt: skip


def test_layers_of_every_network(climxai: Command, experiment: Path, tiny_file: Path) -> None:
    assert climxai("train", experiment).code == 0
    done = climxai("novelty", experiment, *ALONE, "--set", "novelty.space=1")
    assert done.code == 0, done.err
    out = experiment.parent / "out"
    made = xr.load_dataset(out / "novelty" / "novelty.nc")
    assert made["novelty_by_seed"].dims == ("seed", "sample")
    values, _ = anomalies(made, tiny_file)
    valid = np.ones((6, 8), dtype=bool)
    valid[:2, :2] = False
    baseline = np.flatnonzero(made["in_baseline"].values)
    assert (made["split"].values[baseline] == 0).all()
    assert (made["label"].values[baseline] >= 0).all()
    for seed in (0, 1):
        weights = load_file(out / "networks" / f"seed-{seed}" / "weights.safetensors")
        units = values @ weights["1.weight"][:, valid.ravel()].T + weights["1.bias"]
        novelty = expected(units, np.ones(4), baseline)
        np.testing.assert_allclose(made["novelty_by_seed"].sel(seed=seed), novelty, atol=2e-4)
    np.testing.assert_allclose(made["novelty"], made["novelty_by_seed"].mean("seed"))
    maps = xr.load_dataset(out / "novelty" / "maps.nc")
    assert "error" not in maps
    assert maps["field"].notnull().any()


def test_memory_and_part_change_no_number(climxai: Command, experiment: Path) -> None:
    assert climxai("novelty", experiment).code == 0
    out = experiment.parent / "out"
    whole = xr.load_dataset(out / "novelty" / "novelty.nc")
    few = ("--set", "compute.rows_per_shard=7", "--set", "novelty.samples=test")
    assert climxai("novelty", experiment, *few, "--set", "novelty.most_novel=0").code == 0
    part = xr.load_dataset(out / "novelty" / "novelty.nc")
    assert 0 < part.sizes["sample"] < whole.sizes["sample"]
    assert (part["split"] == 2).all()
    assert (part["label"] >= 0).all()
    same = whole["novelty"].values[np.isin(whole["row"], part["row"])]
    np.testing.assert_allclose(part["novelty"], same, rtol=1e-12)
    # What an earlier run ranked is gone.
    assert sorted(path.name for path in (out / "novelty").iterdir()) == [
        "novelty.nc",
        "novelty.png",
        "ranking.csv",
    ]


@pytest.mark.parametrize(
    ("setting", "code", "said"),
    [
        ("baseline=neutral", 2, "no baseline named 'neutral'"),
        ("baseline={name: class, class_name: wram}", 2, "Did you mean 'warm'"),
        ("baseline={name: period, period: 1950-1960}", 3, "1950 to 1960"),
        ("baseline={name: period, period: 1990-02}", 3, "found 1 rows"),
        ("variance=1.5", 2, "variance"),
        ("space=1", 4, "climxai train"),
    ],
)
def test_bad_settings(
    climxai: Command, experiment: Path, setting: str, code: int, said: str
) -> None:
    done = climxai("novelty", experiment, "--set", f"novelty.{setting}")
    assert done.code == code
    assert said in done.err
    assert not (experiment.parent / "out" / "novelty").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["baseline={name: period, period: 2050-2060}"], "novelty.baseline (rows of 2050 to 2060)"),
        (["baseline={name: class, class_name: warm, period: 2050}"], "found 0 rows"),
        (["folds=500"], "novelty.folds: the baseline (training samples) has"),
        (["baseline={name: period, period: 1990}", "folds=13"], "has 11 rows, found 13 blocks"),
    ],
)
def test_check_and_the_command_refuse_the_same(
    climxai: Command, experiment: Path, settings: list[str], said: str
) -> None:
    given = [text for setting in settings for text in ("--set", f"novelty.{setting}")]
    for command in ("check", "novelty"):
        done = climxai(command, experiment, *given)
        assert done.code == 3, command
        assert said in done.err
    assert not (experiment.parent / "out" / "novelty").exists()


def test_an_unknown_layer_lists_the_known_ones(climxai: Command, experiment: Path) -> None:
    assert climxai("train", experiment, "--set", "train.epochs=1").code == 0
    done = climxai(
        "novelty", experiment, "--set", "train.epochs=1", "--set", "novelty.space=hidden"
    )
    assert done.code == 4
    assert "error: novelty.space: the network has no layer 'hidden'" in done.err
    assert "1 (4)" in done.err
