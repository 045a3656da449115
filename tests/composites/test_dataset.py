"""What the composite says of itself, before and after a round trip through a file."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr

from climxai.composites.composite import compose
from climxai.composites.dataset import DIMENSIONS
from climxai.composites.settings import Composite
from climxai.core import cf


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


@pytest.fixture
def composite(make) -> xr.Dataset:
    explained = make(channels=2, seeds=(0, 4))
    settings = Composite(normalise="sum", only="correct")
    return compose(explained.write(), explained.fields, explained.classes, settings, tick=quiet)


def test_variables_and_dimensions(composite: xr.Dataset) -> None:
    # The layout of "what a run leaves behind", spelt out.
    expected = {
        "relevance": ("class", "channel", "lat", "lon"),
        "relevance_std": ("class", "channel", "lat", "lon"),
        "relevance_seed_std": ("class", "channel", "lat", "lon"),
        "field": ("class", "channel", "lat", "lon"),
        "count": ("class",),
        "relevance_by_seed": ("seed", "class", "channel", "lat", "lon"),
        "count_by_seed": ("seed", "class"),
        "zero_fraction": ("seed", "class"),
        "conservation": ("seed", "class"),
    }
    assert {name: composite[name].dims for name in composite.data_vars} == expected
    assert expected == DIMENSIONS
    assert composite["class"].values.tolist() == ["la_nina", "el_nino"]
    assert composite["seed"].values.tolist() == [0, 4]


def test_attributes(composite: xr.Dataset) -> None:
    assert composite.attrs["Conventions"] == "CF-1.11"
    assert composite.attrs["normalisation"] == "sum"
    assert composite.attrs["method"] == "lrp"
    assert composite.attrs["signed"] == 1
    assert "correctly classified" in composite.attrs["selection"]
    assert Composite(**json.loads(composite.attrs["composite"])) == Composite(
        normalise="sum", only="correct"
    )
    for name, variable in composite.data_vars.items():
        assert variable.attrs["long_name"], name
        assert "standard_name" not in variable.attrs, name
        if name.startswith("relevance"):
            assert variable.attrs["normalisation"].startswith("sum: "), name
    assert composite["relevance"].attrs["units"] == "1"
    assert composite["field"].attrs["units"] == "K"
    assert composite["lat"].attrs == cf.LATITUDE
    assert composite["lon"].attrs == cf.LONGITUDE


def test_fields_in_different_units_name_none(make) -> None:
    explained = make(channels=2)
    explained.fields = explained.fields.assign_coords(units=("channel", ["K", "m"]))
    found = compose(explained.write(), explained.fields, explained.classes, Composite(), tick=quiet)
    assert "units" not in found["field"].attrs
    assert found["units"].values.tolist() == ["K", "m"]


def test_cell_methods_name_only_dimensions_and_standard_names(composite: xr.Dataset) -> None:
    # CF 1.11, section 7.3: a name is a dimension, a scalar coordinate or a standard name.
    for name, variable in composite.data_vars.items():
        words = variable.attrs.get("cell_methods", "").split()
        names = {word[:-1] for word in words if word.endswith(":")}
        assert names <= {"time", "realization"}, name
        assert set(words) - {f"{word}:" for word in names} <= {"mean", "standard_deviation"}


def test_round_trip_through_a_file(composite: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "lrp.nc"
    composite.to_netcdf(path)
    with xr.open_dataset(path) as again:
        xr.testing.assert_identical(again.load(), composite)
    with netCDF4.Dataset(path) as file:
        for name in ("relevance", "relevance_std", "field", "relevance_by_seed"):
            variable = file.variables[name]
            assert variable.dtype == np.float32
            assert np.isnan(variable._FillValue)
            filters = variable.filters()
            assert filters["zlib"]
            assert filters["shuffle"]
            assert 1 <= filters["complevel"] <= 4
        for name in ("count", "count_by_seed"):
            assert file.variables[name].dtype == np.int32
        for name in ("lat", "lon", "seed", "count", "count_by_seed", "class", "channel"):
            assert "_FillValue" not in file.variables[name].ncattrs(), name
        assert file.variables["class"].dtype is str


def test_importing_the_settings_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, climxai.composites.settings, climxai.composites.composite\n"
        "print([m for m in ('torch', 'xarray', 'dask', 'netCDF4') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
