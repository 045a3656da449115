"""Box means against sums written out, and classes at and around their thresholds."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from climxai.core.errors import DataError
from climxai.data.labels import LABELS, BoxIndex

SIGNS = {"cold": {"below": -0.5}, "warm": {"above": 0.5}}


def box(**settings):
    return BoxIndex(**{"region": [-10, 10, 80, 190], "classes": SIGNS, **settings})


def test_weighted_mean_written_out(make):
    random = np.random.default_rng(0)
    values = random.normal(0, 1, (5, 3, 4)).astype(np.float32)
    found = box().label(make(values)).index
    # Latitudes -10, 0, 10 are edges or inside, longitudes 90 and 180 inside: cos 10° = 0.984807753.
    weights = {0: 0.984807753, 1: 1.0, 2: 0.984807753}
    for row in range(5):
        total = sum(w * float(values[row, i, j]) for i, w in weights.items() for j in (1, 2))
        area = sum(w for w in weights.values() for _ in (1, 2))
        assert found.values[row] == pytest.approx(total / area, rel=1e-9)
    assert found.dims == ("sample",)
    assert found.attrs["units"] == "degC"
    assert (
        found.attrs["long_name"] == "area-weighted mean of sst anomaly over 10°S-10°N, 80°E-170°W"
    )


def test_gaps_are_left_out(make):
    values = np.ones((3, 3, 4))
    values[:, 0, 1] = np.nan
    values[1, 1, 2] = 7
    found = box().label(make(values)).index.values
    area = 4 * 0.984807753 + 2 - 0.984807753
    np.testing.assert_allclose(found, [1, 1 + 6 / area, 1], rtol=1e-9)


def test_box_across_greenwich(make):
    values = np.zeros((2, 3, 4))
    values[:, :, 0], values[:, :, 3] = 1, 3
    assert box(region=[-10, 10, 260, 10]).label(make(values)).index.values == pytest.approx([2, 2])


def test_thresholds_are_strict_and_the_rest_is_dropped(make):
    values = [-0.75, -0.5, 0.0, 0.5, 0.75, 2.0]
    made = box().label(make(values))
    assert made.classes == ("cold", "warm")
    assert made.numbers.dtype == np.int64
    assert list(made.numbers) == [0, -1, -1, -1, 1, 1]
    assert made.warnings == ()


def test_order_of_classes_gives_their_numbers(make):
    turned = dict(reversed(SIGNS.items()))
    made = box(classes=turned).label(make([-1.0, 1.0]))
    assert made.classes == ("warm", "cold")
    assert list(made.numbers) == [1, 0]


def test_class_without_bounds_takes_everything_else(make):
    classes = {"neutral": {}, **SIGNS, "strong": {"above": 2}}
    classes["warm"] = {"above": 0.5, "below": 2}
    made = box(classes=classes).label(make([-1, -0.5, 0, 0.5, 1, 2, 3]))
    assert list(made.numbers) == [1, 0, 0, 0, 2, 0, 3]


def test_rows_without_a_value_are_dropped_and_told(make):
    values = np.ones((4, 3, 4))
    values[2] = np.nan
    made = box(classes={"neutral": {}, **SIGNS}).label(make(values))
    assert list(made.numbers) == [2, 2, -1, 2]
    assert made.warnings == (
        "label box_index: 1 of 4 rows have no value in the box (first 1998-03) and are dropped",
    )


def test_channel_is_picked_by_name(make):
    values = np.stack([np.zeros((2, 3, 4)), np.ones((2, 3, 4))], axis=1)
    fields = make(values, channels=("sst", "slp"))
    assert list(box(channel="slp").label(fields).numbers) == [1, 1]
    with pytest.raises(DataError, match=r"several channels \(sst, slp\)"):
        box().label(fields)
    with pytest.raises(DataError, match=r"no channel 'slq'. Did you mean 'slp'"):
        box(channel="slq").label(fields)


def test_box_outside_the_grid(make):
    with pytest.raises(DataError, match=r"40°N-50°N.*latitudes -10 to 10 and longitudes 0 to 270"):
        box(region=[40, 50, 0, 90]).label(make([1.0]))
    with pytest.raises(DataError, match="holds no cell of the grid"):
        box(region=[-10, 10, 100, 170]).label(make([1.0]))


def test_box_of_land(make):
    values = np.ones((2, 3, 4))
    values[:, :, 1:3] = np.nan
    with pytest.raises(
        DataError, match=r"no cell in 10°S-10°N, 80°E-170°W ever has a value of sst"
    ):
        box().label(make(values))


@pytest.mark.parametrize(
    ("lat", "lon", "cut"),
    [
        ((-4, -2, 0, 2, 4), range(180, 252, 2), ""),
        ((-4, -2, 0, 2, 4), range(0, 360, 2), ""),
        ((0, 2, 4), range(180, 252, 2), "south"),
        ((-4, -2, 0), range(180, 252, 2), "north"),
        ((-4, -2, 0, 2, 4), range(200, 252, 2), "west"),
        ((-4, -2, 0, 2, 4), range(180, 222, 2), "east"),
        ((-4, -2, 0, 2, 4), range(200, 222, 2), "west and east"),
    ],
)
def test_grid_that_ends_inside_the_box_is_told(make, lat, lon, cut):
    lat, lon = [float(x) for x in lat], [float(x) for x in lon]
    said = box(region="nino34").label(make([1.0], lat=lat, lon=lon)).warnings
    if cut:
        assert len(said) == 1
        assert f"ends inside the box 5°S-5°N, 170°W-120°W in the {cut}:" in said[0]
    else:
        assert said == ()


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        (
            {"a": {"above": 0}, "b": {"below": 0.1}},
            "b and a overlap: values above 0.0 and below 0.1",
        ),
        ({"a": {"above": 0}, "b": {"above": 1}}, "a and b overlap"),
        ({"a": {"above": 0}}, "at least two classes, found 1: a"),
        ({}, "found 0: none"),
        ({"a": {}, "b": {}, "c": {"above": 0}}, "a and b have neither"),
        ({"a": {"above": 2, "below": 1}, "b": {"below": 0}}, "no value lies above 2.0 and below 1"),
        ({"a": {"above": 1, "beneath": 1}, "b": {"below": 0}}, "beneath"),
        ({"a": {"above": float("nan")}, "b": {"below": 0}}, "finite"),
    ],
)
def test_wrong_classes(classes, problem):
    with pytest.raises(ValidationError, match=problem):
        box(classes=classes)


def test_ranges_that_touch_are_apart(make):
    made = box(classes={"cold": {"below": 0}, "warm": {"above": 0}}).label(make([-1, 0, 1]))
    assert list(made.numbers) == [0, -1, 1]


def test_record_keeps_the_order_of_classes_through_json_and_pickle():
    label = box(classes=dict(reversed(SIGNS.items())))
    again = BoxIndex.model_validate_json(label.model_dump_json())
    assert list(again.classes) == ["warm", "cold"]
    assert again == label
    assert hash(again) == hash(label)
    assert pickle.loads(pickle.dumps(label)) == label  # noqa: S301
    assert label.digest() != box().digest()
    assert "classes" in str(TypeAdapter(BoxIndex).json_schema())


def test_table_names_are_the_records_names():
    for name, label in LABELS.items():
        assert label.model_fields["name"].default == name
