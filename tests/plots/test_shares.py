"""Shares of regions as bars, and how regions are named in a configuration."""

from pathlib import Path

import pytest
from matplotlib.testing.compare import compare_images
from pydantic import ValidationError

from climxai.core.errors import DataError
from climxai.core.region import NAMED_REGIONS, Region
from climxai.plots.places import name_of
from climxai.plots.settings import Maps
from climxai.plots.shares import Share, draw_shares
from climxai.plots.style import save_figure
from tests.plots import pages

REFERENCE = Path(__file__).with_name("reference")
TOLERANCE = 4.0


def test_the_page_looks_like_the_stored_one(tmp_path):
    save_figure(pages.shares(), [tmp_path / "shares.png"])
    assert (
        compare_images(str(REFERENCE / "shares.png"), str(tmp_path / "shares.png"), TOLERANCE)
        is None
    )


def test_bars_are_as_long_as_the_shares():
    figure = draw_shares(
        [Share("m", "a", "r", 0.25, (), 0.1), Share("m", "b", "r", float("nan"), (), 0.1)],
        title="t",
    )
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [25.0, 0.0]


def test_many_groups_and_regions_keep_their_letters():
    held = [
        Share(f"method {m}", f"group {g}", f"region {r}", 0.1 * g, (), 0.2)
        for m in range(4)
        for g in range(4)
        for r in range(5)
    ]
    figure = draw_shares(held, title="t")
    assert len(figure.axes) == 4
    assert min(text.get_fontsize() for text in figure.axes[0].get_yticklabels()) >= 7


def test_no_share_is_an_error():
    with pytest.raises(DataError, match="no shares"):
        draw_shares([], title="t")


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("nino34", ["nino34"]),
        ("Niño3.4", ["nino34"]),
        (["tropical_pacific", {"here": [20, 60, 120, 250]}], ["tropical_pacific", "here"]),
        ({"one": "nino3", "two": {"south": -5, "north": 5}}, ["one", "two"]),
    ],
    ids=str,
)
def test_ways_to_name_regions(written, names):
    settings = Maps(regions=written)
    assert [place.called for place in settings.regions] == names
    assert Maps.model_validate_json(settings.model_dump_json()) == settings


def test_boxes_are_those_that_were_written():
    first, second = Maps(regions=["nino3", {"here": [20, 60, 120, 250]}]).regions
    assert first.region == NAMED_REGIONS["nino3"]
    assert second.region == Region(south=20, north=60, west=120, east=250)


@pytest.mark.parametrize("bad", ["nino5", ["nino3", "nino3"], [{"a": [1, 2]}], 3], ids=str)
def test_bad_regions_are_refused(bad):
    with pytest.raises(ValidationError):
        Maps(regions=bad)


def test_a_known_box_has_its_name():
    assert name_of(Region(south=-5, north=5, west=190, east=240)) == "nino34"
    assert name_of(Region(south=-5, north=6, west=190, east=240)) is None
