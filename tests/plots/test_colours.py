"""Limits and levels, worked out by hand."""

import sys

import matplotlib
import numpy as np
import pytest

from climxai.core.errors import ConfigError
from climxai.plots.colours import colour_limit, colour_map, contour_levels, round_up
from climxai.plots.settings import Maps


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0.93, 1.0), (1.0, 1.0), (1.01, 1.2), (0.00021, 0.00025), (47, 50), (8.5, 10), (6e-9, 6e-9)],
)
def test_rounded_up(value, rounded):
    assert round_up(value) == pytest.approx(rounded, rel=1e-6)


def test_limit_leaves_out_one_per_cent_of_the_area():
    # 200 equal cells on the equator, values 1 … 200: 198 of them (99 %) lie at or below 198.
    values = np.arange(1.0, 201)[None, :]
    assert colour_limit(values, [0.0]) == 200  # 198 rounded up
    values[0, -2:] = 5000  # two cells beyond
    assert colour_limit(values, [0.0]) == 200
    # The same cells near a pole count for nothing: area goes with the cosine of latitude.
    tall = np.concatenate([np.full((1, 200), 7.0), np.full((1, 200), 100.0)])
    assert colour_limit(tall, [0.0, 89.9]) == 8


def test_limit_of_sparse_empty_and_signed_maps():
    sparse = np.zeros((1, 1000))
    sparse[0, 3] = 0.7
    assert colour_limit(sparse, [0.0]) == 0.8
    assert colour_limit(np.zeros((2, 3)), [0.0, 5.0]) == 1
    assert colour_limit([[np.nan, -3.0, 1.0]], [0.0]) == 3


def test_levels_are_round_multiples():
    interval, levels = contour_levels([[-0.7, 2.6]], None)
    assert interval == 0.5
    np.testing.assert_allclose(levels, [-0.5, 0, 0.5, 1, 1.5, 2, 2.5])
    interval, levels = contour_levels([[271.3, 284.9]], 5)
    np.testing.assert_allclose(levels, [275, 280])
    interval, levels = contour_levels([[0.0, 1e6]], 1.0)
    assert levels.size <= 200
    assert contour_levels([[3.0, 3.0]], None)[1].size == 0


def test_both_colour_maps_are_white_at_zero():
    assert colour_map(signed=False)(0.0)[:3] == (1, 1, 1)
    np.testing.assert_allclose(colour_map(signed=True)(0.5)[:3], 1, atol=0.01)
    assert colour_map(signed=True, name="viridis").name == "viridis"


@pytest.mark.parametrize("signed", [False, True])
def test_colours_darken_away_from_zero(signed):
    # Luminance after Rec. 709: readable in grey, and for the colour-blind.
    colours = colour_map(signed)(np.linspace(0.5 if signed else 0, 1, 64))[:, :3]
    luminance = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0.002).all()


def test_colour_maps_of_other_packages_are_loaded_by_their_prefix(tmp_path, monkeypatch):
    (tmp_path / "cmocean").mkdir()
    (tmp_path / "cmocean" / "__init__.py").write_text("")
    (tmp_path / "cmocean" / "cm.py").write_text(
        "import matplotlib\n"
        "matplotlib.colormaps.register(matplotlib.colormaps['gray'], name='cmo.stand_in')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        Maps(colours="cmo.stand_in").check()
        assert colour_map(True, "cmo.stand_in")(0.0)[:3] == (0, 0, 0)
        with pytest.raises(ConfigError, match=r"no colour map 'cmo\.stand'"):
            Maps(colours="cmo.stand").check()
    finally:
        matplotlib.colormaps.unregister("cmo.stand_in")
        for name in ("cmocean", "cmocean.cm"):
            sys.modules.pop(name, None)


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmcrameri", None)
    with pytest.raises(ConfigError, match="needs the package cmcrameri"):
        Maps(colours="cmc.vik").check()
