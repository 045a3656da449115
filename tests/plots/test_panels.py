"""Panels: compared with stored pictures; scales are shared, names and notes are said once."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.testing.compare import compare_images

from climxai.core.errors import DataError
from climxai.plots.panels import Panel, Row, draw_panels
from climxai.plots.settings import Maps
from climxai.plots.style import save_figure
from tests.plots import pages

REFERENCE = Path(__file__).with_name("reference")
# As for maps: letters and lines may move by less than a pixel between versions of matplotlib.
TOLERANCE = 4.0


@pytest.mark.parametrize("name", ["panels_rows", "panels_page"])
def test_pages_look_like_the_stored_ones(name, world, tmp_path):
    save_figure(pages.FIGURES[name](world), [tmp_path / f"{name}.png"])
    assert (
        compare_images(str(REFERENCE / f"{name}.png"), str(tmp_path / f"{name}.png"), TOLERANCE)
        is None
    )


def drawn(world, scale, factor=0.25, **settings):
    relevance, field = world
    rows = [
        Row((Panel(relevance, "a", field), Panel(factor * relevance, "b", 4 * field)), True, "one"),
        Row((Panel(factor * relevance, "a", field),), True, "two"),
    ]
    return draw_panels(rows, Maps(**({"dpi": 50} | settings)), title="t", scale=scale)


def bars(figure):
    return [axes for axes in figure.axes if not hasattr(axes, "projection")]


def test_one_scale_for_the_page_is_that_of_the_largest_map(world):
    # The imagined relevance has its maximum, 1, in many of few cells: the colour bar ends at 1.
    (bar,) = bars(drawn(world, "page"))
    assert bar.get_xlim() == (-1, 1)


def test_each_row_has_its_own_scale(world):
    first, second = bars(drawn(world, "row"))
    assert first.get_ylim() == (-1, 1)
    assert second.get_ylim() == (-0.25, 0.25)


def test_a_limit_holds_for_all_rows(world):
    assert [bar.get_ylim() for bar in bars(drawn(world, "row", limit=0.7))] == [(-0.7, 0.7)] * 2


def test_a_map_of_zeros_takes_the_scale_of_the_others(world):
    small = drawn(world, "page", factor=0.0, limit=None)
    assert bars(small)[0].get_xlim() == (-1, 1)
    relevance, _ = world
    rows = [Row((Panel(0 * relevance, "a"), Panel(0.2 * relevance, "b")), True)]
    (bar,) = bars(draw_panels(rows, Maps(dpi=50), title="t"))
    assert bar.get_xlim() == (-0.2, 0.2)


def test_contours_have_one_interval_that_suits_the_largest_field(world):
    # A field four times as large asks for 2 °C where the plain one asks for 0.5.
    texts = [text.get_text() for text in drawn(world, "page").texts]
    said = [line for text in texts for line in text.splitlines() if line.startswith("Contours")]
    assert said == ["Contours: SST anomaly, every 2 °C; negative dashed, zero grey"]


def test_names_stand_above_the_first_row_only(world):
    axes = [each for each in drawn(world, "page").axes if hasattr(each, "projection")]
    assert [each.get_title() for each in axes] == ["a", "b", ""]


def test_letters_are_large_enough_for_two_columns(world):
    figure = drawn(world, "row")
    assert figure.get_size_inches()[0] == pytest.approx(7.2)
    sizes = [text.get_fontsize() for text in figure.texts if text.get_text()]
    sizes += [axes.title.get_fontsize() for axes in figure.axes if axes.get_title()]
    assert min(sizes) >= 6.5


def test_many_rows_stay_on_one_page(world):
    relevance, field = world
    rows = [Row((Panel(relevance, "a", field),), True, f"row {k}") for k in range(9)]
    assert draw_panels(rows, Maps(dpi=50), title="t").get_size_inches()[1] <= 9.6 + 1e-6


def test_what_cannot_be_drawn_is_explained(world):
    relevance, field = world
    with pytest.raises(DataError, match="no panel has a map"):
        draw_panels([Row((None,), True)], Maps(), title="t")
    mixed = [Row((Panel(relevance, "a"),), signed) for signed in (True, False)]
    with pytest.raises(DataError, match="cannot share one colour scale"):
        draw_panels(mixed, Maps(), title="t")
    other = field.isel(lat=slice(1, None))
    with pytest.raises(DataError, match="not on the same grid"):
        draw_panels([Row((Panel(relevance, "a", other),), True)], Maps(), title="t")
    nothing = xr.full_like(relevance, np.nan)
    with pytest.raises(DataError, match="no finite value"):
        draw_panels([Row((Panel(nothing, "a"),), True)], Maps(), title="t")
