"""Packaged coastlines and the masks made from them."""

import gzip
import json

import numpy as np
import pytest
import shapely

from climxai.core.errors import DataError
from climxai.core.geography import coastline_lines, land_fraction, land_mask, land_polygons
from climxai.core.geography.build import PACKAGED, close_to_pole, convert, into_shell, unwrap

# Places and their sides of the shore, from an atlas; each far from the coast at 1:110m.
ON_LAND = {
    "Kansas": (38.5, -98.0),
    "Manaus": (-3.1, -60.0),
    "Sahara": (23.0, 10.0),
    "Alice Springs": (-23.7, 133.9),
    "Chukotka, west of the date line": (67.5, 175.0),
    "Chukotka, east of the date line": (66.5, -177.0),
    "Wrangel Island, west half": (71.2, 179.5),
    "Wrangel Island, east half": (71.2, -179.5),
    "South Pole": (-89.9, 12.0),
    "Antarctica at the date line": (-86.5, 180.0),
    "Greenland": (72.0, -40.0),
}
AT_SEA = {
    "Gulf of Guinea at Greenwich": (0.0, 0.0),
    "Pacific at the date line": (0.0, 180.0),
    "Niño3.4": (0.0, -145.0),
    "North Pole": (89.5, 40.0),
    "Ross Sea": (-72.0, -175.0),
    "Bering Sea": (60.0, -180.0),
    "Caspian Sea": (42.0, 50.5),
    "Hudson Bay": (59.0, -85.0),
}


@pytest.mark.parametrize("place", ON_LAND)
@pytest.mark.parametrize("turn", [0, 360, -360])
def test_places_on_land(place, turn):
    lat, lon = ON_LAND[place]
    assert land_mask([lat], [lon + turn])[0, 0]


@pytest.mark.parametrize("place", AT_SEA)
def test_places_at_sea(place):
    lat, lon = AT_SEA[place]
    assert not land_mask([lat], [lon])[0, 0]


def test_mask_follows_the_order_of_its_coordinates():
    lat, lon = np.arange(-87.5, 90, 5), np.arange(2.5, 360, 5)
    mask = land_mask(lat, lon)
    assert mask.shape == (36, 72)
    np.testing.assert_array_equal(land_mask(lat[::-1], lon - 360)[::-1], mask)


def test_land_covers_as_much_of_the_earth_as_it_should():
    # 149 of 510 million km²: 29.2 % (CIA World Factbook); the ice shelves add a little.
    lat_edges, lon_edges = np.arange(-90, 91, 5), np.arange(0, 361, 5)
    fraction = land_fraction(lat_edges, lon_edges)
    area = np.diff(np.sin(np.deg2rad(lat_edges)))[:, None]
    assert (fraction * area).sum() / (area.sum() * 72) == pytest.approx(0.29, abs=0.01)
    assert fraction.min() == 0
    assert fraction.max() == 1


@pytest.mark.parametrize("centre", [0.0, 180.0, -100.0])
def test_land_is_cut_at_the_edge_of_the_map(centre):
    land = land_polygons(centre)
    west, south, east, north = land.bounds
    assert land.is_valid
    assert (west, east) == (centre - 180, centre + 180)
    assert south == -90
    assert north == pytest.approx(83.65, abs=0.1)  # Kaffeklubben Island, 83°40'N
    # The same land wherever it is cut; areas in square degrees.
    assert land.area == pytest.approx(land_polygons().area, rel=1e-9)


@pytest.mark.parametrize("centre", [0.0, 180.0, -100.0])
def test_no_coastline_runs_along_a_cut_the_date_line_or_the_pole(centre):
    lines = coastline_lines(centre)
    assert lines.bounds[1] > -86  # Antarctica's coast, not the pole
    for meridian in {-180, 180, centre - 180, centre + 180}:
        along = shapely.LineString([(meridian, -90), (meridian, 90)])
        assert lines.intersection(along).length == 0
    # A map always shows the same coast, except for the pieces between points that a cut moves.
    assert lines.length == pytest.approx(coastline_lines().length, rel=1e-9)


def test_the_coast_reaches_the_date_line_from_both_sides():
    # Chukotka's north and south coast, and Antarctica's: cut, not left open.
    for side in (-180, 180):
        at = coastline_lines().intersection(shapely.LineString([(side, -90), (side, 90)]))
        lat = shapely.get_coordinates(at)[:, 1]
        for expected in (-84.7, 65.0, 69.0):
            assert np.abs(lat - expected).min() < 0.1


def test_packaged_file_is_small_and_reproducible():
    assert PACKAGED.stat().st_size < 100_000
    content = json.loads(gzip.decompress(PACKAGED.read_bytes()))
    assert content["steps_per_degree"] == 1000
    assert len(content["polygons"]) == 125


def test_conversion_of_a_topology_made_by_hand():
    # One square with a hole from two arcs; one arc is walked backwards. By hand from the
    # specification: position = sum of deltas * scale + translate.
    topology = {
        "transform": {"scale": [2, 1], "translate": [10, 0]},
        "arcs": [
            [[0, 0], [2, 0], [0, 4]],
            [[0, 0], [0, 4], [2, 0]],
            [[1, 1], [0, 1], [-1, 0], [1, -1]],
        ],
        "objects": {"land": {"geometries": [{"arcs": [[[0, -2], [2]]]}]}},
    }
    square, hole = convert(topology)["polygons"][0]
    assert square == [10000, 0, 4000, 0, 0, 4000, -4000, 0, 0, -4000]
    assert hole == [12000, 1000, 0, 1000, -2000, 0, 2000, -1000]


def test_a_ring_across_the_date_line_runs_on():
    ring = [(179.0, 1.0), (-179.0, 1.0), (-179.0, 2.0), (179.0, 2.0), (179.0, 1.0)]
    assert unwrap(ring) == [(179, 1), (181, 1), (181, 2), (179, 2), (179, 1)]


def test_a_ring_around_the_globe_is_closed_at_its_pole():
    ring = unwrap([(-180.0, -80.0), (-60.0, -75.0), (60.0, -75.0), (-180.0, -80.0)])
    closed = close_to_pole(ring)
    assert closed == [
        (-180, -80), (-60, -75), (60, -75), (180, -80), (180, -90), (-180, -90), (-180, -80)
    ]  # fmt: skip


def test_a_hole_follows_its_shell_beyond_the_date_line():
    shell = [(-190.0, 0.0), (-340.0, 0.0), (-340.0, 60.0), (-190.0, 0.0)]
    assert into_shell([(50.0, 40.0), (55.0, 40.0)], shell) == [(-310, 40), (-305, 40)]
    with pytest.raises(ValueError, match="outside its polygon"):
        into_shell([(0.0, 0.0)], shell)


def feature(geometry):
    return {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": geometry}]}


def test_own_polygons_cut_at_the_date_line_are_joined(tmp_path):
    # Natural Earth's own files cut polygons at ±180: an island from 170°E to 170°W in two halves.
    halves = [
        [[[170, 0], [180, 0], [180, 10], [170, 10], [170, 0]]],
        [[[-180, 0], [-170, 0], [-170, 10], [-180, 10], [-180, 0]]],
    ]
    path = tmp_path / "island.geojson"
    path.write_text(json.dumps(feature({"type": "MultiPolygon", "coordinates": halves})))
    lines = coastline_lines(180.0, str(path))
    assert lines.length == pytest.approx(60)  # 20 + 10 + 20 + 10, no line at 180
    assert land_polygons(180.0, str(path)).area == pytest.approx(200)
    assert coastline_lines(0.0, str(path)).length == pytest.approx(60)


def test_own_coastlines_as_lines_draw_without_land(tmp_path):
    path = tmp_path / "line.geojson"
    path.write_text(json.dumps(feature({"type": "LineString", "coordinates": [[0, 0], [9, 0]]})))
    assert coastline_lines(180.0, str(path)).length == pytest.approx(9)
    assert land_polygons(180.0, str(path)).is_empty


def test_own_shapefile(tmp_path):
    import shapefile

    with shapefile.Writer(str(tmp_path / "land.shp"), shapeType=shapefile.POLYGON) as writer:
        writer.field("n", "N")
        writer.poly([[[0, 0], [0, 5], [5, 5], [5, 0], [0, 0]]])
        writer.record(1)
    assert land_polygons(0.0, str(tmp_path / "land.shp")).area == pytest.approx(25)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.geojson", None, "no such file"),
        ("map.png", "x", "ending in '.png'"),
        ("broken.geojson", "{", "cannot be read as GeoJSON"),
        ("list.geojson", "[1]", "cannot be read as GeoJSON"),
        ("broken.shp", "not a shapefile", "cannot be read as a shapefile"),
        ("empty.geojson", '{"type":"FeatureCollection","features":[]}', "neither polygons"),
        ("bad.geojson", '{"type":"Polygon","coordinates":[[[0,0]]]}', "cannot be read as GeoJSON"),
    ],
)
def test_broken_coastline_files_are_explained(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=says):
        coastline_lines(0.0, str(path))
