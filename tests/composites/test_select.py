"""Which map goes to which group: every selection against a loop over single maps."""

from __future__ import annotations

import calendar
import datetime

import netCDF4
import numpy as np
import pytest
import xarray as xr

from climxai.composites.composite import compose
from climxai.composites.opening import open_shards
from climxai.composites.samples import gather
from climxai.composites.select import describe, select
from climxai.composites.settings import Composite
from climxai.core.errors import ConfigError, OutputError

SEASONS = {12: "DJF", 1: "DJF", 2: "DJF", 3: "MAM", 4: "MAM", 5: "MAM", 6: "JJA", 7: "JJA",
           8: "JJA", 9: "SON", 10: "SON", 11: "SON"}  # fmt: skip


def quiet(done: int = 1, note: str = "") -> None:
    """Count nothing."""


def facts(explained) -> list[dict]:
    """Restate what is known of each map, seed by seed, as a list of plain values."""
    known = []
    for seed in sorted(explained.relevance):
        for i, row in enumerate(explained.row.tolist()):
            date = explained.fields["time"].values[i].astype("datetime64[D]").item()
            label, prediction = int(explained.label[i]), int(explained.prediction[seed][i])
            known.append(
                {
                    "i": i,
                    "seed": seed,
                    "row": row,
                    "label": label,
                    "prediction": prediction,
                    "date": date,
                    "month": date.month,
                    "year": date.year,
                    "season": SEASONS[date.month],
                    "member": f"r{1 + i % 3}",
                    "confidence": float(explained.confidence[seed][i]),
                    "nino34": float(explained.index[i]),
                    "part": ("train", "validation", "test")[int(explained.part[i])],
                    "cluster": 0 if i % 5 == 0 else 1 + i % 2,
                }
            )
    return known


@pytest.fixture
def clusters(explained, tmp_path):
    """A file of clusters in the order of its own; rows it does not name are in none."""
    path = tmp_path / "clusters.nc"
    order = [i for i in range(len(explained.label))[::-1] if i % 5]
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("sample", len(order))
        file.createVariable("row", "i8", ("sample",))[:] = explained.row[order]
        file.createVariable("cluster", "i4", ("sample",))[:] = [1 + i % 2 for i in order]
    return path


def selected(explained, clusters, **settings):
    heads = open_shards(explained.write(), explained.classes, explained.fields)
    samples = gather(
        [head for seed in sorted(heads) for head in heads[seed]], explained.classes, [clusters]
    )
    return select(samples, Composite(**settings))


FILTERS = [
    ({"only": "correct"}, lambda m: m["label"] == m["prediction"]),
    ({"only": "incorrect"}, lambda m: m["label"] != m["prediction"]),
    ({"select": {"labels": "el_nino"}}, lambda m: m["label"] == 1),
    ({"select": {"predictions": ["la_nina"]}}, lambda m: m["prediction"] == 0),
    ({"select": {"clusters": [2]}}, lambda m: m["cluster"] == 2),
    ({"select": {"clusters": [0, 1]}}, lambda m: m["cluster"] in (0, 1)),
    ({"select": {"seasons": ["DJF", "SON"]}}, lambda m: m["season"] in ("DJF", "SON")),
    ({"select": {"months": [11, 12, 1]}}, lambda m: m["month"] in (11, 12, 1)),
    (
        {"select": {"period": "2001-05/2002-03"}},
        lambda m: datetime.date(2001, 5, 1) <= m["date"] <= datetime.date(2002, 3, 31),
    ),
    ({"select": {"period": 2002}}, lambda m: m["year"] == 2002),
    ({"select": {"members": ["r1", "r3"]}}, lambda m: m["member"] in ("r1", "r3")),
    ({"select": {"seeds": 1}}, lambda m: m["seed"] == 1),
    ({"select": {"parts": ["test", "none"]}}, lambda m: m["part"] == "test"),
    ({"select": {"confidence": [0.6, 0.9]}}, lambda m: 0.6 <= m["confidence"] <= 0.9),
    (
        {"where": "nino34 > 0 and month in [11, 12, 1, 2]"},
        lambda m: m["nino34"] > 0 and m["month"] in (11, 12, 1, 2),
    ),
    ({"where": "index < 0.5"}, lambda m: m["nino34"] < 0.5),
    ({"where": "confidence > 0.7 and not correct"},
     lambda m: m["confidence"] > 0.7 and m["label"] != m["prediction"]),
    ({"where": "label == 'el_nino' and season != 'JJA'"},
     lambda m: m["label"] == 1 and m["season"] != "JJA"),
    ({"where": "member == 'r2' or seed == 1"}, lambda m: m["member"] == "r2" or m["seed"] == 1),
    ({"where": "cluster == 1 and split in ['train']"},
     lambda m: m["cluster"] == 1 and m["part"] == "train"),
    ({"where": "year == 2001 and day > 10 and row < 30"},
     lambda m: m["year"] == 2001 and m["date"].day > 10 and m["row"] < 30),
    (
        {"only": "correct", "select": {"months": [1, 2, 3], "seeds": [0]}, "where": "nino34 > -1"},
        lambda m: m["label"] == m["prediction"] and m["month"] < 4 and m["seed"] == 0
        and m["nino34"] > -1,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "rule"), FILTERS, ids=[str(each)[:60] for each, _ in FILTERS])
def test_a_condition_keeps_what_a_loop_keeps(explained, clusters, settings, rule) -> None:
    found = selected(explained, clusters, **settings).groups
    expected = [rule(each) for each in facts(explained)]
    assert 0 < sum(expected) < len(expected)
    np.testing.assert_array_equal(found.member.any(axis=1), expected)
    assert found.names == explained.classes


GROUPS = [
    ("label", {"la_nina": lambda m: m["label"] == 0, "el_nino": lambda m: m["label"] == 1}),
    ("prediction", {"la_nina": lambda m: m["prediction"] == 0,
                    "el_nino": lambda m: m["prediction"] == 1}),
    ({"name": "outcome", "of": "el_nino"}, {
        "true_positive": lambda m: m["label"] == 1 and m["prediction"] == 1,
        "false_positive": lambda m: m["label"] == 0 and m["prediction"] == 1,
        "false_negative": lambda m: m["label"] == 1 and m["prediction"] == 0,
        "true_negative": lambda m: m["label"] == 0 and m["prediction"] == 0}),
    ("cluster", {"cluster_1": lambda m: m["cluster"] == 1,
                 "cluster_2": lambda m: m["cluster"] == 2}),
    ("season", {name: lambda m, name=name: m["season"] == name
                for name in ("DJF", "MAM", "JJA", "SON")}),
    ("month", {name: lambda m, k=k: m["month"] == k
               for k, name in enumerate(calendar.month_name) if name}),
    ({"name": "periods", "periods": {"early": 2001, "all": "2001-2003"}}, {
        "early": lambda m: m["year"] == 2001, "all": lambda m: m["year"] <= 2003}),
    ({"name": "window", "half_width": 0}, {
        "2001": lambda m: m["year"] == 2001, "2002": lambda m: m["year"] == 2002}),
    ("member", {name: lambda m, name=name: m["member"] == name for name in ("r1", "r2", "r3")}),
    ({"name": "conditions", "groups": {"strong": "nino34 > 0.5", "any": "nino34 > -5"}}, {
        "strong": lambda m: m["nino34"] > 0.5, "any": lambda m: True}),
    ("all", {"all": lambda m: True}),
    (["label", "member"], {
        f"{label}_{member}": lambda m, k=k, member=member: m["label"] == k and m["member"] == member
        for k, label in enumerate(("la_nina", "el_nino")) for member in ("r1", "r2", "r3")}),
]  # fmt: skip


@pytest.mark.parametrize(("by", "rules"), GROUPS, ids=[str(each)[:40] for each, _ in GROUPS])
def test_groups_hold_what_a_loop_puts_there(explained, clusters, by, rules) -> None:
    found = selected(explained, clusters, by=by).groups
    assert found.names == tuple(rules)
    for k, rule in enumerate(rules.values()):
        expected = [rule(each) for each in facts(explained)]
        np.testing.assert_array_equal(found.member[:, k], expected, err_msg=found.names[k])


def test_sliding_windows_overlap(make, tmp_path) -> None:
    explained = make(samples=72, seeds=(0,))  # 30 days each: 2001 to 2006
    heads = open_shards(explained.write(), explained.classes, explained.fields)
    samples = gather(heads[0], explained.classes)
    found = select(samples, Composite(by={"name": "window", "half_width": 1, "step": 2})).groups
    assert found.names == ("2001-2003", "2003-2005")
    years = np.array([each["year"] for each in facts(explained)])
    np.testing.assert_array_equal(found.member[:, 0], (years >= 2001) & (years <= 2003))
    np.testing.assert_array_equal(found.member[:, 1], (years >= 2003) & (years <= 2005))
    with pytest.raises(ConfigError, match=r"windows of 21 years do not fit .* 2001 to 2006"):
        select(samples, Composite(by={"name": "window", "half_width": 10}))


def test_a_sample_without_a_class_is_neither_right_nor_wrong(explained, clusters) -> None:
    explained.label[:6] = -1
    for only in ("correct", "incorrect"):
        member = selected(explained, clusters, only=only, by="prediction").groups.member
        assert not member[:6].any()
    assert not selected(explained, clusters, by="label").groups.member[:6].any()
    outcome = selected(explained, clusters, by={"name": "outcome", "of": "el_nino"}).groups
    assert not outcome.member[:6].any()


def test_an_empty_selection_says_what_emptied_it(explained, clusters) -> None:
    month = facts(explained)
    after_months = sum(each["month"] in (6, 7) for each in month)
    with pytest.raises(OutputError) as caught:
        selected(
            explained, clusters, id="x", only="all",
            select={"months": [6, 7], "confidence": [0.99999, 1]}, where="nino34 > 0",
        )  # fmt: skip
    text = str(caught.value)
    assert "composite x: no map is left" in text
    assert "`confidence 0.99999 to 1` took the last ones" in text
    assert f"explained: 48; months 6, 7: {after_months}; confidence 0.99999 to 1: 0;" in text
    assert "where nino34 > 0: 0" in text


def test_an_empty_grouping_says_so(explained, clusters) -> None:
    with pytest.raises(OutputError, match=r"in a group by period .* took the last ones"):
        selected(explained, clusters, by={"name": "periods", "periods": {"old": "1900-1910"}})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"select": {"labels": "elnino"}}, "'elnino', which is no class. Did you mean 'el_nino'"),
        ({"select": {"members": "r9"}}, "no map has the member r9"),
        ({"select": {"seeds": 7}}, "no map has the seed 7. Known: 0, 1"),
        ({"select": {"models": "x"}}, "no model of its samples: the data have no models"),
        ({"by": {"name": "outcome", "of": "nino"}}, "there is no class 'nino' to judge"),
        ({"where": "nino3 > 1"}, "no variable 'nino3' on sample. Did you mean 'nino34'"),
        ({"where": "label == 'nina'"}, "label is never 'nina'"),
        ({"by": "model"}, "no model of its samples"),
    ],
)
def test_a_condition_on_what_is_not_there(explained, clusters, settings, words) -> None:
    with pytest.raises(ConfigError) as caught:
        selected(explained, clusters, **settings)
    assert words in str(caught.value)


def test_clusters_and_confidence_that_are_not_there(explained, tmp_path) -> None:
    shards = explained.write()
    settings = Composite(by="cluster")
    with pytest.raises(ConfigError, match="run `climxai strategies` first"):
        compose(shards, explained.fields, explained.classes, settings, tick=quiet)
    with netCDF4.Dataset(shards[0][0], "a") as file:
        file.renameVariable("confidence", "something")
    settings = Composite(select={"confidence": [0.5, 1]})
    with pytest.raises(ConfigError, match="earlier version"):
        compose(shards, explained.fields, explained.classes, settings, tick=quiet)
    bad = tmp_path / "bad.nc"
    bad.write_bytes(b"no clusters")
    settings = Composite(by="cluster")
    with pytest.raises(OutputError, match=r"bad\.nc: these clusters cannot be read"):
        compose(
            shards, explained.fields, explained.classes, settings, tick=quiet, clusters=[bad]
        )  # fmt: skip


def test_clusters_of_single_seeds(explained, tmp_path) -> None:
    path = tmp_path / "seeds.nc"
    xr.Dataset(
        {
            "row": ("sample", np.tile(explained.row, 2)),
            "seed": ("sample", np.repeat([0, 1], len(explained.row))),
            "cluster": ("sample", np.repeat([1, 2], len(explained.row))),
        }
    ).to_netcdf(path)
    found = selected(explained, path, by="cluster").groups
    np.testing.assert_array_equal(
        found.member[:, 1], [each["seed"] == 1 for each in facts(explained)]
    )


def test_times_of_any_calendar(make) -> None:
    explained = make(samples=12, seeds=(0,))
    shards = explained.write()
    for path in shards[0]:
        with netCDF4.Dataset(path, "a") as file:
            file["time"].units, file["time"].calendar = "days since 0001-02-29", "360_day"
            file["time"][:] = np.arange(len(file["time"])) * 30
    heads = open_shards(shards, explained.classes, explained.fields)
    samples = gather(heads[0], explained.classes)
    assert samples.column("month").tolist() == [2, 3, 4, 5, 6, 7] * 2
    assert set(samples.column("day").tolist()) == {29}
    assert set(samples.column("year").tolist()) == {1}


def test_every_selection_reads_differently() -> None:
    settings = [
        Composite(by=by, only=only)
        for by in ("label", "prediction", "season", {"name": "outcome", "of": "a"})
        for only in ("all", "correct", "incorrect")
    ]
    settings += [Composite(**each) for each, _ in FILTERS[2:]]
    texts = {describe(each) for each in settings}
    assert len(texts) == len(settings)
    assert describe(Composite()) == "all explained samples, by the true class"
