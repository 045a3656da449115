"""Groups of cells: which cells, which land, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from climxai.attribution.groups.grouping import Boxes, Cells, Channels, Regions
from climxai.attribution.groups.indices import Indices
from climxai.attribution.groups.windows import Degrees, closes_circle, windows
from climxai.core.errors import ModelError
from tests.attribution.perturbing import LAT, LON, REGIONAL, groups_of, land

OCEAN = np.ones((1, 6, 8), dtype=bool)


def columns(cover):
    """The columns each group of a one-channel map takes, from its first row."""
    return [sorted({int(cell % 8) for cell in cells}) for cells in groups_of(cover)]


def test_patches_go_on_across_the_date_line_where_the_grid_closes():
    cover = windows(OCEAN, LAT, LON, (6, 3), (6, 3), "each")
    assert columns(cover) == [[0, 1, 2], [3, 4, 5], [0, 6, 7]]


def test_patches_are_cut_at_the_edge_of_a_region():
    cover = windows(OCEAN, LAT, REGIONAL, (6, 3), (6, 3), "each")
    assert columns(cover) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_without_a_grid_nothing_wraps():
    cover = windows(OCEAN, None, None, (6, 3), (6, 3), "each")
    assert columns(cover) == [[0, 1, 2], [3, 4, 5], [6, 7]]


def test_patches_in_degrees_hold_the_centres_inside_and_wrap():
    size = Degrees(lat_degrees=120, lon_degrees=90)
    # Longitudes 0, 45, …, 315: cells reach 22.5 degrees to both sides, patches begin at -22.5.
    cover = windows(OCEAN, LAT, LON, size, Degrees(lat_degrees=120, lon_degrees=60), "each")
    edges = -22.5 + 60 * np.arange(6)
    expected = [sorted(np.flatnonzero((LON - e) % 360 < 90).tolist()) for e in edges]
    assert columns(cover) == expected
    assert [7, 0] not in expected
    assert [0, 7] in expected


def test_patches_in_degrees_and_in_cells_agree_on_a_regular_grid():
    cells = windows(OCEAN, LAT, LON, (2, 3), (2, 3), "each")
    degrees = windows(OCEAN, LAT, LON, Degrees(lat_degrees=40, lon_degrees=135), (2, 3), "each")
    assert [c.tolist() for c in map(np.sort, groups_of(cells))] == [
        c.tolist() for c in map(np.sort, groups_of(degrees))
    ]


def test_the_share_of_land_is_known_and_patches_of_land_are_left_out():
    valid = land().numpy()
    cover = windows(valid, LAT, LON, 2, 2, "each")
    # Rows 0-1, columns 0-2 are land: one of 12 patches is all land, one half.
    assert len(cover) == 22
    assert cover.land[:11].tolist() == [0.5] + [0.0] * 10
    assert cover.land[11:].max() == 0.5
    assert sorted(cover.land[11:])[-2] == 0.25
    assert valid.reshape(-1)[cover.cell].all()


def test_a_patch_may_span_all_channels():
    valid = land().numpy()
    cover = windows(valid, LAT, LON, (2, 2), (2, 2), "together")
    assert len(cover) == 11
    assert cover.channels == (None,) * 11
    assert cover.sizes.max() == 8


@pytest.mark.parametrize(
    ("size", "stride", "lat", "message"),
    [
        ((7, 2), 1, LAT, "takes 7 cells along latitude, the grid has 6"),
        ((2, 9), 1, LAT, "takes 9 cells along longitude, the grid has 8"),
        (2, 3, LAT, "lie in no patch"),
        (Degrees(lat_degrees=10, lon_degrees=10), 1, None, "grid is not known"),
        (Degrees(lat_degrees=150, lon_degrees=90), 1, LAT, "spans 150 degrees of latitude"),
        (Degrees(lat_degrees=20, lon_degrees=1), 1, LAT, "no cell centre lies in a patch of 1"),
    ],
)
def test_patches_that_do_not_fit_are_refused(size, stride, lat, message):
    with pytest.raises(ModelError, match=message):
        windows(OCEAN, lat, None if lat is None else LON, size, stride, "each")


def test_a_grid_closes_the_circle_when_its_gap_is_one_of_the_others():
    assert closes_circle(np.arange(0, 360, 2.0))
    assert closes_circle(np.arange(-179.5, 180, 1.0))
    assert not closes_circle(np.arange(120, 290, 2.0))


def test_single_cells_are_the_valid_ones():
    valid = land().numpy()
    cover = Cells().cover(valid, LAT, LON)
    assert cover.cell.tolist() == np.flatnonzero(valid).tolist()
    assert cover.names[0] == "50°S 135°E"
    together = Cells(channels="together").cover(valid, LAT, LON)
    assert len(together) == 6 * 8 - 6
    assert together.sizes.tolist().count(1) == 1


def test_channels_hold_all_their_valid_cells():
    valid = land().numpy()
    cover = Channels().cover(valid, None, None)
    assert cover.channels == (0, 1)
    assert cover.sizes.tolist() == [42, 41]


def test_boxes_tile_the_sphere():
    valid = np.ones((1, 6, 8), dtype=bool)
    cover = Boxes(lat=90, lon=90).cover(valid, LAT, LON)
    assert len(cover) == 8
    assert cover.disjoint
    assert cover.times.min() == 1
    assert cover.names[0] == "90°S-0°N, 0°E-90°E"
    # Longitude 90 lies on an edge: it belongs to the box east of it.
    assert sorted(groups_of(cover)[0] % 8) == [0, 0, 0, 1, 1, 1]


def test_the_pole_belongs_to_the_northernmost_box():
    lat = np.array([-90.0, 0.0, 90.0])
    cover = Boxes(lat=90, lon=360).cover(np.ones((1, 3, 8), dtype=bool), lat, LON)
    assert cover.sizes.tolist() == [8, 16]


def test_regions_and_what_lies_elsewhere():
    valid = np.ones((1, 6, 8), dtype=bool)
    groups = Regions(regions={"a": [-60, 0, 0, 90], "b": [0, 60, 300, 30]})
    cover = groups.cover(valid, LAT, LON)
    assert cover.names == ("a", "b", "elsewhere")
    assert sorted(groups_of(cover)[1] % 8) == [0, 0, 0, 7, 7, 7]
    assert cover.times.tolist() == [1] * 48
    alone = Regions(regions=groups.regions, rest=False).cover(valid, LAT, LON)
    assert alone.names == ("a", "b")


def test_known_regions_are_written_as_a_list():
    listed = Regions.model_validate({"regions": ["nino3", "nino4"]})
    assert listed == Regions.model_validate({"regions": {"nino3": "nino3", "nino4": "nino4"}})
    with pytest.raises(ValidationError, match="no region named"):
        Regions.model_validate({"regions": ["atlantis"]})


def test_a_cell_on_a_shared_edge_belongs_to_the_region_named_first():
    valid = np.ones((1, 6, 8), dtype=bool)
    cover = Regions(regions={"w": [-60, 60, 0, 90], "e": [-60, 60, 90, 180]}).cover(valid, LAT, LON)
    assert cover.disjoint
    assert sorted(set(groups_of(cover)[0] % 8)) == [0, 1, 2]
    assert sorted(set(groups_of(cover)[1] % 8)) == [3, 4]


def test_overlapping_regions_are_found():
    valid = np.ones((1, 6, 8), dtype=bool)
    cover = Regions(regions={"all": "global", "part": [-60, 60, 40, 100]}).cover(valid, LAT, LON)
    assert not cover.disjoint
    assert cover.sizes.tolist() == [48, 12]
    with pytest.raises(ModelError, match=r"12 cells are in several groups.*'all' and in 'part'"):
        cover.check_disjoint()


@pytest.mark.parametrize(
    ("groups", "lat", "message"),
    [
        (Regions(regions={"land": [-60, -20, 0, 95]}), LAT, "region 'land' holds no valid cell"),
        (Regions(regions={"gap": [1, 2, 1, 2]}), LAT, "none of the grid's places"),
        (Regions(regions={"a": "nino34"}), None, "grid is not known"),
        (Boxes(), None, "grid is not known"),
    ],
)
def test_groups_that_cannot_be_formed_are_refused(groups, lat, message):
    with pytest.raises(ModelError, match=message):
        groups.cover(land().numpy(), lat, None if lat is None else LON)


def test_values_come_back_to_the_map():
    cover = windows(OCEAN, LAT, LON, (6, 4), (6, 2), "each")
    indices = Indices.of(cover)
    values = torch.arange(1.0, 5.0)[None]
    # Columns 0-3, 2-5, 4-7, 6-1: column 0 lies in the first and last patch.
    mean = indices.mean_over_groups(values)[0, 0, 0]
    assert mean.tolist() == [2.5, 2.5, 1.5, 1.5, 2.5, 2.5, 3.5, 3.5]
    shares = indices.share_over_cells(values)
    assert shares.sum().item() == pytest.approx(values.sum().item())


def test_buckets_hold_every_pair_once():
    cover = Regions(regions={"a": [-60, 0, 0, 90], "b": [0, 60, 300, 30]}).cover(
        land().numpy(), LAT, LON
    )
    pairs = {
        (int(group), int(cell))
        for bucket in Indices.of(cover).buckets
        for group, cells, counts in zip(bucket.groups, bucket.cells, bucket.counts, strict=True)
        for cell in cells[counts]
    }
    assert pairs == set(zip(cover.group.tolist(), cover.cell.tolist(), strict=True))
