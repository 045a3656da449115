"""Grids laid out in a frame: every place shows the cell it lies in."""

import numpy as np
import pytest

from climxai.plots.mesh import EDGE, closed, edges_of, goes_around, patches


def shown(found, lat, lon):
    """The value of the patches at a place given in the frame; None where there is none."""
    for patch in found:
        if patch.lon[0] <= lon <= patch.lon[-1] and patch.lat[0] <= lat <= patch.lat[-1]:
            row = np.searchsorted(patch.lat, lat) - 1
            return patch.values[row, np.searchsorted(patch.lon, lon) - 1]
    return None


def test_edges_lie_midway():
    np.testing.assert_allclose(edges_of([0, 2, 6]), [-1, 1, 4, 8])
    np.testing.assert_allclose(edges_of([5.0]), [4.5, 5.5])


@pytest.mark.parametrize(
    ("lon", "around"),
    [
        (np.arange(0, 360, 2.0), True),
        (np.arange(0, 360, 1.125, dtype=np.float32), True),
        (np.linspace(0, 360, 181), False),  # the first meridian twice
        (np.arange(0, 350, 2.0), False),
        (np.arange(120, 290, 5.0), False),
    ],
)
def test_whether_a_grid_goes_around(lon, around):
    assert goes_around(lon) is around


@pytest.mark.parametrize("centre", [180.0, 0.0, -77.3, 91.25])
@pytest.mark.parametrize("first", [0.0, 2.5, -180.0, -177.5, 40.0])
def test_a_global_grid_fills_the_frame_once(centre, first):
    lat, lon = np.arange(-87.5, 90, 5), first + np.arange(0, 360, 5.0)
    values = np.arange(lat.size * lon.size).reshape(lat.size, lon.size)
    found = list(patches(values, lat, lon, centre))
    assert len(found) == 1
    assert found[0].lon[0] == pytest.approx(centre - 180, abs=2 * EDGE)
    assert found[0].lon[-1] == pytest.approx(centre + 180, abs=2 * EDGE)
    assert (np.diff(found[0].lon) > 0).all()
    assert np.diff(found[0].lon).max() < 2.51  # wide cells are subdivided
    for place in np.arange(centre - 179.9, centre + 180, 1.7131):
        column = int(np.floor(((place - first + 2.5) % 360) / 5))
        assert shown(found, 41.3, place) == values[26, column]


def test_a_regional_grid_across_the_cut_falls_into_two_patches():
    lat, lon = np.array([-5.0, 0, 5]), np.arange(150.0, 211, 5)
    values = np.tile(lon, (3, 1))
    found = list(patches(values, lat, lon, 0.0))
    assert [round(float(p.lon[0])) for p in found] == [-180, 148]
    assert [round(float(p.lon[-1])) for p in found] == [-148, 180]
    for place in (149.0, 171.0, 179.9, -179.9, -171.0, -150.0):
        assert shown(found, 0, place) == pytest.approx(5 * np.round((place % 360) / 5))


@pytest.mark.parametrize("centre", [180.0, 0.0, 3.0])
def test_contours_are_closed_by_interpolation(centre):
    # A wave known everywhere: the added columns must lie on the chord between their neighbours.
    lon = np.arange(0, 360, 10.0)
    values = np.cos(np.deg2rad(lon))[None, :] * np.ones((2, 1))
    wide, x = closed(values, lon, centre)
    assert (np.diff(x) > 0).all()
    assert x[[0, -1]] == pytest.approx([centre - 180, centre + 180], abs=2 * EDGE)
    np.testing.assert_allclose(wide[:, 0], wide[:, -1], atol=1e-6)
    np.testing.assert_allclose(wide[0], np.cos(np.deg2rad(x)), atol=0.004)


def test_contours_do_not_cross_a_gap():
    lon = np.arange(150.0, 211, 5)
    wide, x = closed(np.ones((2, lon.size)), lon, 0.0)
    assert (np.diff(x) > 0).all()
    assert np.isnan(wide).all(axis=0).sum() == 1
    assert np.isfinite(wide).sum() == 2 * lon.size
