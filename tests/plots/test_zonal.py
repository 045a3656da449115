"""Zonal and meridional means: against plain loops, beside a map whose axes they share."""

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.testing.compare import compare_images

from climxai.plots.settings import Maps
from climxai.plots.style import save_figure
from climxai.plots.zonal import draw_means, mean_along
from tests.plots import pages

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


def test_the_page_looks_like_the_stored_one(world, tmp_path):
    save_figure(pages.means(world), [tmp_path / "means.png"])
    assert (
        compare_images(str(REFERENCE / "means.png"), str(tmp_path / "means.png"), TOLERANCE) is None
    )


def test_means_equal_plain_loops():
    numbers = np.random.default_rng(1)
    values, lat = numbers.normal(size=(5, 7)), np.linspace(-80, 80, 5)
    shown = numbers.random((5, 7)) < 0.7
    shown[2], shown[:, 3] = False, False
    for i in range(5):
        row = [values[i, j] for j in range(7) if shown[i, j]]
        expected = sum(row) / len(row) if row else math.nan
        assert mean_along(values, lat, shown, "lat")[i] == pytest.approx(expected, nan_ok=True)
    for j in range(7):
        column = [(math.cos(math.radians(lat[i])), values[i, j]) for i in range(5) if shown[i, j]]
        total = sum(w for w, _ in column)
        expected = sum(w * v for w, v in column) / total if column else math.nan
        assert mean_along(values, lat, shown, "lon")[j] == pytest.approx(expected, nan_ok=True)


def test_land_does_not_turn_means_into_nothing(world):
    relevance, _ = world
    shown = np.isfinite(relevance.values)
    found = mean_along(relevance.values, relevance["lat"].values, shown, "lon")
    assert np.isfinite(found).all()


def page(world, **settings):
    relevance, field = world
    look = Maps(**({"dpi": 50} | settings))
    return draw_means(relevance, field, look, signed=True, title="t", label="l")


@pytest.mark.parametrize("centre", [None, 0, 200])
def test_a_longitude_stands_below_its_place_on_the_map(world, centre):
    relevance, _ = world
    spike = xr.zeros_like(relevance).where(np.isfinite(relevance))
    spike.loc[{"lat": -2.5, "lon": 212.5}] = 1.0
    figure = draw_means(
        spike, None, Maps(dpi=50, central_longitude=centre), signed=False, title="t", label="l"
    )
    chart, beside, below = figure.axes[:3]
    figure.canvas.draw()
    import cartopy.crs

    x, y = chart.projection.transform_point(212.5, -2.5, cartopy.crs.PlateCarree())
    on_map = chart.transData.transform((x, y))
    (curve,) = [line for line in below.lines if len(line.get_xdata()) > 2]
    at = np.argmax(np.nan_to_num(curve.get_ydata()))
    lon_pixel = below.transData.transform((curve.get_xdata()[at], 0))[0]
    assert lon_pixel == pytest.approx(on_map[0], abs=0.6)
    (curve,) = [line for line in beside.lines if len(line.get_ydata()) > 2]
    at = np.argmax(np.nan_to_num(curve.get_xdata()))
    lat_pixel = beside.transData.transform((0, curve.get_ydata()[at]))[1]
    assert lat_pixel == pytest.approx(on_map[1], abs=0.6)


def test_only_what_the_map_shows_counts(world):
    figure = page(world, region="nino34")
    beside = figure.axes[1]
    (curve,) = [line for line in beside.lines if len(line.get_ydata()) > 2]
    relevance, _ = world
    box = relevance.sel(lat=slice(-5, 5), lon=slice(190, 240)).mean("lon")
    held = np.isfinite(curve.get_xdata())
    np.testing.assert_allclose(curve.get_xdata()[held], box.values, rtol=1e-6)


def test_the_map_is_plate_carree_whatever_the_settings_say(world):
    import cartopy.crs

    assert isinstance(
        page(world, projection="robinson").axes[0].projection, cartopy.crs.PlateCarree
    )


def test_the_zeros_of_both_curves_lie_at_one_place(world):
    figure = page(world)
    beside, below, _bar = figure.axes[1:4]
    twins = figure.axes[-3:]
    heights = [
        axes.transData.transform((0, 0))[1]
        for axes in (below, *(t for t in twins if t.bbox.bounds == below.bbox.bounds))
    ]
    assert len(heights) >= 2
    assert np.ptp(heights) < 0.5
    del beside
