"""Panels of weights: their colours where the weights are known, and stored pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.testing.compare import compare_images

from climxai.core.errors import DataError
from climxai.plots.settings import Maps
from climxai.plots.style import save_figure
from climxai.plots.weights import MOST, draw_kernels, draw_weights

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0  # as in test_maps.py


def maps_of(relevance: xr.DataArray, units: int) -> xr.DataArray:
    """Weights of several units: one map, scaled and turned in sign."""
    scale = xr.DataArray((-1.0) ** np.arange(units) * (1 + np.arange(units)), dims="unit")
    return (relevance * scale).assign_coords(unit=np.arange(units))


def kernels(units: int, channels: int = 1) -> xr.DataArray:
    values = np.random.default_rng(0).normal(size=(units, channels, 3, 5))
    return xr.DataArray(
        values,
        dims=("unit", "channel", "row", "column"),
        coords={"unit": np.arange(units), "channel": [f"c{n}" for n in range(channels)]},
    )


def titles(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_signs_have_their_own_colours(world, picture) -> None:
    # Blue for what counts against, red for what counts for: the central Pacific is positive in
    # the field, so negative in the second unit.
    for unit, warm in ((0, True), (1, False)):
        one = maps_of(world[0], 2).isel(unit=[unit])
        red, _, blue = picture(draw_weights(one, Maps(dpi=60), title="t")).at(0, -125)
        assert (red > blue) == warm


def test_all_units_or_the_strongest(world) -> None:
    few = draw_weights(maps_of(world[0], 3), Maps(dpi=50), title="t")
    assert titles(few) == ["unit 1", "unit 2", "unit 3"]
    many = kernels(MOST + 6)
    many[2] = 0.0
    drawn = titles(draw_kernels(many, title="t", dpi=50))
    assert len(drawn) == MOST
    assert "unit 3" not in drawn


def test_pieces_and_channels_are_named() -> None:
    two = kernels(4, 2).assign_coords(unit=[0, 0, 1, 1], piece=("unit", [0, 1, 0, 1]))
    drawn = titles(draw_kernels(two, title="t", dpi=50))
    assert drawn[1] == "unit 1, piece 1, c1"
    assert len(drawn) == 8


def test_north_is_up() -> None:
    one = xr.zeros_like(kernels(1))
    one[0, 0, -1] = 1.0  # the northern row
    figure = draw_kernels(one, title="t", dpi=100)
    figure.canvas.draw()
    rgb = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    box = figure.axes[0].get_window_extent()
    column = int((box.x0 + box.x1) / 2)
    top, bottom = rgb.shape[0] - int(box.y1) + 5, rgb.shape[0] - int(box.y0) - 5
    assert rgb[top, column, 2] < 0.5 < rgb[bottom, column, 2]


def test_nothing_finite_is_refused(world) -> None:
    with pytest.raises(DataError, match="finite"):
        draw_weights(maps_of(world[0] * np.nan, 2), Maps(), title="t")
    with pytest.raises(DataError, match="finite"):
        draw_kernels(kernels(1) * np.nan, title="t")


@pytest.mark.parametrize("name", ["weights_maps", "weights_kernels"])
def test_pictures_look_like_the_stored_ones(name: str, world, tmp_path: Path) -> None:
    figure = (
        draw_weights(maps_of(world[0], 3), Maps(dpi=60), title="Weights of the first layer")
        if name == "weights_maps"
        else draw_kernels(kernels(10), title="Weights of the first layer", dpi=60)
    )
    save_figure(figure, [tmp_path / f"{name}.png"])
    stored = REFERENCE / f"{name}.png"
    assert compare_images(str(stored), str(tmp_path / f"{name}.png"), TOLERANCE) is None
