"""Projections by name, on real maps."""

import inspect

import cartopy.crs
import numpy as np
import pytest

from climxai.plots.maps import draw_map
from climxai.plots.projections import PARTIAL, PROJECTIONS, make_projection, squeezed
from climxai.plots.settings import Maps


def test_the_list_is_cartopys():
    found = {
        squeezed(name)
        for name, cls in vars(cartopy.crs).items()
        if inspect.isclass(cls)
        and not name.startswith("_")
        and issubclass(cls, cartopy.crs.Projection)
        and "central_longitude" in inspect.signature(cls).parameters
    }
    assert found == {squeezed(name) for name in PROJECTIONS}


@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_projection_draws(name, world, picture):
    relevance, field = world
    region = [-20, 20, 200, 280] if name in PARTIAL else None
    settings = Maps(projection=name, dpi=50, region=region)
    figure = draw_map(abs(relevance), field, settings, signed=False, title="t", label="l")
    if name in ("lambert_conformal", "albers_equal_area", "equidistant_conic", *PARTIAL):
        figure.canvas.draw()
        return  # 180°E lies elsewhere or not at all
    look = picture(figure)
    colour = look.at(1.5, 217.5) if "stereo" not in name else look.at(1.5, 227.5)
    assert colour[0] > colour[2] + 0.2  # red or yellow where the relevance is


def test_cones_turn_over_in_the_south():
    projection = make_projection("lambert_conformal", 140, -30)
    x, y = projection.transform_point(140, -60, cartopy.crs.PlateCarree())
    assert np.isfinite([x, y]).all()
    assert projection.proj4_params["lat_1"] < 0
