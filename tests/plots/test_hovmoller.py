"""Sections through time: stored pictures, cells in time, gaps, degrees."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images

from climxai.core.errors import DataError
from climxai.plots.hovmoller import MISSING, MOST, Section, cells_in_time, draw_sections
from climxai.plots.settings import Maps
from climxai.plots.style import save_figure
from tests.plots import pages

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


@pytest.mark.parametrize("name", ["sections_longitude", "sections_latitude"])
def test_pages_look_like_the_stored_ones(name, world, tmp_path):
    save_figure(pages.FIGURES[name](world), [tmp_path / f"{name}.png"])
    assert (
        compare_images(str(REFERENCE / f"{name}.png"), str(tmp_path / f"{name}.png"), TOLERANCE)
        is None
    )


def test_cells_of_an_even_series_touch_and_lie_about_their_dates():
    years = 2000 + (np.arange(12) + 0.5) / 12
    edges, values = cells_in_time(years, np.arange(12.0)[:, None])
    np.testing.assert_allclose(edges, 2000 + np.arange(13) / 12, atol=1e-9)
    assert values[:, 0].tolist() == list(range(12))


def test_a_jump_in_time_is_a_cell_without_values():
    years = np.array([0.5, 1.5, 5.5, 6.5])
    edges, values = cells_in_time(years, np.array([[1.0], [2], [3], [4]]))
    # By hand: cells of one year, and nothing from 2 to 5.
    np.testing.assert_allclose(edges, [0, 1, 2, 5, 6, 7])
    np.testing.assert_array_equal(values[:, 0], [1, 2, np.nan, 3, 4])


def test_one_sample_is_a_month():
    edges, values = cells_in_time(np.array([2000.0]), np.ones((1, 3)))
    assert edges[1] - edges[0] == pytest.approx(1 / 12)
    assert values.shape == (1, 3)


def test_very_long_series_are_averaged_in_time():
    years = np.arange(10 * MOST) / 100
    values = np.stack([years, np.full(years.size, np.nan)], axis=1)
    edges, found = cells_in_time(years, values)
    assert len(found) == MOST
    assert np.isnan(found[:, 1]).all()
    # Means of ten neighbours each: the mean of all stays.
    assert found[:, 0].mean() == pytest.approx(years.mean(), rel=1e-3)
    assert (np.diff(edges) > 0).all()


def drawn(along="lon", **look):
    years = np.array([2000.0, 2000.1, 2000.2, 2001.0, 2001.1])
    places = np.arange(125.0, 285, 10) if along == "lon" else np.arange(-75.0, 80, 10)
    values = np.ones((5, places.size))
    section = Section(values, "Relevance", "relevance (1)", False, limit=1.0)
    return draw_sections([section], years, places, Maps(dpi=60, **look), along=along, title="t")


def test_times_without_a_sample_are_grey_and_the_rest_is_not():
    from matplotlib.colors import to_rgb

    figure = drawn()
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    axes = figure.axes[0]

    def at(lon, year):
        x, y = axes.transData.transform((lon, year))
        return pixels[pixels.shape[0] - 1 - int(y), int(x)]

    np.testing.assert_allclose(at(203, 2000.62), to_rgb(MISSING), atol=0.02)
    assert at(203, 2000.13)[2] < 0.3  # the last colour, a dark red


def test_time_goes_down_and_longitudes_cross_the_date_line():
    axes = drawn().axes[0]
    first, last = axes.get_ylim()
    assert first > last
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["120°E", "180°", "120°W"]


def test_latitudes_stand_upright_with_time_to_the_right():
    axes = drawn("lat").axes[0]
    assert axes.get_xlim()[0] < axes.get_xlim()[1] < 2002
    assert axes.get_ylim() == (-80, 80)
    assert "60°N" in [text.get_text() for text in axes.get_yticklabels()]


def test_nothing_to_draw_is_said():
    section = Section(np.full((2, 3), np.nan), "a", "b", True)
    with pytest.raises(DataError, match="no finite value"):
        draw_sections([section], np.arange(2.0), np.arange(3.0), Maps(), along="lat", title="t")
