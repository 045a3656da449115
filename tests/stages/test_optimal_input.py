"""`climxai optimal-input`: what the file says is what the networks answer, in the field's units."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file

from tests.stages.conftest import Command

FAST = ("--set", "optimal_input.steps=20", "--set", "optimal_input.step_size=0.05")


@pytest.fixture
def trained(climxai: Command, experiment: Path) -> Path:
    done = climxai("train", experiment)
    assert done.code == 0, done.err
    return experiment.parent / "out"


def probabilities(out: Path, seed: int, maps: np.ndarray) -> np.ndarray:
    """Run a bundle's weights by hand on maps [sample, channel, lat, lon]."""
    weights = load_file(out / "networks" / f"seed-{seed}" / "weights.safetensors")
    x = np.nan_to_num(maps.reshape(len(maps), -1).astype(np.float64))
    numbers = sorted({int(name.split(".")[0]) for name in weights})
    for number in numbers:
        x = x @ weights[f"{number}.weight"].T.astype(np.float64) + weights[f"{number}.bias"]
        x = np.maximum(x, 0) if number != numbers[-1] else x
    x = np.exp(x - x.max(1, keepdims=True))
    return x / x.sum(1, keepdims=True)


def anomalies(out: Path, file: Path) -> np.ndarray:
    """Return the tiny world's anomalies [sample, lat, lon] from the climatology that was saved."""
    with xr.open_dataset(file) as world:
        sst = world["sst"].load()
    saved = xr.load_dataset(out / "networks" / "seed-0" / "preprocessing.nc")
    climatology = saved["step0_climatology"].values[:, 0]
    return sst.values - climatology[sst["time"].dt.month.values - 1]


def test_the_file_holds_what_the_networks_answer(
    climxai: Command, experiment: Path, trained: Path, tiny_file: Path
) -> None:
    done = climxai("optimal-input", experiment, *FAST)
    assert done.code == 0, done.err
    made = xr.load_dataset(trained / "optimal_input" / "optimal_input.nc")
    assert made["optimal_input"].dims == ("target", "seed", "channel", "lat", "lon")
    assert made["target"].values.tolist() == ["cold", "warm"]
    assert made["optimal_input"].attrs["units"] == "degC"
    assert np.isnan(made["optimal_input"].values[..., :2, :2]).all()  # the land of the tiny world
    assert not made["start"].fillna(0).values.any()
    for number, name in enumerate(("cold", "warm")):
        for seed in (0, 1):
            one = made.sel(target=name, seed=seed)
            reached = float(one["value"][-1])
            found = probabilities(trained, seed, one["optimal_input"].values[None])
            assert found[0, number] == pytest.approx(reached, abs=1e-5)
            assert float(one["loss"][-1]) <= float(one["loss"][0])
            assert one["loss"].sizes["step"] == 21
    # Classes' mean fields and the correlation with them, computed here.
    field = anomalies(trained, tiny_file)
    lat = made["lat"].values
    inside = (np.abs(lat) < 20)[:, None] & np.isin(made["lon"].values, [135, 180, 225, 270])
    weights = inside * np.cos(np.deg2rad(lat))[:, None]
    index = (np.nan_to_num(field) * weights).sum((1, 2)) / weights.sum()
    warm = field[index > 0.3].mean(axis=0)
    np.testing.assert_allclose(made["field"].sel(target="warm")[0], warm, atol=1e-5)
    area = (np.cos(np.deg2rad(made["lat"].values))[:, None] + 0 * warm)[~np.isnan(warm)]
    for seed in (0, 1):
        one = made["optimal_input"].sel(target="warm", seed=seed).values[0][~np.isnan(warm)]
        both = np.cov(one, warm[~np.isnan(warm)], aweights=area)
        r = both[0, 1] / np.sqrt(both[0, 0] * both[1, 1])
        assert made["correlation"].sel(target="warm", seed=seed).item() == pytest.approx(r)
        assert f"{r:.3f}" in done.out
    for picture in ("loss.png", "map_cold.png", "map_warm.png"):
        assert (trained / "optimal_input" / picture).stat().st_size > 1000
    assert set(json.loads(made.attrs["network_digests_sha256"])) == {"0", "1"}
    assert json.loads(made.attrs["optimal_input_settings"])["steps"] == 20
    provenance = json.loads((trained / "provenance.json").read_text())
    assert provenance["optimal-input"]["outputs"] == ["optimal_input/optimal_input.nc"]


def test_scaling_is_undone(climxai: Command, experiment: Path) -> None:
    # The oracle scales the file's maps with what was saved, and runs the networks by hand.
    steps = "preprocess=[{name: anomaly}, {name: standardise, per: cell}, latitude_weight]"
    settings = ("--set", steps, "--set", "train.epochs=4", *FAST)
    assert climxai("train", experiment, *settings).code == 0
    done = climxai("optimal-input", experiment, *settings)
    assert done.code == 0, done.err
    out = experiment.parent / "out"
    made = xr.load_dataset(out / "optimal_input" / "optimal_input.nc")
    saved = xr.load_dataset(out / "networks" / "seed-0" / "preprocessing.nc")
    weight = np.cos(np.deg2rad(made["lat"].values))[:, None]
    one = made.sel(target="warm", seed=1)
    scaled = (one["optimal_input"] - saved["step1_mean"]).values / saved["step1_scale"].values
    found = probabilities(out, 1, (scaled * weight)[None])
    assert found[0, 1] == pytest.approx(float(one["value"][-1]), abs=1e-5)
    np.testing.assert_allclose(made["start"], saved["step1_mean"].where(~np.isnan(made["start"])))
    assert made["units"].values.tolist() == ["degC"]


def test_from_a_sample_to_units_with_regularisers_and_bounds(
    climxai: Command, experiment: Path, trained: Path, tiny_file: Path
) -> None:
    settings = (
        *FAST,
        "--set", "optimal_input.start={name: sample, date: 1995-07}",
        "--set", "optimal_input.targets=[{name: class, class_name: cold, aim: logit},"
        "{name: unit, layer: 2, unit: 3}, {name: unit, layer: 5, unit: 0}]",
        "--set", "optimal_input.regularisers=[smoothness, {name: l2, weight: 0.5}]",
        "--set", "optimal_input.bounds=training",
    )  # fmt: skip
    done = climxai("optimal-input", experiment, *settings)
    assert done.code == 0, done.err
    made = xr.load_dataset(trained / "optimal_input" / "optimal_input.nc")
    assert made["target"].values.tolist() == ["cold", "2_unit3", "5_unit0"]
    assert (trained / "optimal_input" / "map_2_unit3.png").exists()
    assert made["correlation"].sel(target="cold").notnull().all()
    assert made["correlation"].sel(target="5_unit0").isnull().all()
    field = anomalies(trained, tiny_file)
    with xr.open_dataset(tiny_file) as world:
        july = int(np.flatnonzero(world["time"].values == np.datetime64("1995-07-01"))[0])
    np.testing.assert_allclose(made["start"][0], field[july], atol=1e-5)
    with np.errstate(invalid="ignore"):
        low, high = field[:60].min(axis=0), field[:60].max(axis=0)
    optimal = made["optimal_input"].values
    known = np.isfinite(optimal)
    assert (optimal <= high + 1e-5)[known].all()
    assert (optimal >= low - 1e-5)[known].all()
    assert float(made["penalty"].isel(step=-1).min()) > 0
    again = climxai("optimal-input", experiment, *settings)
    assert again.code == 0
    xr.testing.assert_equal(made, xr.load_dataset(trained / "optimal_input" / "optimal_input.nc"))


HOLD = "the regularisers hold the input near its start"


def test_regularisers_that_hold_the_input_are_told(
    climxai: Command, experiment: Path, trained: Path
) -> None:
    settings = ("--set", "optimal_input.targets={name: class, class_name: warm}")
    strong = "optimal_input.regularisers=[{name: l2, weight: 50}]"
    done = climxai("optimal-input", experiment, *settings, "--set", strong)
    assert done.code == 0, done.err
    made = xr.load_dataset(trained / "optimal_input" / "optimal_input.nc")
    last = float(made["value"].sel(seed=0)[0, -1])
    assert f"seed 0, target warm: {HOLD}" in done.err
    assert f"reached {last:.3f}; lower their weight (l2 50)" in done.err
    assert made["held"].dims == ("target", "seed")
    assert (made["held"] > 0.9).all()
    usual = "optimal_input.regularisers=[smoothness, l2]"
    done = climxai("optimal-input", experiment, *settings, "--set", usual)
    assert done.code == 0, done.err
    assert HOLD not in done.err


DEMO = Path(__file__).resolve().parents[2] / "configs" / "enso_demo.yaml"


def test_the_documented_example_reaches_its_class_and_is_smooth(
    climxai: Command, tmp_path: Path
) -> None:
    settings = (
        "--set", f"output={tmp_path}", "--set", "train.seeds=[0]", "--set", "maps.formats=[png]",
        "--set", "maps.dpi=50",
    )  # fmt: skip
    assert climxai("train", DEMO, *settings).code == 0
    settings += (
        "--set", "optimal_input.targets={name: class, class_name: el_nino}",
        "--set", "optimal_input.start=climatology",
    )  # fmt: skip
    rough = {}
    for regularisers in ("[]", "[smoothness, l2]"):
        chosen = ("--set", f"optimal_input.regularisers={regularisers}")
        done = climxai("optimal-input", DEMO, *settings, *chosen)
        assert done.code == 0, done.err
        assert HOLD not in done.err
        made = xr.load_dataset(tmp_path / "optimal_input" / "optimal_input.nc")
        assert float(made["value"][0, 0, 0]) < 0.6
        assert float(made["value"][0, 0, -1]) > 0.95
        field = made["optimal_input"][0, 0, 0]
        steps = float((field.diff("lon") ** 2).mean() + (field.diff("lat") ** 2).mean())
        rough[regularisers] = steps / float((field**2).mean())
    assert rough["[smoothness, l2]"] < 0.5 * rough["[]"]


@pytest.mark.parametrize(
    ("setting", "code", "said"),
    [
        ("targets={name: class, class_name: wram}", 2, "Did you mean 'warm'"),
        ("targets={name: unit, layer: conv, unit: 0}", 4, "5 (2)"),
        ("start={name: climatology, class_name: hot}", 2, "optimal_input.start.class_name"),
        ("start={name: sample, date: 2030-01}", 3, "0 rows of the record"),
        ("start={name: sample, date: 1995}", 3, "12 rows of the record"),
        ("start={name: sample, date: May}", 2, "is not a date"),
        ("steps=0", 2, "steps"),
        ("regularisers=smooth", 2, "Did you mean 'smoothness'"),
    ],
)
def test_bad_settings(
    climxai: Command, experiment: Path, trained: Path, setting: str, code: int, said: str
) -> None:
    done = climxai("optimal-input", experiment, "--set", f"optimal_input.{setting}")
    assert done.code == code
    assert said in done.err
    assert not (trained / "optimal_input").exists()


def test_without_networks_it_says_what_to_do(climxai: Command, experiment: Path) -> None:
    done = climxai("optimal-input", experiment)
    assert done.code == 4
    assert "climxai train" in done.err


UNIT = "optimal_input.targets=[class, {name: unit, layer: conv, unit: 0}]"


@pytest.mark.parametrize(
    ("setting", "key"),
    [(UNIT, "optimal_input.targets.1.layer"), ("novelty.space=conv", "novelty.space")],
)
def test_a_layer_that_is_not_there_is_refused_before_anything_runs(
    climxai: Command, experiment: Path, setting: str, key: str
) -> None:
    done = climxai("check", experiment, "--set", setting)
    assert done.code == 4
    assert f"error: {key}: the network has no layer 'conv'" in done.err
    assert "5 (2)" in done.err
    assert climxai("check", experiment, "--set", setting.replace("conv", "4")).code == 0


@pytest.mark.parametrize(
    ("setting", "code", "said"),
    [
        ("start={name: sample, date: 2050-01}", 3, "optimal_input.start.date: 0 rows"),
        ("start={name: sample, date: 1995-07, member: r1}", 3, "member r1"),
        ("start={name: climatology, period: 2050-2060}", 3, "optimal_input.start: "),
        ("targets=[class, regression]", 4, "optimal_input.targets.1.name: a regression"),
        ("targets={name: unit, layer: 5, unit: 2}", 4, "optimal_input.targets.0.unit: layer"),
    ],
)
def test_check_and_the_command_refuse_the_same(
    climxai: Command, experiment: Path, trained: Path, setting: str, code: int, said: str
) -> None:
    for command in ("check", "optimal-input"):
        done = climxai(command, experiment, "--set", f"optimal_input.{setting}")
        assert done.code == code, command
        assert said in done.err
        assert "choose the target class" in done.err or "regression" not in setting
    assert not (trained / "optimal_input").exists()
