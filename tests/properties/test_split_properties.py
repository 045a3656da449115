"""Whatever the record and the settings, no row is in two parts and the gap is kept."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from climxai.core.errors import DataError
from climxai.data.split import ByDate, ByMember, Fraction, KFold, Random, SplitRule, Years

PARTS = ("train", "validation", "test")


@st.composite
def records(draw: st.DrawFn) -> xr.DataArray:
    """Monthly or daily records of any length, of one to three members, in any order of rows."""
    length = draw(st.integers(3, 60))
    members = draw(st.integers(1, 3))
    freq, calendar = draw(st.sampled_from([("MS", "standard"), ("D", "noleap"), ("YS", "360_day")]))
    time = np.asarray(xr.date_range("2000-01-01", periods=length, freq=freq, calendar=calendar))
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(length * members)
    return xr.DataArray(
        np.zeros((length * members, 1, 1, 1), np.float32),
        dims=("sample", "channel", "lat", "lon"),
        coords={
            "time": ("sample", np.tile(time, members)[order]),
            "member": ("sample", np.repeat(np.arange(members), length)[order]),
        },
    )


@st.composite
def rules(draw: st.DrawFn) -> SplitRule:
    gap = draw(st.integers(0, 6))
    kind = draw(st.sampled_from(["fraction", "kfold", "years", "by_date"]))
    if kind == "fraction":
        train = draw(st.sampled_from([0.3, 0.5, 0.6]))
        return Fraction(train=train, validation=0.2, test=round(0.8 - train, 6), gap=gap)
    if kind == "kfold":
        folds = draw(st.integers(2, 6))
        fold = draw(st.integers(0, folds - 1))
        return KFold(folds=folds, fold=fold, validation=folds > 2 and draw(st.booleans()), gap=gap)
    if kind == "years":
        every = draw(st.integers(2, 5))
        offsets = draw(st.permutations(range(every)))
        return Years(
            test={"every": every, "offset": offsets[0]},
            validation={"every": every, "offset": offsets[1]} if every > 2 else None,
            gap=gap,
        )
    first = draw(st.integers(1, 10))
    return ByDate(train=f"2000-01/2000-{first:02d}", test=f"2000-{first + 1:02d}/", gap=gap)


def split_or_skip(rule: SplitRule, fields: xr.DataArray):
    try:
        return rule.split(fields)
    except DataError:
        assume(False)
        raise


@settings(max_examples=150, deadline=None)
@given(records(), rules())
def test_parts_are_disjoint_and_the_gap_is_kept(fields: xr.DataArray, rule: SplitRule) -> None:
    split = split_or_skip(rule, fields)
    rows = np.concatenate([getattr(split, part) for part in PARTS])
    assert len(set(rows.tolist())) == len(rows)
    assert set(rows.tolist()) <= set(range(fields.sizes["sample"]))
    assert split.train.size
    # Restated by brute force: positions of the distinct times, every pair of rows of two parts.
    ordered = sorted(set(fields["time"].values.tolist()))
    place = [ordered.index(time) for time in fields["time"].values.tolist()]
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        for row in getattr(split, one):
            for neighbour in getattr(split, other):
                assert abs(place[row] - place[neighbour]) > rule.gap  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(records(), st.integers(2, 6))
def test_folds_partition_the_record(fields: xr.DataArray, folds: int) -> None:
    tests = [split_or_skip(KFold(folds=folds, fold=k), fields) for k in range(folds)]
    assert sorted(np.concatenate([split.test for split in tests])) == list(
        range(fields.sizes["sample"])
    )
    for split in tests:
        assert sorted([*split.train, *split.test]) == list(range(fields.sizes["sample"]))


@settings(max_examples=60, deadline=None)
@given(records(), st.integers(0, 5))
def test_without_gap_fractions_use_every_row_and_keep_times_whole(
    fields: xr.DataArray, seed: int
) -> None:
    for rule in (Fraction(train=0.6, test=0.4), Random(train=0.6, test=0.4, seed=seed)):
        split = split_or_skip(rule, fields)
        assert len(split.train) + len(split.test) == fields.sizes["sample"]
        time = fields["time"].values
        assert not set(time[split.train].tolist()) & set(time[split.test].tolist())


@settings(max_examples=40, deadline=None)
@given(records())
def test_members_stay_whole(fields: xr.DataArray) -> None:
    member = fields["member"].values
    assume(len(set(member)) > 1)
    split = ByMember(test=["0"]).split(fields)
    assert set(member[split.test]) == {0}
    assert 0 not in set(member[split.train])
    assert len(split.train) + len(split.test) == len(member)


@settings(max_examples=60, deadline=None)
@given(records(), rules())
def test_order_of_rows_does_not_matter(fields: xr.DataArray, rule: SplitRule) -> None:
    split = split_or_skip(rule, fields)
    turned = fields.isel(sample=slice(None, None, -1))
    again = rule.split(turned)
    last = fields.sizes["sample"] - 1
    for part in PARTS:
        assert sorted(last - getattr(again, part)) == list(getattr(split, part))
