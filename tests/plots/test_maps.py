"""Maps: compared with stored pictures, and pixel by pixel where it matters."""

import socket
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.testing.compare import compare_images

from climxai.core.errors import ConfigError, DataError
from climxai.plots.colours import colour_map
from climxai.plots.layers import readable_name
from climxai.plots.maps import draw_map
from climxai.plots.settings import Maps
from climxai.plots.style import save_figure

REFERENCE = Path(__file__).with_name("reference")
# Root mean square over pixels, 0 to 255: letters and lines may move by less than a pixel between
# versions of matplotlib; another map gives more than 10.
TOLERANCE = 4.0
LAND = to_rgb("#c9c9c9")


def draw(relevance, field=None, signed=False, **settings):
    return draw_map(
        relevance,
        field,
        Maps(**({"dpi": 60} | settings)),
        signed=signed,
        title="El Niño: a method",
        subtitle="n = 42",
        label="Relevance (1), each map divided by its maximum",
    )


def even(value=1.0, lon=None, lat=None):
    lat = np.arange(-87.5, 90, 5) if lat is None else lat
    lon = np.arange(2.5, 360, 5) if lon is None else lon
    return xr.DataArray(
        np.full((lat.size, lon.size), value), {"lat": lat, "lon": lon}, ("lat", "lon")
    )


PICTURES = {
    "global_sequential": {},
    "global_signed": {"signed": True, "projection": "equal_earth"},
    "pacific_box": {"region": "tropical_pacific", "projection": "plate_carree"},
    "north_polar": {"region": [20, 90, 0, 360], "projection": "NorthPolarStereo"},
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_look_like_the_stored_ones(name, world, tmp_path):
    relevance, field = world
    options = dict(PICTURES[name])
    if not options.get("signed"):
        relevance = abs(relevance)
    save_figure(draw(relevance, field, **options), [tmp_path / f"{name}.png"])
    reference = REFERENCE / f"{name}.png"
    assert compare_images(str(reference), str(tmp_path / f"{name}.png"), TOLERANCE) is None


def test_the_comparison_sees_another_map(world, tmp_path):
    relevance, field = world
    turned = abs(relevance).roll(lon=18)
    save_figure(draw(turned.assign_coords(lon=relevance.lon), field), [tmp_path / "other.png"])
    reference = REFERENCE / "global_sequential.png"
    assert compare_images(str(reference), str(tmp_path / "other.png"), TOLERANCE) is not None


@pytest.mark.parametrize("centre", [None, 0, 180, -77.3])
@pytest.mark.parametrize(
    "lon",
    [np.arange(2.5, 360, 5), np.arange(0, 360, 5.0), np.arange(-180, 180, 5.0)],
    ids=["half", "whole", "from date line"],
)
def test_no_gap_at_greenwich_the_date_line_or_the_cut(centre, lon, picture):
    # Every cell holds the greatest value: every pixel at sea has the last colour.
    look = picture(draw(even(lon=lon), central_longitude=centre, limit=1.0, dpi=100))
    cut = (180.0 if centre is None else centre) - 180
    full = to_rgb(colour_map(signed=False)(1.0))
    places = {0.0: (-35, -25, -15, -5), 180.0: (-45, 5, 15, 35, 45)}
    for meridian, latitudes in places.items():
        for lat in latitudes:
            # 8° spread over a column of pixels each, kept a hair's breadth inside the map.
            for away in np.arange(-4, 4.01, 0.4):
                lon_here = meridian + away
                if abs((lon_here - cut + 180) % 360 - 180) < 0.9:
                    continue  # the frame of the map is drawn there
                colour = look.at(lat, lon_here)
                # Grid lines darken the last colour slightly; white or grey would be far off.
                assert np.abs(colour - full).max() < 0.3, (lat, lon_here)


def test_nothing_is_smeared_across_the_map(picture):
    # One column next to the cut of a map centred on 180 (Greenwich), the rest zero.
    relevance = even(0.0)
    relevance[:, 0] = 1.0
    look = picture(draw(relevance, limit=1.0, dpi=100))
    at_sea = [(-30, lon) for lon in (8, 60, 90, 160, 190, 230, 260, 340, 356)]
    for place in at_sea:
        assert look.at(*place).min() > 0.75, place
    assert look.at(-30, 3)[1] < 0.4  # and the column itself is there


@pytest.mark.parametrize("centre", [0, 180])
def test_contours_meet_at_the_seam(centre, picture):
    # Temperature falls evenly from pole to pole: the zero contour is the whole equator.
    field = even(0.0) + even().lat / 10
    field.attrs = {"long_name": "temperature", "units": "K"}
    bare = picture(draw(even(0.0), None, central_longitude=centre, dpi=200))
    with_lines = picture(draw(even(0.0), field, central_longitude=centre, dpi=200))
    for lon in (*np.arange(-9.0, 9.1, 0.5), *np.arange(171.0, 189.1, 0.5)):
        if abs((lon - centre) % 360 - 180) < 0.7 or 8.4 < abs(lon) < 100:
            continue  # the frame of the map; Gabon's coast
        before, after = (
            [look.at(lat, lon) for lat in (-0.5, 0, 0.5)] for look in (bare, with_lines)
        )
        assert np.min(after) < np.min(before) - 0.1, lon  # zero is a thin grey line


def test_land_is_grey_where_the_data_has_none_and_shown_where_it_has(world, picture):
    relevance, _ = world
    sea = picture(draw(abs(relevance)))
    np.testing.assert_allclose(sea.at(22, 8), LAND, atol=0.02)  # Sahara
    np.testing.assert_allclose(sea.at(-25, 134), LAND, atol=0.02)  # Australia
    np.testing.assert_allclose(sea.at(-83, 95), LAND, atol=0.02)  # Antarctica
    everywhere = picture(draw(even(), limit=1.0))
    last = to_rgb(colour_map(signed=False)(1.0))
    np.testing.assert_allclose(everywhere.at(22, 8), last, atol=0.02)


def test_missing_sea_is_paler_than_land(picture):
    relevance = even(0.5)
    relevance[20:24, 40:44] = np.nan  # 12.5-32.5°N, 200-220°E
    look = picture(draw(relevance, projection="plate_carree", dpi=100))
    np.testing.assert_allclose(look.at(26, 212), 1 - 0.5 * (1 - np.array(LAND)), atol=0.02)


def test_signed_colours_are_white_at_zero_and_symmetric(world, picture):
    relevance = even(0.0)
    relevance[18:20, 40:44], relevance[14:16, 40:44] = 2.0, -1.0
    figure = draw(relevance, signed=True, projection="plate_carree", dpi=100)
    look = picture(figure)
    np.testing.assert_allclose(look.at(-45, 232), 1, atol=0.02)
    assert look.at(6, 212)[0] > look.at(6, 212)[2] + 0.2  # red
    assert look.at(-16, 212)[2] > look.at(-16, 212)[0] + 0.2  # blue
    low, high = figure.axes[-1].get_xlim()
    assert low == -high


def test_the_colour_bar_begins_at_zero_for_unsigned_methods():
    figure = draw(even(0.37))
    assert figure.axes[-1].get_xlim() == (0.0, 0.4)
    assert figure.axes[-1].get_xlabel() == "Relevance (1), each map divided by its maximum"


def test_texts_are_on_the_map(world):
    relevance, field = world
    figure = draw(abs(relevance), field)
    texts = [text.get_text() for text in figure.texts]
    assert texts[:2] == ["El Niño: a method", "n = 42"]
    assert texts[2] == "Contours: SST anomaly, every 0.5 °C; negative dashed, zero grey"
    assert len(draw(abs(relevance), field, field_contours=False).texts) == 2
    every = draw(abs(relevance), field, contour_interval=0.25).texts[2].get_text()
    assert "every 0.25 °C" in every


@pytest.mark.parametrize("projection", ["robinson", "plate_carree", "lambert_conformal"])
def test_a_regional_grid_is_framed_by_itself(projection):
    relevance = even(lat=np.arange(16.0, 60, 1.5), lon=np.arange(226.0, 315, 1.5))
    axes = draw(relevance, projection=projection).axes[0]
    import cartopy.crs

    middle = axes.projection.transform_point(270.25, 37.0, cartopy.crs.PlateCarree())[0]
    assert middle == pytest.approx(0, abs=1e-3)  # projections count x from their middle
    corners = [(225.3, 15.3), (314.7, 15.3), (225.3, 59.2), (314.7, 59.2)]
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    for corner in corners:
        x, y = axes.projection.transform_point(*corner, cartopy.crs.PlateCarree())
        assert west <= x <= east
        assert south <= y <= north
    assert axes.projection.y_limits[1] > north  # not the whole globe


def test_a_pacific_grid_across_the_date_line_is_one_piece(picture):
    lon = np.arange(122.5, 290, 5)
    relevance = even(0.0, lat=np.arange(-22.5, 60, 5), lon=lon)
    relevance[:, 12] = 1.0  # 182.5°E
    look = picture(draw(relevance, limit=1.0, projection="plate_carree", dpi=100))
    assert look.at(20, 182.6)[1] < 0.4
    for lon_here in (170, 176, 189, 250):
        assert look.at(20, lon_here).min() > 0.75


@pytest.mark.parametrize(
    ("lon", "turn"), [(np.arange(2.5, 360, 5), -180), (np.arange(2.5, 360, 5), 0)]
)
def test_longitude_conventions_give_the_same_picture(world, lon, turn):
    relevance, field = world
    if turn:
        relevance, field = (
            a.assign_coords(lon=(a.lon + 180) % 360 - 180).sortby("lon") for a in (relevance, field)
        )
    figure = draw(abs(relevance), field)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    other = draw(abs(world[0]), world[1])
    other.canvas.draw()
    # The seam moves to another place of the grid: lines there may differ by a pixel's shade.
    assert np.abs(pixels.astype(int) - np.asarray(other.canvas.buffer_rgba())).mean() < 0.05


def test_nothing_is_downloaded(world, monkeypatch, tmp_path):
    import cartopy.io

    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(cartopy.io.Downloader, "path", refuse)
    monkeypatch.setattr(cartopy.io.Downloader, "acquire_resource", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    relevance, field = world
    files = [tmp_path / f"map.{suffix}" for suffix in ("png", "pdf", "svg")]
    assert save_figure(draw(abs(relevance), field), files) == tuple(files)
    assert all(file.stat().st_size > 5000 for file in files)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["map.pdf", "map.png", "map.svg"]


def test_same_map_same_bytes_whatever_the_users_style(world, tmp_path):
    relevance, field = world
    before = dict(matplotlib.rcParams)
    save_figure(draw(abs(relevance), field), [tmp_path / f"a.{s}" for s in ("png", "pdf", "svg")])
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "lines.linewidth": 9}):
        save_figure(
            draw(abs(relevance), field), [tmp_path / f"b.{s}" for s in ("png", "pdf", "svg")]
        )
    for suffix in ("png", "pdf", "svg"):
        first, second = ((tmp_path / f"{n}.{suffix}").read_bytes() for n in "ab")
        assert first == second, suffix


def test_drawing_opens_no_window_and_no_pyplot_figure():
    code = (
        "import numpy as np, xarray as xr\n"
        "from climxai.plots.maps import draw_map\n"
        "from climxai.plots.settings import Maps\n"
        "lat, lon = np.arange(-80., 81, 20), np.arange(0., 360, 20)\n"
        "a = xr.DataArray(np.ones((9, 18)), {'lat': lat, 'lon': lon}, ('lat', 'lon'))\n"
        "f = draw_map(a, None, Maps(), signed=True, title='t', label='l')\n"
        "import matplotlib.pyplot as plt\n"
        "print(type(f.canvas).__name__, plt.get_fignums())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["FigureCanvasAgg", "[]"]


@pytest.mark.parametrize(
    "change",
    [
        {"projection": "mollweide"},
        {"central_longitude": 20},
        {"region": "pacific"},
        {"dpi": 61},
        {"field_contours": False},
        {"contour_interval": 0.1},
        {"colours": "viridis"},
        {"limit": 0.3},
        {"land_colour": "tan"},
    ],
    ids=str,
)
def test_every_setting_changes_the_picture(world, change, tmp_path):
    relevance, field = world
    for name, settings in (("plain", {}), ("changed", change)):
        save_figure(draw(abs(relevance), field, **settings), [tmp_path / f"{name}.png"])
    plain, changed = ((tmp_path / f"{n}.png").read_bytes() for n in ("plain", "changed"))
    assert plain != changed


def test_own_coastlines_are_drawn(world, tmp_path, picture):
    path = tmp_path / "square.geojson"
    path.write_text(
        '{"type": "Polygon", "coordinates": [[[-20,-20],[20,-20],[20,20],[-20,20],[-20,-20]]]}'
    )
    figure = draw(even(0.0), coastlines=str(path), projection="plate_carree", dpi=100)
    look = picture(figure)
    edge = [look.at(lat, 10).min() for lat in np.arange(19, 21, 0.1)]
    assert min(edge) < 0.6
    elsewhere = [look.at(lat, 30).min() for lat in np.arange(-36, -34, 0.1)]  # South Africa's coast
    assert min(elsewhere) > 0.8


def test_maps_that_cannot_be_drawn_are_explained(world):
    relevance, field = world
    with pytest.raises(DataError, match="no finite value"):
        draw(even(np.nan))
    with pytest.raises(DataError, match="not on the same grid"):
        draw(relevance, field.isel(lon=slice(0, 10)))
    with pytest.raises(DataError, match=r"dimensions \(lat, lon\)"):
        draw(relevance.transpose())
    regional = even(lat=np.arange(16.0, 60, 1.5), lon=np.arange(226.0, 315, 1.5))
    with pytest.raises(DataError, match="nothing to draw in 5°S-5°N"):
        draw(regional, region="nino4")
    with pytest.raises(ConfigError, match="part of the globe only"):
        draw(relevance, projection="transverse_mercator")
    with pytest.raises(ConfigError, match=r"no colour map 'virids'\. Did you mean 'viridis'"):
        draw(relevance, colours="virids")
    with pytest.raises(ConfigError, match="is not a colour"):
        draw(relevance, land_colour="mud")
    with pytest.raises(DataError, match="no such file"):
        draw(relevance, coastlines="/nowhere/coast.shp")


def test_a_map_of_zeros_is_drawn():
    assert draw(even(0.0), signed=True).axes[-1].get_xlim() == (-1, 1)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Monthly Means of Sea Surface Temperature", "sea surface temperature"),
        ("mean Monthly Means of Sea Surface Temperature anomaly",
         "mean sea surface temperature anomaly"),
        ("sea surface temperature, monthly mean", "sea surface temperature"),
        ("Daily Mean of the Air Temperature at 2 m", "Air Temperature at 2 m"),
        ("SST anomaly", "SST anomaly"),
        ("Monthly mean", "Monthly mean"),
    ],
)  # fmt: skip
def test_long_names_are_said_shortly(written, said):
    assert readable_name(written) == said
