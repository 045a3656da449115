"""Settings of maps: what they accept, and that reading them is quick."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from climxai.plots.settings import Maps


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Robinson", "robinson"),
        ("PlateCarree", "plate_carree"),
        ("EckertIV", "eckert_iv"),
        ("eckert_iv", "eckert_iv"),
        ("NorthPolarStereo", "north_polar_stereo"),
    ],
)
def test_projections_by_either_spelling(given, kept):
    assert Maps(projection=given).projection == kept


def test_a_misspelt_projection_gets_a_hint():
    with pytest.raises(ValidationError, match="Did you mean 'robinson'"):
        Maps(projection="robinsen")


@pytest.mark.parametrize(
    "bad",
    [
        {"limit": 0},
        {"dpi": 10},
        {"formats": []},
        {"formats": ["gif"]},
        {"contour_interval": -1},
        {"central_longitude": 400},
        {"region": "nino5"},
        {"colors": "viridis"},
        {"projection": 3},
    ],
    ids=str,
)
def test_bad_values_are_refused(bad):
    with pytest.raises(ValidationError):
        Maps.model_validate(bad)


def test_coastlines_are_a_word_or_a_path_beside_the_configuration():
    context = {"base": "/project"}
    assert Maps.model_validate({"coastlines": "packaged"}, context=context).coastline_file is None
    own = Maps.model_validate({"coastlines": "ne/coast.shp"}, context=context)
    assert own.coastline_file == "/project/ne/coast.shp"


def test_settings_survive_json():
    settings = Maps(projection="EqualEarth", region="pacific", formats=("svg", "png", "svg"))
    assert settings.formats == ("svg", "png")
    assert Maps.model_validate_json(settings.model_dump_json()) == settings


def test_every_field_is_described():
    for name, field in Maps.model_fields.items():
        assert field.description or name == "name"


def test_settings_load_nothing_heavy():
    heavy = "{'matplotlib', 'cartopy', 'shapely', 'xarray', 'torch'}"
    code = f"import sys, climxai.plots.settings; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
