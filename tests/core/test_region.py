"""Boxes across the date line and across Greenwich, in both longitude conventions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from climxai.core.region import NAMED_REGIONS, AnyRegion, Region

ANY = TypeAdapter(AnyRegion)


@pytest.mark.parametrize(
    ("west", "east", "inside", "outside"),
    [
        (190, 240, [190, 200, 240, -150], [189, 241, 0, 170]),
        (170, -120, [170, 180, -170, 240], [169, 245, 0]),
        (-30, 30, [0, 330, 360, -30, 30], [31, 180, 329]),
        (0, 360, [0, 180, 359.9, -77], []),
        (330, 30, [0, 330, 30, 345], [180, 31]),
    ],
)
def test_longitudes_inside(
    west: float, east: float, inside: list[float], outside: list[float]
) -> None:
    region = Region(west=west, east=east)
    assert region.contains_lon(inside).all()
    assert not region.contains_lon(outside).any()


@given(
    st.floats(-180, 180), st.floats(-180, 180), st.floats(-180, 180), st.sampled_from([-360, 360])
)
def test_turning_a_longitude_by_a_circle_changes_nothing(
    west: float, east: float, lon: float, turn: float
) -> None:
    assume((east - west) % 360 != 0)  # no box
    region = Region(west=west, east=east)
    gap = min(abs((lon - edge + 180) % 360 - 180) for edge in (west, east))
    if gap > 1e-3:  # at an edge rounding may decide
        assert region.contains_lon([lon]) == region.contains_lon([lon + turn])


def test_nino34_on_a_2_degree_grid_holds_5_by_26_cells() -> None:
    # Counted by hand: latitudes -4…4 and longitudes 190…240 in steps of 2.
    mask = NAMED_REGIONS["nino34"].contains(np.arange(-88, 90, 2.0), np.arange(0, 360, 2.0))
    assert mask.sum() == 5 * 26


def test_short_forms() -> None:
    assert ANY.validate_python("nino34") == NAMED_REGIONS["nino34"]
    assert ANY.validate_python([-5, 5, 190, 240]) == NAMED_REGIONS["nino34"]
    for alias in ("nino3.4", "Niño3.4"):
        assert ANY.validate_python(alias) == NAMED_REGIONS["nino34"]
    with pytest.raises(ValidationError, match="Did you mean 'nino34'"):
        ANY.validate_python("nino3 4x")
    with pytest.raises(ValidationError, match="the same meridian"):
        ANY.validate_python([-5, 5, 150, 150])
    with pytest.raises(ValidationError, match="found 3 values"):
        ANY.validate_python([1, 2, 3])
    with pytest.raises(ValidationError, match="must lie below"):
        ANY.validate_python([5, -5, 0, 10])


def test_described_as_people_write_it() -> None:
    assert NAMED_REGIONS["nino34"].describe() == "5°S-5°N, 170°W-120°W"
