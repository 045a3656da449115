"""Splits of a small monthly record, the rows worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from climxai.core.errors import ConfigError, DataError
from climxai.data.split import SPLITS, ByDate, ByMember, Fraction, KFold, Random, Years


def rows(*spans):
    """Rows from first to last, both included, of each span."""
    return [row for first, last in spans for row in range(first, last + 1)]


def parts(split):
    return [list(part) for part in (split.train, split.validation, split.test)]


def test_by_date(make):
    rule = ByDate(train="2010-01/2011-06", validation=2012, test=[2013, "2013-03"])
    split = rule.split(make())
    assert parts(split) == [rows((0, 17)), rows((24, 35)), rows((36, 38))]
    assert (
        split.rule
        == "by date: train 2010-01 to 2011-06, validation 2012 to 2012, test 2013 to 2013-03"
    )
    assert split.warnings == ()
    assert split.train.dtype.kind == "i"


def test_gap_is_taken_from_training_then_validation(make):
    rule = ByDate(train="2010-2011", validation="2012", test="2013", gap=2)
    split = rule.split(make())
    assert parts(split) == [rows((0, 21)), rows((24, 33)), rows((36, 47))]
    assert split.rule.endswith(", gap 2")
    # A training period after the test period loses its beginning.
    split = ByDate(train="2012-2013", test="2010-2011", gap=2).split(make())
    assert parts(split) == [rows((26, 47)), [], rows((0, 23))]


def test_unused_rows_between_parts_count_towards_the_gap(make):
    split = ByDate(train="2010/2011-09", test="2012-2013", gap=3).split(make())
    assert parts(split)[0] == rows((0, 20))
    assert parts(ByDate(train="2010/2011-09", test="2012-2013", gap=4).split(make()))[0] == rows(
        (0, 19)
    )


def test_by_date_without_rows(make):
    with pytest.raises(DataError, match=r"test \(2030 to 2040\).*2010-01 to 2013-12"):
        ByDate(train="2010-2011", test="2030-2040").split(make())


def test_overlapping_periods():
    with pytest.raises(
        ValidationError, match=r"train \(2010 to 2012\) and test \(2012-12 to 2013\)"
    ):
        ByDate(train="2010-2012", test="2012-12/2013")
    with pytest.raises(ValidationError, match=r"validation \(2012 to 2013\) and test"):
        ByDate(train="2010-2011", validation="2012-2013", test="2013/")


def test_gap_that_swallows_a_part(make):
    with pytest.raises(DataError, match="gap of 30 samples leaves no train row of 24"):
        ByDate(train="2010-2011", test="2012-2013", gap=30).split(make())
    rule = ByDate(train="2010-2011", validation="2012-12", test="2013", gap=3)
    assert "leaves no validation row of 1" in rule.split(make()).warnings[0]


def test_fraction(make):
    split = Fraction(train=0.5, validation=0.25, test=0.25).split(make())
    assert parts(split) == [rows((0, 23)), rows((24, 35)), rows((36, 47))]
    assert "train 2010-01 to 2011-12" in split.rule
    split = Fraction(train=0.5, validation=0.25, test=0.25, gap=1).split(make())
    assert parts(split) == [rows((0, 22)), rows((24, 34)), rows((36, 47))]


def test_fraction_keeps_members_at_one_time_together(make):
    split = Fraction(train=0.5, test=0.5).split(make(4, members=["a", "b"]))
    assert parts(split) == [[0, 1, 4, 5], [], [2, 3, 6, 7]]


def test_fractions_must_add_up(make):
    with pytest.raises(ValidationError, match=r"must add up to 1, found 1.1"):
        Fraction(train=0.8)
    with pytest.raises(DataError, match=r"test \(0.01\) gets no row of 48 times"):
        Fraction(train=0.99, test=0.01).split(make())
    said = Fraction(train=1, test=0).split(make()).warnings
    assert said == ("split: there is no test part: no score will be of unseen data",)


def test_years(make):
    split = Years(test=[2011], validation="2013").split(make())
    assert parts(split) == [rows((0, 11), (24, 35)), rows((36, 47)), rows((12, 23))]
    split = Years(train="2010-2011", test=2013).split(make())
    assert parts(split) == [rows((0, 23)), [], rows((36, 47))]


def test_every_nth_year_counts_from_the_first(make):
    fields = make(20, start="1861-06-01", freq="YS-JUN")
    split = Years(test={"every": 5, "offset": 0}, validation={"every": 5, "offset": 2}).split(
        fields
    )
    assert list(split.test) == [0, 5, 10, 15]
    assert list(split.validation) == [2, 7, 12, 17]
    assert len(split.train) == 12
    assert "one year in 5" in split.rule


def test_years_in_two_parts(make):
    with pytest.raises(ConfigError, match=r"2010-01 is in both train and test \(12 rows\)"):
        Years(train=[2010, 2011], test=[2010]).split(make())
    with pytest.raises(DataError, match=r"test \(1999\) holds no row"):
        Years(test=[1999]).split(make())
    with pytest.raises(DataError, match=r"train \(the rest\) holds no row"):
        Years(test="2010-2013").split(make())
    with pytest.raises(ValidationError, match="`every` is 2 or more"):
        Years(test={"every": 5, "offset": 5})
    with pytest.raises(ValidationError, match="train and validation are both `rest`"):
        Years(test=[2010], validation="rest")


@pytest.mark.parametrize("test", [2011, "2011-2012", [2011, 2012], {"every": 3}, "2011-06/2012"])
def test_year_sets_survive_json(test):
    rule = Years(test=test)
    assert Years.model_validate_json(rule.model_dump_json()) == rule
    assert Years.model_validate(rule.model_dump()) == rule


def test_member(make):
    fields = make(3, members=["r1", "r2", "r3"])
    split = ByMember(test=["r2"], validation=["r3"]).split(fields)
    assert parts(split) == [[0, 1, 2], [6, 7, 8], [3, 4, 5]]
    split = ByMember(train=["r3"], test="r2").split(fields)
    assert parts(split) == [[6, 7, 8], [], [3, 4, 5]]
    assert split.rule == "by member: train r3, test r2"
    assert list(ByMember(test=[2]).split(make(2, members=["1", "2"])).test) == [2, 3]


def test_wrong_members(make):
    fields = make(3, members=["r1", "r2"])
    with pytest.raises(DataError, match=r"'r22', which the data do not have. Did you mean 'r2'"):
        ByMember(test=["r22"]).split(fields)
    with pytest.raises(DataError, match="no member is left to train"):
        ByMember(test=["r1", "r2"]).split(fields)
    with pytest.raises(DataError, match="the data have no members"):
        ByMember(test=["r1"]).split(make())
    with pytest.raises(ValidationError, match="r1 in both train and test"):
        ByMember(train=["r1"], test=["r1", "r2"])


def test_kfold(make):
    found = [KFold(folds=5, fold=fold).split(make()) for fold in range(5)]
    # 48 months in five blocks: three of ten, two of nine.
    assert [list(split.test) for split in found] == [
        rows((0, 9)),
        rows((10, 19)),
        rows((20, 29)),
        rows((30, 38)),
        rows((39, 47)),
    ]
    assert [len(split.train) for split in found] == [38, 38, 38, 39, 39]
    split = KFold(folds=4, fold=3, validation=True, gap=1).split(make())
    assert parts(split) == [rows((13, 34)), rows((0, 11)), rows((36, 47))]


def test_wrong_folds(make):
    with pytest.raises(ValidationError, match="from 0 to 4 with 5 folds, found 5"):
        KFold(fold=5)
    with pytest.raises(ValidationError, match="3 or more"):
        KFold(folds=2, validation=True)
    with pytest.raises(DataError, match="3 times cannot make 5 folds"):
        KFold().split(make(3))


def test_random_is_seeded_and_warns(make):
    one, same, other = (Random(seed=seed).split(make()) for seed in (1, 1, 2))
    assert np.array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)
    assert len(one.train) == 34
    assert len(one.test) == 14
    assert not np.array_equal(one.train, np.arange(34))
    assert "prefer by_date, fraction, years or kfold" in one.warnings[0]
    assert "test rows have a training row next to them in time" in one.warnings[1]


def test_interleaved_years_without_gap_warn(make):
    fields = make(20, freq="YS")
    said = Years(test={"every": 5}).split(fields).warnings
    assert len(said) == 1
    assert said[0].startswith(
        "split: 4 of 4 test rows have a training row next to them in time (first 2010)"
    )
    assert Years(test={"every": 5}, gap=1).split(fields).warnings == ()


def test_cftime_calendars(make):
    fields = make(48, calendar="360_day")
    split = ByDate(train="2010-2011", test="2012-02/2012-02", gap=1).split(fields)
    assert parts(split) == [rows((0, 23)), [], [25]]


def test_table_names_and_changed_fields_change_the_parts(make):
    fields = make(24, members=["a", "b", "c"])
    base = {
        "by_date": {"train": "2010-01/2010-10", "test": "2011"},
        "fraction": {},
        "years": {"test": [2011]},
        "member": {"test": ["a"]},
        "kfold": {},
        "random": {},
    }
    changes = {
        "by_date": [{"train": "2010"}, {"test": "2011-06"}, {"validation": "2010-12"}, {"gap": 5}],
        "fraction": [{"train": 0.5, "test": 0.5}, {"validation": 0.1, "test": 0.2}, {"gap": 1}],
        "years": [{"test": [2010]}, {"train": "2010-05"}, {"validation": "2010-05"}, {"gap": 1}],
        "member": [{"test": ["b"]}, {"train": ["b"]}, {"validation": ["c"]}],
        "kfold": [{"folds": 4}, {"fold": 1}, {"validation": True}, {"gap": 1}],
        "random": [{"train": 0.5, "test": 0.5}, {"validation": 0.1, "test": 0.2}, {"seed": 3}],
    }
    for name, rule in SPLITS.items():
        assert rule.model_fields["name"].default == name
        plain = parts(rule(**base[name]).split(fields))
        touched = set()
        for change in changes[name]:
            assert parts(rule(**{**base[name], **change}).split(fields)) != plain, (name, change)
            touched |= set(change)
        assert touched == set(rule.model_fields) - {"name"}
