"""Coarsening against loops over cells: area means, valid cells only, across the seam."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.clusters.coarsen import (
    Coarsening,
    Degrees,
    cell_areas,
    coarse_grid,
    goes_around,
)

LAT, LON = np.arange(-85.0, 90, 10), np.arange(5.0, 360, 10)


def test_areas_are_those_of_the_sphere() -> None:
    # The sphere's surface is 4 pi; a belt's is 2 pi (sin north - sin south).
    areas = cell_areas(LAT, LON)
    assert areas.sum() == pytest.approx(4 * np.pi)
    assert areas[9].sum() == pytest.approx(2 * np.pi * np.sin(np.deg2rad(10)))


def test_a_cell_on_the_pole_is_a_cap() -> None:
    areas = cell_areas(np.array([-90.0, -45, 0, 45, 90]), np.array([0.0, 90, 180, 270]))
    assert areas.sum() == pytest.approx(4 * np.pi)
    assert areas[0].sum() == pytest.approx(2 * np.pi * (1 - np.sin(np.deg2rad(67.5))))


@pytest.mark.parametrize("how", [3, Degrees(degrees=30)])
def test_means_are_by_area_over_valid_cells(how: Coarsening) -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(2, 1, LAT.size, LON.size))
    maps[:, :, 3:7, 5:8] = np.nan
    means, area = coarse_grid(LAT, LON, how).means(maps)
    assert means.shape == (2, 1, 6 * 12)
    cell = np.cos(np.deg2rad(LAT))  # proportional to the area of cells of equal height
    for block in range(72):
        rows, columns = divmod(block, 12)
        total = weight = 0.0
        for i in range(3 * rows, 3 * rows + 3):
            for j in range(3 * columns, 3 * columns + 3):
                if np.isfinite(maps[1, 0, i, j]):
                    total += cell[i] * maps[1, 0, i, j]
                    weight += cell[i]
        if weight:
            assert means[1, 0, block] == pytest.approx(total / weight)
        else:
            assert np.isnan(means[1, 0, block])
            assert area[0, block] == 0


@pytest.mark.parametrize("how", [3, Degrees(degrees=45)])
def test_the_seam_may_lie_anywhere(how: Coarsening) -> None:
    # The same field on longitudes that begin elsewhere gives the same coarse cells.
    rng = np.random.default_rng(1)
    maps = rng.normal(size=(1, 1, LAT.size, LON.size))
    usual = coarse_grid(LAT, LON, how)
    turned = coarse_grid(LAT, np.concatenate([LON[14:], LON[:14] + 360]), how)
    rolled = np.roll(maps, -14, axis=3)
    first, second = usual.means(maps)[0], turned.means(rolled)[0]
    np.testing.assert_allclose(np.sort(first.ravel()), np.sort(second.ravel()))
    order = np.lexsort((usual.lon.round(6), usual.lat.round(6)))
    other = np.lexsort((turned.lon.round(6), turned.lat.round(6)))
    np.testing.assert_allclose(first[0, 0, order], second[0, 0, other])


def test_a_block_may_lie_across_the_seam() -> None:
    # Cells centred on 350 and 0 and 10 degrees: 36 columns from 0, blocks of 30 degrees begin at
    # Greenwich, and the middle of a block beside the seam is not on the other side of the world.
    lon = np.arange(0.0, 360, 10)
    assert goes_around(lon)
    made = coarse_grid(
        np.array([0.0]), np.concatenate([lon[35:], lon[:35] + 360]), Degrees(degrees=30)
    )
    np.testing.assert_allclose(np.sort(made.lon), np.arange(10.0, 360, 30))


def test_uneven_grids_are_cut_as_evenly_as_they_can_be() -> None:
    made = coarse_grid(np.arange(7.0), np.arange(5.0), 3)
    rows = np.bincount(made.block)
    assert made.count == 2 * 2
    assert rows.max() <= 4 * 3
    assert rows.min() >= 3 * 2


def test_no_coarsening_keeps_every_cell() -> None:
    maps = np.random.default_rng(2).normal(size=(3, 2, LAT.size, LON.size))
    means, _ = coarse_grid(LAT, LON, None).means(maps)
    np.testing.assert_allclose(means.reshape(maps.shape), maps, rtol=1e-12)
