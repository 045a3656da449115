"""What is written: variables by hand, CF attributes, a round trip through a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from climxai.composites.significance import BlockBootstrap, TTest
from climxai.composites.significance.field import Outcome
from climxai.composites.significance.nulls import NullTally
from climxai.composites.significance.settings import Significance
from climxai.composites.significance.variables import (
    domain,
    drawn,
    with_method_agreement,
    with_nulls,
    with_seed_agreement,
    with_tests,
)


def composite(signed: int = 1, random: int = 0) -> xr.Dataset:
    """Two classes, two seeds, 4 x 6 cells with one of land."""
    by_seed = np.random.default_rng(random).normal(size=(2, 2, 1, 4, 6)).astype(np.float32)
    by_seed[..., 0, 0] = np.nan
    over = ("class", "channel", "lat", "lon")
    return xr.Dataset(
        {
            "relevance": (over, by_seed.mean(axis=0)),
            "relevance_by_seed": (("seed", *over), by_seed),
        },
        {
            "class": ["cold", "warm"],
            "seed": [0, 1],
            "channel": ["sst"],
            "lat": np.linspace(-45, 45, 4),
            "lon": np.linspace(0, 300, 6),
        },
        {"signed": signed, "method": "lrp"},
    )


@pytest.fixture
def found() -> dict[str, Outcome]:
    p = np.random.default_rng(1).uniform(size=(2, 1, 4, 6))
    p[0, 0, 1] = 0.001
    p[..., 0, 0] = np.nan
    threshold, samples = np.array([[0.001], [np.nan]]), np.array([12, 9], dtype=np.int32)
    block = np.array([3, 2], dtype=np.int32)
    return {
        "t_test": Outcome(TTest(), p, threshold, None, samples),
        "block_bootstrap": Outcome(BlockBootstrap(), p, threshold, block, samples),
    }


def test_p_values_masks_and_counts(found, tmp_path: Path) -> None:
    dataset = with_tests(composite(), found, Significance(tests=["t_test"], alpha=0.1))
    dataset.to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc", mask_and_scale=False) as held:
        mask = held["significant_t_test"]
        assert mask.values[0, 0, 1].tolist() == [1] * 6
        assert mask.values[0, 0, 0].tolist() == [-1, 0, 0, 0, 0, 0]
        assert mask.values[1].max() == 0
        assert mask.dtype == np.int8
        assert mask.attrs["flag_values"].tolist() == [0, 1]
        assert mask.attrs["flag_meanings"] == "not_significant significant"
        assert "alpha_FDR = 0.1" in mask.attrs["rule"]
        assert mask.attrs["domain"] == "cells with relevance, all of the grid"
        assert held["cells_t_test"].values.tolist() == [[23], [23]]
        assert held["cells_significant_t_test"].values.tolist() == [[6], [0]]
        assert held["samples_t_test"].values.tolist() == [12, 9]
        assert held["block_length_block_bootstrap"].values.tolist() == [3, 2]
        assert "block_length_t_test" not in held
        assert held["threshold_t_test"].attrs["alpha"] == 0.1
        for name, variable in held.data_vars.items():
            if not name.startswith("relevance"):
                assert variable.attrs["long_name"], name
                assert variable.attrs["units"] == "1", name


def test_null_networks(tmp_path: Path) -> None:
    settings = Significance(null_quantile=0.8, region=[-20, 20, 0, 360])
    nulls = np.random.default_rng(2).normal(size=(9, 2, 1, 4, 6)).astype(np.float32)
    held = composite()
    tally = NullTally(held["relevance"].values.reshape(2, 24), np.array([9, 9]), 0.8)
    for each in nulls:
        for k in range(2):
            tally.add(k, each[k].ravel())
    dataset = with_nulls(held, tally, settings)
    relevance = np.abs(dataset["relevance"].values)
    # The second largest of nine: 0.2 of ten.
    second = np.sort(np.abs(nulls), axis=0)[-2]
    inside = np.zeros((2, 1, 4, 6), dtype=bool)
    inside[:, :, 1:3] = True
    mask = dataset["significant_null_networks"].values
    assert (mask == 1).tolist() == (inside & (relevance > second)).tolist()
    assert (mask == -1).tolist() == (~inside).tolist()
    assert dataset["networks_null_networks"].values.tolist() == [9, 9]
    valid = np.isfinite(relevance)
    assert dataset["null_quantile"].values[valid] == pytest.approx(second[valid])
    dataset.to_netcdf(tmp_path / "a.nc")


def test_domain_is_the_region(found) -> None:
    inside = domain(composite(), Significance(region=[-20, 90, 0, 200]))
    assert inside.shape == (1, 4, 6)
    assert np.argwhere(inside[0])[0].tolist() == [1, 0]
    assert inside.sum() == 3 * 4
    assert domain(composite(), Significance()).all()


def test_agreement_of_seeds() -> None:
    dataset = with_seed_agreement(composite())
    by_seed, mean = dataset["relevance_by_seed"].values, dataset["relevance"].values
    expected = (np.sign(by_seed) == np.sign(mean)).mean(axis=0)
    valid = np.isfinite(mean)
    assert dataset["sign_agreement_seeds"].values[valid] == pytest.approx(expected[valid])
    assert np.isnan(dataset["sign_agreement_seeds"].values[~valid]).all()
    assert "sign_agreement_seeds" not in with_seed_agreement(composite().isel(seed=[0]))


def test_agreement_of_methods_is_of_those_with_signs() -> None:
    held = {"a": composite(1, 0), "b": composite(1, 5), "c": composite(0, 6)}
    found = with_method_agreement(held)
    assert "sign_agreement_methods" not in found["c"]
    a, b = held["a"]["relevance"].values, held["b"]["relevance"].values
    expected = np.where(np.sign(a) == np.sign(b), 1, 0.5)
    valid = np.isfinite(a)
    assert found["a"]["sign_agreement_methods"].values[valid].tolist() == expected[valid].tolist()
    assert "sign_agreement_methods" not in with_method_agreement({"a": held["a"]})["a"]
    assert "sign_agreement_methods" not in held["a"]


def test_the_first_test_there_is_gets_drawn(found) -> None:
    dataset = with_tests(composite(), found, Significance())
    assert drawn(("permutation", "block_bootstrap", "t_test"), dataset) == "block_bootstrap"
    assert drawn((), dataset) is None


def test_tests_of_differences_stand_along_differences(found) -> None:
    dataset = composite()
    pair = dataset["relevance"].isel({"class": [0]}).rename({"class": "difference"})
    dataset["relevance_difference"] = pair.assign_coords(difference=["warm less cold"])
    outcome = found["block_bootstrap"]
    one = Outcome(
        outcome.test, outcome.p[:1], outcome.threshold[:1], np.array([3]), np.array([9]), True
    )
    held = with_tests(dataset, {"permutation_difference": one}, Significance())
    assert held["p_permutation_difference"].dims[0] == "difference"
    assert held["block_length_permutation_difference"].values.tolist() == [3]
    assert "difference of mean relevance" in held["p_permutation_difference"].attrs["long_name"]
    assert drawn(("permutation",), held) is None
