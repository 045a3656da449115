"""The published set-up on NOAA ERSSTv5: what the network and its relevance must look like.

The expected ranges were measured with an independent prototype on the same file (tropical Pacific
share 0.48-0.50, Niño3.4 box 0.19-0.20, correlation 0.88-0.90; test accuracy at least 16 of 17).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climxai.composites.summary import pattern_correlation, regional_share
from climxai.config.experiment import load_experiment
from climxai.core.region import NAMED_REGIONS
from climxai.stages.run import run

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "enso_ersst.yaml"


@pytest.fixture(scope="module")
def finished(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ersst")
    experiment = load_experiment(
        CONFIG,
        [
            f"data.files={shared_data / 'sst' / 'ersstv5_monthly_2010-2020.nc'}",
            f"output={out}",
            "maps.formats=[png]",
            "maps.dpi=50",
        ],
    )
    run(experiment)
    return out


@pytest.fixture(scope="module")
def composite(finished: Path) -> xr.Dataset:
    return xr.load_dataset(finished / "composites" / "lrp_a1b0.nc")


def test_counts(finished: Path, composite: xr.Dataset) -> None:
    assert composite["count_by_seed"].sel({"class": "el_nino"}).values.tolist() == [25] * 5
    assert composite["count_by_seed"].sel({"class": "la_nina"}).values.tolist() == [35] * 5
    scores = json.loads((finished / "scores.json").read_text())
    test = scores["seeds"][0]["test"]
    assert np.sum(test["confusion"], axis=1).tolist() == [14, 3]  # La Niña, El Niño months


def test_at_most_one_month_is_wrong_in_four_of_five_seeds(finished: Path) -> None:
    scores = json.loads((finished / "scores.json").read_text())
    right = [round(row["test"]["accuracy"] * row["test"]["n"]) for row in scores["seeds"]]
    assert sum(number >= 16 for number in right) >= 4


def per_seed(composite: xr.Dataset) -> list[xr.DataArray]:
    """Return the El Niño relevance of the seeds whose maps are not all zero."""
    chosen = composite.sel({"class": "el_nino", "channel": "sst"})
    maps = [chosen["relevance_by_seed"].isel(seed=number) for number in range(5)]
    return [each for each in maps if float(abs(each).max()) > 0]


def test_relevance_lies_in_the_tropical_pacific(composite: xr.Dataset) -> None:
    lat, lon = composite["lat"].values, composite["lon"].values
    for name, least, most in (("tropical_pacific", 0.40, 0.60), ("nino34", 0.15, 0.25)):
        shares = [
            regional_share(each.values, lat, lon, NAMED_REGIONS[name])
            for each in per_seed(composite)
        ]
        assert least <= np.mean(shares) <= most


def test_relevance_has_the_pattern_of_el_nino(composite: xr.Dataset) -> None:
    field = composite["field"].sel({"class": "el_nino", "channel": "sst"})
    found = [
        pattern_correlation(each.values, np.abs(field.values), composite["lat"].values)
        for each in per_seed(composite)
    ]
    assert np.mean(found) >= 0.8


def test_seeds_without_any_relevance_are_told(composite: xr.Dataset) -> None:
    # Two of these five seeds classify every test month right, and their α1β0 maps of El Niño are
    # zero everywhere: the predicted score is carried by the bias alone. The output must say so.
    zero = composite["zero_fraction"].sel({"class": "el_nino"}).values
    assert len(per_seed(composite)) == int((zero < 1).sum()) >= 3
