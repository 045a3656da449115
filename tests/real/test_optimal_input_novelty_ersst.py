"""Novelty and optimal inputs on NOAA ERSSTv5, with the published set-up of ENSO's sign.

Expected: against the neutral months of 2010-2020, late 2015 to early 2016 (one of the strongest El
Niños on record) is most novel; a network's own El Niño resembles the El Niño composite.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climxai.config.experiment import Experiment, load_experiment
from climxai.core.region import NAMED_REGIONS
from climxai.stages.novelty import novelty
from climxai.stages.optimal_input import optimal_input
from climxai.stages.train import train

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "enso_ersst.yaml"
STRONGEST = ["2015-08", "2015-09", "2015-10", "2015-11", "2015-12", "2016-01"]


def experiment(shared_data: Path, out: Path, *settings: str) -> Experiment:
    files = shared_data / "sst" / "ersstv5_monthly_2010-2020.nc"
    return load_experiment(
        CONFIG,
        [f"data.files={files}", f"output={out}", "maps.formats=[png]", "maps.dpi=50", *settings],
    )


@pytest.mark.parametrize("folds", [1, 10])
def test_late_2015_is_most_novel_beside_neutral_months(
    shared_data: Path, tmp_path: Path, folds: int
) -> None:
    settings = ("novelty.baseline=no_class", f"novelty.folds={folds}")
    done = novelty(experiment(shared_data, tmp_path, *settings))
    with done.ranking.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 128
    assert sum(int(row["in_baseline"]) for row in rows) == 68
    assert {row["time"][:7] for row in rows[:12]} >= set(STRONGEST)
    assert rows[0]["time"][:7] in STRONGEST
    assert {row["class"] for row in rows[:6]} == {"el_nino"}
    # What the neutral months' patterns leave of it lies on the equator in the east.
    maps = xr.load_dataset(tmp_path / "novelty" / "maps.nc")
    error = maps["error"].isel(sample=0, channel=0)
    box = NAMED_REGIONS["nino3"].contains(error["lat"].values, error["lon"].values)
    assert float(error.values[box].mean()) > 0.8


def test_optimal_el_nino_resembles_its_composite(shared_data: Path, tmp_path: Path) -> None:
    settings = experiment(shared_data, tmp_path, "train.seeds=[0, 1, 3]")
    train(settings)
    done = optimal_input(settings)
    found = {row["seed"]: row for row in done.rows if row["target"] == "el_nino"}
    for row in found.values():
        assert row["reached"] > 0.99
        assert row["correlation"] > 0.85
    made = xr.load_dataset(done.netcdf)
    opposite = made["optimal_input"].sel(target=["la_nina", "el_nino"]).mean("seed")[:, 0]
    lat, lon = made["lat"].values, made["lon"].values
    area = np.cos(np.deg2rad(lat))[:, None] * NAMED_REGIONS["nino34"].contains(lat, lon)
    cold, warm = ((opposite.fillna(0) * area).sum(("lat", "lon")) / area.sum()).values
    assert cold < -0.5
    assert warm > 0.5
    assert all(path.stat().st_size > 1000 for path in done.pictures)


def test_the_default_weights_leave_el_nino_its_way_and_smooth_it(
    shared_data: Path, tmp_path: Path
) -> None:
    settings = ("train.seeds=[0, 1, 3]", "optimal_input.start=climatology")
    train(experiment(shared_data, tmp_path, *settings))
    rough = {}
    for regularisers in ("[]", "[smoothness, l2]", "[total_variation]"):
        chosen = (*settings, f"optimal_input.regularisers={regularisers}")
        done = optimal_input(experiment(shared_data, tmp_path, *chosen))
        for row in done.rows:
            assert row["target"] != "el_nino" or row["reached"] > 0.95
        field = xr.load_dataset(done.netcdf)["optimal_input"].sel(target="el_nino")[:, 0]
        steps = (field.diff("lon") ** 2).mean() + (field.diff("lat") ** 2).mean()
        rough[regularisers] = float(steps / (field**2).mean())
    assert rough["[smoothness, l2]"] < 0.6 * rough["[]"]
    assert rough["[total_variation]"] < 0.7 * rough["[]"]
