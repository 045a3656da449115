"""What is written: any calendar, meanings of numbers, lists of dates."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import xarray as xr

from climxai.composites.clusters.dataset import labels_dataset, samples_csv
from climxai.composites.clusters.found import Found, find
from climxai.composites.clusters.settings import Strategies
from climxai.core.netcdf import write_netcdf
from tests.composites.clusters.test_stability import nothing, two_kinds


def found() -> Found:
    gathered = two_kinds(apart=15)
    for maps in gathered.relevance.values():
        maps[7] = 0
    return find(gathered, Strategies(), "here", nothing)


def test_labels_are_written_in_any_calendar(tmp_path: Path) -> None:
    for calendar in ("standard", "360_day", "noleap"):
        time = xr.date_range(
            "1999-01-16", periods=4, freq="MS", calendar=calendar, use_cftime=calendar != "standard"
        ).values
        made = labels_dataset(np.array([3, 5, 7, 9]), time, np.array([1, 2, 0, 1]), 2)
        write_netcdf(made, tmp_path / f"{calendar}.nc")
        again = xr.load_dataset(tmp_path / f"{calendar}.nc")
        assert again["cluster"].values.tolist() == [1, 2, 0, 1]
        assert again["cluster"].dtype.kind == "i"
        assert again["row"].values.tolist() == [3, 5, 7, 9]
        assert again["cluster"].attrs["flag_meanings"] == "none cluster_1 cluster_2"
        assert (again["time"].values == time).all()


def test_samples_are_listed_per_cluster_nearest_first() -> None:
    what = found()
    dates = [f"{1950 + n}" for n in range(40)]
    text = samples_csv(what, dates, {"row": list(range(40))}, 2)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["cluster"] for row in rows] == ["1"] * 24 + ["2"] * 15 + ["none"]
    assert rows[-1]["date"] == "1957"
    assert rows[-1]["distance"] == ""
    assert [row["nearest"] for row in rows[:3]] == ["1", "2", ""]
    first = [float(row["distance"]) for row in rows[:24]]
    assert first == sorted(first)
    assert {int(row["row"]) for row in rows} == set(range(40))
