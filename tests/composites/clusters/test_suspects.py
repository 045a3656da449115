"""The Clever Hans check: places, constant places, still fields, small clusters."""

from __future__ import annotations

import numpy as np
import pytest

from climxai.composites.clusters.places import border, masks, place_names
from climxai.composites.clusters.settings import Suspect
from climxai.composites.clusters.suspects import (
    Finding,
    alike,
    check,
    constant_place,
    follows,
    looks,
    still_place,
)

LAT, LON = np.arange(-60.0, 61, 20), np.arange(0.0, 360, 30)
CELLS = 100


def tell(
    relevance: np.ndarray,
    field: np.ndarray,
    labels: np.ndarray,
    suspect: Suspect | None = None,
    shares: dict[int, dict[str, float]] | None = None,
) -> list[Finding]:
    ones = np.ones(relevance.shape[1])
    shares = shares or {}
    found = [
        looks(
            int(k),
            labels,
            relevance,
            field,
            ones,
            (ones * 10, ones * 350),
            shares.get(int(k), {}),
            next((v for other, v in shares.items() if other != k), {}),
        )
        for k in np.unique(labels[labels > 0])
    ]
    return check(found, labels, suspect or Suspect())


def fields(n: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, CELLS))


def test_the_border_of_a_box_has_four_sides_and_of_the_globe_two() -> None:
    box = border(LAT, np.arange(100.0, 200, 10), 1)
    assert box.sum() == 2 * 10 + 2 * 5
    around = border(LAT, LON, 2)
    assert around.sum() == 4 * LON.size
    assert border(LAT, LON, 9).all()


def test_a_region_may_lie_across_the_date_line() -> None:
    found = masks(LAT, LON, Suspect(outside=[-30, 30, 150, 210]))
    assert found.keys() == {"outside"}
    assert (~found["outside"]).sum() == 3 * 3  # 20S, 0, 20N and 150, 180, 210
    across = masks(LAT, LON, Suspect(outside=[-30, 30, 330, 30]))["outside"]
    assert (~across).sum() == 3 * 3  # 330, 0, 30


def test_land_is_land_and_several_places_have_a_union() -> None:
    lat, lon = np.array([-20.0, 0, 50]), np.array([20.0, 135, 200])
    found = masks(lat, lon, Suspect(land=True, border=1))
    # 20S 20E Namibia, 20S 135E Australia, 0N 20E Congo, 50N 20E Poland, 50N 135E Khabarovsk; the
    # Pacific at 200E and the sea north of New Guinea at 0N 135E are none.
    expected = [[1, 1, 0], [1, 0, 0], [1, 1, 0]]
    np.testing.assert_array_equal(found["land"], np.array(expected, dtype=bool))
    np.testing.assert_array_equal(found["any"], found["land"] | found["border"])
    assert place_names(Suspect(border=1))["border"] == "within 1 cell of the edge"


def test_likeness_is_the_mean_cosine_of_pairs() -> None:
    maps = np.random.default_rng(1).normal(size=(9, 20))
    maps[3] = 0  # says nothing
    kept = np.delete(maps, 3, axis=0)
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b) for i, a in enumerate(kept) for b in kept[:i]
    ]
    assert alike(maps) == pytest.approx(np.mean(cosines))
    assert np.isnan(alike(maps[:1]))


def test_relevance_that_is_the_field_times_a_constant_follows_it() -> None:
    field = fields()
    weights = np.random.default_rng(2).normal(size=CELLS)
    assert follows(field * weights, field) == pytest.approx(1)
    scaled = field * weights * np.random.default_rng(3).lognormal(0, 2, (40, 1))
    assert follows(scaled, field) > 0.7  # up to a factor per map it does
    assert follows(np.ones((40, 1)) * weights, field) == 0
    assert abs(follows(fields(seed=9), field)) < 0.05
    assert np.isnan(follows(field[:5], field[:5]))


def test_one_map_for_all_samples_ignores_the_field() -> None:
    rng = np.random.default_rng(4)
    same = np.abs(rng.normal(size=CELLS)) * (1 + 0.01 * rng.normal(size=(40, 1)))
    (found,) = tell(same + 0.01 * rng.normal(size=(40, CELLS)), fields(), np.ones(40, int))
    assert found.kind == "constant"
    assert "ignores the field" in found.text
    # Alike and positive, but cell by cell the field times a constant: not told.
    field = 5 + fields()
    assert not tell(field * np.abs(rng.normal(size=CELLS)), field, np.ones(40, int))


def test_one_place_in_all_maps_is_told_with_its_place() -> None:
    relevance = np.abs(fields()) * 0.01
    relevance[:, 17] = 5 + fields()[:, 17]
    cells, share = constant_place(relevance)
    assert np.flatnonzero(cells).tolist() == [17]
    assert share > 0.8
    (found,) = tell(relevance, fields(), np.ones(40, int))
    assert found.kind == "constant"
    assert "10°N 10°W" in found.text


def test_a_mark_is_where_the_field_stands_still() -> None:
    relevance, field = np.abs(fields()), fields()
    labels = np.repeat([1, 2], 20)
    field[labels == 2, 30:33] = 3.0
    relevance[labels == 2, 30:33] = 10
    cells, share = still_place(relevance, field, labels == 2)
    assert np.flatnonzero(cells).tolist() == [30, 31, 32]
    rest = relevance[labels == 2].sum() - 20 * 30
    assert share == pytest.approx(600 / (600 + rest))
    assert {(f.cluster, f.kind) for f in tell(relevance, field, labels)} >= {(2, "still")}
    # Where the field never varies, as on ice, nothing is told.
    field[:, 30:33] = 3.0
    assert "still" not in {f.kind for f in tell(relevance, field, labels)}


def test_places_are_told_by_their_share_or_beside_the_others() -> None:
    relevance, field = fields(seed=7), fields()
    labels = np.repeat([1, 2], 20)

    def told(mine: float, other: float) -> list[str]:
        shares = {1: {"land": mine}, 2: {"land": other}}
        return [f.text for f in tell(relevance, field, labels, None, shares) if f.cluster == 1]

    assert "60% of its relevance lies on land" in told(0.6, 0.55)[0]
    assert (
        "40% of its relevance lies on land, where there should be none (15%" in told(0.4, 0.15)[0]
    )
    assert not told(0.4, 0.3)
    assert not told(0.08, 0.01)


def test_the_union_is_told_only_where_no_single_place_is() -> None:
    relevance, labels = fields(seed=7), np.ones(40, int)
    one = {1: {"land": 0.6, "border": 0.1, "any": 0.7}}
    assert len(tell(relevance, fields(), labels, None, one)) == 1
    none = {1: {"land": 0.4, "border": 0.3, "any": 0.7}}
    assert "together" in tell(relevance, fields(), labels, None, none)[0].text


def test_small_clusters_are_told() -> None:
    labels = np.repeat([1, 2, 3], [35, 3, 2])
    found = tell(fields(seed=7), fields(), labels)
    assert [(f.cluster, f.kind) for f in found] == [(3, "small")]
    found = tell(fields(seed=7), fields(), labels, Suspect(small=0.1))
    assert [f.cluster for f in found] == [2, 3]


@pytest.mark.parametrize(
    "change", [{"share": 0.9}, {"still": 0.9}, {"small": 0.2}, {"alike": 1.0}, {"follows": 0.0}]
)
def test_every_threshold_counts(change: dict[str, float]) -> None:
    rng = np.random.default_rng(4)
    relevance, field = np.abs(rng.normal(size=CELLS)) + 0.05 * fields(seed=7), fields()
    labels = np.repeat([1, 2, 3], [20, 16, 4])
    field[labels == 2, :20] = 1.0
    shares = {1: {"land": 0.6}, 2: {"land": 0.55}, 3: {"land": 0.5}}
    usual = tell(relevance, field, labels, Suspect(), shares)
    assert tell(relevance, field, labels, Suspect(**change), shares) != usual
