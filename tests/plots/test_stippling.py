"""Marks of significance: dots by counting, hatching and shading by looking at pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.testing.compare import compare_images

from climxai.core.errors import DataError
from climxai.plots.maps import draw_map
from climxai.plots.settings import Maps
from climxai.plots.stippling import SPACING, Marks, dot_places
from climxai.plots.style import WIDTH, save_figure

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


def marks(mask: np.ndarray, like: xr.DataArray, how: str = "dots") -> Marks:
    return Marks(like.copy(data=mask), how, "Dots: significant")  # type: ignore[arg-type]


def draw(relevance, made, field=None, **settings):
    return draw_map(
        relevance,
        field,
        Maps(**({"dpi": 60} | settings)),
        signed=True,
        title="Any",
        label="relevance (1)",
        marks=made,
    )


def apart_on_a_plane(inches_per_degree: float):
    """Distances on a map whose meridians and parallels are straight and equally spaced."""

    def apart(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        return np.hypot(np.diff(lon), np.diff(lat)) * inches_per_degree

    return apart


def test_every_significant_cell_of_a_coarse_grid_has_a_dot_in_its_middle() -> None:
    lat, lon = np.arange(-85.0, 90, 10), np.arange(0.0, 360, 10)
    mask = np.random.default_rng(0).integers(-1, 2, size=(18, 36))
    found = set(zip(*dot_places(mask, lat, lon, 180, apart_on_a_plane(0.02)), strict=True))
    expected = {(lon[j], lat[i]) for i, j in np.argwhere(mask == 1)}
    # The column at 0 E stands at the edge of a map around 180 E.
    assert {(x % 360, y) for x, y in found} == expected


@pytest.mark.parametrize("degrees", [2.5, 1.0, 0.5, 0.25])
def test_dots_of_fine_grids_are_thinned_to_what_a_page_shows(degrees: float) -> None:
    lat = np.arange(-90 + degrees / 2, 90, degrees)
    lon = np.arange(degrees / 2, 360, degrees)
    mask = np.zeros((lat.size, lon.size), dtype=int)
    mask[:, lon < 90] = 1
    inches = WIDTH / 360
    x, y = dot_places(mask, lat, lon, 180, apart_on_a_plane(inches))
    apart = np.hypot(x[:, None] - x, y[:, None] - y)[~np.eye(x.size, dtype=bool)]
    assert apart.min() * inches > 0.9 * SPACING
    # A quarter of the map is significant: dots cover a quarter, whatever the grid.
    block = (0.5 + np.ceil(SPACING / inches / degrees - 0.05) - 0.5) * degrees
    assert x.size == pytest.approx(0.25 * 360 * 180 / block**2, rel=0.1)
    assert x.max() < 90


def test_meridians_that_draw_together_get_fewer_dots() -> None:
    lat, lon = np.array([0.0, 85.0]), np.arange(0.0, 360, 2)

    def apart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        middle = (y[1:] + y[:-1]) / 2
        return np.hypot(np.diff(x) * np.cos(np.deg2rad(middle)), np.diff(y)) * 0.03

    _, y = dot_places(np.ones((2, 180), dtype=int), lat, lon, 180, apart)
    assert 6 * np.count_nonzero(y == 85) < np.count_nonzero(y == 0)


def test_a_block_gets_a_dot_when_more_than_half_of_it_is_significant() -> None:
    lat, lon = np.arange(2.0), np.arange(2.0)
    for cells, expected in (([1, 1, 1, 0], 1), ([1, 1, 0, 0], 0), ([1, 1, -1, 0], 1),
                            ([1, -1, -1, -1], 0)):  # fmt: skip
        mask = np.array(cells).reshape(2, 2)
        x, _ = dot_places(mask, lat, lon, 0, apart_on_a_plane(SPACING / 2))
        assert x.size == expected, cells


def test_only_significant_cells_are_shaded(world, picture) -> None:
    relevance, _ = world
    flat = xr.ones_like(relevance).where(np.isfinite(relevance))
    mask = np.where(relevance["lat"].values[:, None] > 0, 1, 0) * np.ones(relevance.shape)
    seen = picture(draw(flat, marks(mask, relevance, "only"), field_contours=False))
    assert seen.at(-35, 250) == pytest.approx(1, abs=0.02)  # white
    assert seen.at(35, 190)[1] < 0.5
    plain = picture(draw(flat, None, field_contours=False))
    assert plain.at(-35, 250)[1] < 0.5


def test_hatching_lies_where_it_is_not_significant(world, picture) -> None:
    relevance, _ = world
    flat = xr.zeros_like(relevance).where(np.isfinite(relevance))
    flat[0, 0] = 1.0
    mask = np.where(relevance["lat"].values[:, None] > 0, 1, 0) * np.ones(relevance.shape)
    plain = picture(draw(flat, None)).rgb
    hatched = picture(draw(flat, marks(mask, relevance, "hatching"))).rgb
    height = plain.shape[0]
    changed = np.abs(plain[: height // 2] - hatched[: height // 2]).max(axis=2) > 0.2
    # The note takes a line at the bottom, which lifts the map by less than one row of cells.
    half = int(0.36 * height)
    assert changed[int(0.15 * height) : int(0.3 * height)].mean() < 0.05
    below = np.abs(1 - hatched[half + 20 : half + 70, 150:300]).max(axis=2) > 0.2
    assert below.mean() > 0.1


@pytest.mark.parametrize("how", ["dots", "hatching"])
def test_pictures_look_like_the_stored_ones(world, how: str, tmp_path: Path) -> None:
    relevance, field = world
    mask = np.where(np.isfinite(relevance), np.abs(relevance) > 0.1, -1)
    save_figure(draw(relevance, marks(mask, relevance, how), field), [tmp_path / "a.png"])
    reference = REFERENCE / f"significance_{how}.png"
    assert compare_images(str(reference), str(tmp_path / "a.png"), TOLERANCE) is None


def test_a_mask_of_another_grid_is_refused(world) -> None:
    relevance, _ = world
    other = relevance.isel(lat=slice(1, None))
    with pytest.raises(DataError, match="not on the same grid"):
        draw(relevance, marks(np.ones(other.shape), other))
