"""Any order and convention of axes; brute force over single longitudes is the reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from climxai.core.errors import DataError
from climxai.core.region import Region
from climxai.data.grids.axes import (
    Axis,
    closes_circle,
    grid_difference,
    latitude_axis,
    longitude_axis,
)


@given(
    count=st.integers(1, 40),
    start=st.floats(-360, 360, width=32),
    backwards=st.booleans(),
    twice=st.booleans(),
    single=st.booleans(),
)
def test_every_global_axis_begins_at_greenwich(
    count: int, start: float, backwards: bool, twice: bool, single: bool
) -> None:
    step = 360 / count
    lon = start + step * np.arange(count + (twice and count > 1))
    if single:
        lon = lon.astype(np.float32).astype(float)
    given_lon = lon[::-1] if backwards else lon
    axis = longitude_axis(given_lon, None, "a.nc")
    assert axis.values.size == count
    assert axis.values[0] >= -1e-4
    assert axis.values[-1] < 360
    assert (np.diff(axis.values) > 0).all()
    turned = (axis.values - given_lon[axis.positions]) / 360
    np.testing.assert_allclose(turned, np.round(turned), atol=1e-12)


@given(
    west=st.integers(-360, 360),
    width=st.integers(1, 360),
    start=st.sampled_from([0, -180, 20]),
    backwards=st.booleans(),
)
def test_a_region_keeps_what_lies_inside(
    west: int, width: int, start: int, backwards: bool
) -> None:
    east = west + width if west + width <= 360 else west + width - 360
    assume(east != west)  # no box, and refused
    region = Region(west=west, east=east)
    lon = np.arange(start, start + 360, 10.0)[:: -1 if backwards else 1]
    reach = 360 if region.whole_circle else (east - west) % 360
    # Walk eastwards from the western edge, a tenth of a degree at a time.
    walked = [west + part / 10 for part in range(reach * 10 + 1)]
    expected = [place for place in walked if round(place * 10) % 100 == 0]
    if reach == 360 and len(expected) > 36:
        expected = expected[:36]
    if not expected:
        with pytest.raises(DataError, match="no cell lies in the region"):
            longitude_axis(lon, region, "a.nc")
        return
    axis = longitude_axis(lon, region, "a.nc")
    np.testing.assert_allclose(axis.values, expected, atol=1e-9)
    np.testing.assert_allclose((axis.values - lon[axis.positions]) % 360, 0, atol=1e-9)


def test_an_axis_says_what_to_read_and_how_to_order_it() -> None:
    axis = Axis(np.array([1.0, 2, 3]), np.array([5, 3, 4]))
    assert axis.stretch == slice(3, 6)
    assert axis.order is not None
    assert axis.order.tolist() == [2, 0, 1]
    assert Axis(np.array([1.0, 2]), np.array([5, 6])).order is None


def test_rounding_at_greenwich_does_not_end_the_axis() -> None:
    lon = np.array([0, 90, 180, 270]) - 1e-7
    axis = longitude_axis(lon, None, "a.nc")
    assert axis.positions.tolist() == [0, 1, 2, 3]


def test_float32_edges_are_inside() -> None:
    lat = np.arange(-5.1, 5.2, 0.1, dtype=np.float32)
    axis = latitude_axis(lat, Region(south=-5, north=5), "a.nc")
    assert axis.values.size == 101


def test_latitudes_ascend() -> None:
    axis = latitude_axis([60, 20, -20], None, "a.nc")
    assert axis.values.tolist() == [-20, 20, 60]
    assert axis.positions.tolist() == [2, 1, 0]


@pytest.mark.parametrize("values", [[], [np.nan, 1], [-100, 0], [0, 1, 1], [0, 2, 1]])
def test_bad_latitudes(values: list[float]) -> None:
    with pytest.raises(DataError, match=r"^a\.nc"):
        latitude_axis(values, None, "a.nc")


@pytest.mark.parametrize("values", [[], [np.inf, 1], [0, 2000], [0, 20, 10], [0, 0, 1]])
def test_bad_longitudes(values: list[float]) -> None:
    with pytest.raises(DataError, match=r"^a\.nc"):
        longitude_axis(values, None, "a.nc")


def test_circles() -> None:
    assert closes_circle(np.arange(0.0, 360, 2))
    assert not closes_circle(np.arange(0.0, 350, 2))
    assert not closes_circle(np.array([0.0]))


def test_grid_differences() -> None:
    def grid(lat: list[float], lon: list[float]) -> tuple[Axis, Axis]:
        return (
            Axis(np.array(lat), np.arange(len(lat))),
            Axis(np.array(lon), np.arange(len(lon))),
        )

    first = grid([0, 1], [10, 20])
    assert grid_difference(first, grid([0, 1], [10, 20.00001])) is None
    assert grid_difference(first, grid([0, 2], [10, 20])) == (
        "latitudes differ: 1 against 2 at place 2 of 2"
    )
    assert grid_difference(first, grid([0, 1], [10])) == (
        "2 longitudes from 10 to 20 against 1 from 10 to 10"
    )
