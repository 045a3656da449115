"""Shares, correlations and the spread over seeds, against values worked out by hand or by numpy."""

from __future__ import annotations

import json

import numpy as np
import pytest

from climxai.composites.composite import compose
from climxai.composites.settings import Composite
from climxai.composites.summary import (
    pattern_correlation,
    regional_share,
    spread_over_seeds,
    summarise,
)
from climxai.core.region import NAMED_REGIONS, Region

LAT = np.array([-60.0, 0.0, 60.0])
LON = np.array([0.0, 90.0, 180.0, 270.0])


def test_share_counts_cells_not_area() -> None:
    map2d = np.array([[1.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 5, 0]])
    assert regional_share(map2d, LAT, LON, Region(south=-10, north=10)) == pytest.approx(2 / 8)
    assert regional_share(map2d, LAT, LON, NAMED_REGIONS["global"]) == 1


def test_share_leaves_out_land_and_negative_relevance() -> None:
    map2d = np.array([[1.0, np.nan, -7, 0], [-3, 3, 0, np.nan], [0, 0, 0, 0]])
    region = Region(south=-10, north=10, west=0, east=180)
    assert regional_share(map2d, LAT, LON, region) == pytest.approx(3 / 4)


def test_share_of_a_region_across_greenwich_edges_included() -> None:
    map2d = np.zeros((3, 4))
    map2d[1] = [1, 2, 4, 8]
    region = Region(south=0, north=60, west=-90, east=0)
    assert regional_share(map2d, LAT, LON, region) == pytest.approx(9 / 15)


def test_share_of_a_map_without_positive_relevance_is_undefined() -> None:
    assert np.isnan(regional_share(-np.ones((3, 4)), LAT, LON, Region()))


def test_correlation_without_weights_is_numpys() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 3, 4))
    a[0, 1] = b[2, 2] = np.nan
    both = np.isfinite(a) & np.isfinite(b)
    expected = np.corrcoef(a[both], b[both])[0, 1]
    assert pattern_correlation(a, b, LAT, weights="none") == pytest.approx(expected, rel=1e-12)


def test_area_weights_are_those_of_repeated_cells() -> None:
    # cos 60 = 1/2: a cell on the equator weighs as two cells at 60 degrees.
    random = np.random.default_rng(1)
    a, b = random.normal(size=(2, 3, 4))
    times = [1, 2, 1]
    expected = np.corrcoef(
        np.repeat(a, times, axis=0).ravel(), np.repeat(b, times, axis=0).ravel()
    )[0, 1]
    assert pattern_correlation(a, b, LAT) == pytest.approx(expected, rel=1e-12)


def test_correlation_does_not_depend_on_scale_or_offset() -> None:
    random = np.random.default_rng(2)
    a, b = random.normal(size=(2, 3, 4))
    expected = pattern_correlation(a, b, LAT)
    assert pattern_correlation(1e-30 * a, 5 * b + 300, LAT) == pytest.approx(expected, rel=1e-9)
    assert pattern_correlation(a, -b, LAT) == pytest.approx(-expected)
    assert pattern_correlation(a, 3 * a, LAT) == pytest.approx(1)


@pytest.mark.parametrize(
    "a",
    [
        np.zeros((3, 4)),
        np.full((3, 4), np.nan),
        np.where(np.arange(12).reshape(3, 4) == 0, 1, np.nan),
    ],
)
def test_correlation_of_a_constant_or_empty_map_is_undefined(a: np.ndarray) -> None:
    assert np.isnan(pattern_correlation(a, np.arange(12.0).reshape(3, 4), LAT))


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def test_rows_and_spread_show_a_seed_that_disagrees(make) -> None:
    explained = make(seeds=(0, 1, 2), classes=("la_nina", "neutral", "el_nino"))
    explained.label[explained.label == 1] = 2
    size = np.abs(explained.fields.values)
    for seed, sign in ((0, 1), (1, 1), (2, -1)):  # relevance like |field|, one seed the reverse
        explained.relevance[seed] = sign * size.mean(axis=0) * np.ones((24, 1, 1, 1), np.float32)
    explained.relevance[1][explained.label == 0] *= 0
    found = compose(explained.write(), explained.fields, explained.classes, Composite(), tick=quiet)
    rows = summarise(found)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert [(row["class_name"], row["seed"]) for row in rows] == [
        (name, seed) for name in explained.classes for seed in (0, 1, 2)
    ]
    by = {(row["class_name"], row["seed"]): row for row in rows}
    n = int((explained.label == 0).sum())
    assert by["la_nina", 1] == {
        "class_name": "la_nina",
        "channel": "sst0",
        "seed": 1,
        "count": n,
        "zero_fraction": 1.0,
        "conservation": pytest.approx(
            explained.conservation[1][explained.label == 0].mean(), rel=1e-6
        ),
        "correlation": None,
    }
    assert by["neutral", 0]["count"] == 0
    assert by["neutral", 0]["zero_fraction"] is None
    assert by["el_nino", 0]["correlation"] > 0
    assert by["el_nino", 2]["correlation"] == pytest.approx(-by["el_nino", 0]["correlation"])

    spread = {(line["class_name"], line["quantity"]): line for line in spread_over_seeds(rows)}
    line = spread["el_nino", "correlation"]
    assert line["lowest"] == by["el_nino", 2]["correlation"]
    assert line["highest"] == max(by["el_nino", seed]["correlation"] for seed in (0, 1))
    assert line["seeds"] == 3
    assert spread["la_nina", "correlation"]["seeds"] == 2
    assert spread["neutral", "zero_fraction"]["lowest"] is None
