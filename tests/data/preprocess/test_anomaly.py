"""Climatologies against explicit loops over rows and cells."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from climxai.core.errors import DataError
from climxai.data.preprocess import Anomaly
from climxai.data.time import days, months

SEASON_OF = {12: "DJF", 1: "DJF", 2: "DJF", 3: "MAM", 4: "MAM", 5: "MAM"}
SEASON_OF |= {6: "JJA", 7: "JJA", 8: "JJA", 9: "SON", 10: "SON", 11: "SON"}


def by_loops(values, keys, training):
    """Subtract, cell by cell, the float64 mean of the finite training rows with the same key."""
    out = np.full(values.shape, np.nan)
    for cell in np.ndindex(values.shape[1:]):
        for row, key in enumerate(keys):
            same = [
                float(values[(other, *cell)])
                for other in training
                if keys[other] == key and np.isfinite(values[(other, *cell)])
            ]
            if same:
                out[(row, *cell)] = float(values[(row, *cell)]) - sum(same) / len(same)
    return out


def keys_of(fields, by):
    month, day = months(fields["time"]), days(fields["time"])
    if by == "month":
        return list(month)
    if by == "season":
        return [SEASON_OF[m] for m in month]
    if by == "day":
        return [(m, 28 if (m, d) == (2, 29) else d) for m, d in zip(month, day, strict=True)]
    return [0] * len(month)


@pytest.mark.parametrize("by", ["month", "season", "all"])
def test_monthly_record_equals_loops(make, by):
    fields = make()
    training = np.arange(5, 40)
    step = Anomaly(by=by)
    found = step.apply(fields, step.fit_to(fields, training))
    assert found.dtype == np.float32
    assert found.chunks == fields.chunks
    expected = by_loops(fields.values, keys_of(fields, by), training)
    np.testing.assert_allclose(found.values, expected, rtol=1e-6, atol=1e-6)


def test_gaps_are_left_out_of_the_means_and_stay_gaps(make):
    values = np.array(make().values)
    values[3, 0, 1, 1] = values[15, 0, 1, 1] = np.nan
    values[:, :, 0, 0] = np.nan
    values[20:30, 1, 2, 3] = np.nan
    fields = make(values)
    step = Anomaly(fit="all")
    found = step.apply(fields, step.fit_to(fields, np.array([0]))).values
    expected = by_loops(values, keys_of(fields, "month"), range(48))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert np.array_equal(np.isnan(found), np.isnan(values))


def test_daily_climatology_joins_leap_day_to_28_february(make):
    rows = 3 * 365 + 1
    values = np.random.default_rng(1).normal(280, 2, (rows, 1, 1, 2))
    fields = make(values, start="2003-01-01", freq="D", chunk=100)
    step = Anomaly(by="day", fit="all")
    fitted = step.fit_to(fields, np.array([], int))
    assert fitted.sizes["group"] == 365
    found = step.apply(fields, fitted).values
    expected = by_loops(fields.values, keys_of(fields, "day"), range(rows))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_360_day_calendar_has_360_days_of_its_own(make):
    values = np.random.default_rng(1).normal(280, 2, (720, 1, 1, 1))
    fields = make(values, start="2000-01-01", freq="D", calendar="360_day")
    assert Anomaly(by="day").fit_to(fields, np.arange(720)).sizes["group"] == 360


def test_base_period_alone_counts(make):
    fields = make()
    one = Anomaly(fit="1991-1992")
    other = Anomaly()
    chosen = np.arange(12, 36)
    found = one.fit_to(fields, np.array([0, 1]))["climatology"]
    assert np.array_equal(found, other.fit_to(fields, chosen)["climatology"])


def test_the_same_bits_however_chunked(make):
    step = Anomaly(fit="all")
    whole, pieces = make(chunk=None), make(chunk=5)
    fitted = step.fit_to(whole, np.array([], int))
    again = step.fit_to(pieces, np.array([], int))
    assert np.array_equal(fitted["climatology"], again["climatology"])
    assert np.array_equal(step.apply(whole, fitted).values, step.apply(pieces, fitted).values)


def test_constant_cell_becomes_exactly_zero(make):
    values = np.array(make().values)
    values[:, 0, 2, 2] = np.float32(271.35)
    fields = make(values)
    step = Anomaly()
    found = step.apply(fields, step.fit_to(fields, np.arange(24))).values
    assert np.all(found[:, 0, 2, 2] == 0)


def test_lacking_month_is_named(make):
    fields = make()
    step = Anomaly(fit="1990-01/1990-10")
    fitted = step.fit_to(fields, np.arange(48))
    with pytest.raises(DataError, match=r"lacks month 11, month 12, .*first in row 10"):
        step.apply(fields, fitted)


def test_lacking_season_is_named(make):
    fields = make()
    step = Anomaly(by="season", fit="1990-03/1990-11")
    with pytest.raises(DataError, match="lacks season DJF"):
        step.apply(fields, step.fit_to(fields, np.arange(48)))


def test_few_rows_are_warned_of(make):
    fields = make()
    step = Anomaly(fit="1990")
    said = step.warnings(fields, step.fit_to(fields, np.arange(48)))
    assert len(said) == 1
    assert "month 1 and 11 more rests on 1 row:" in said[0]
    assert Anomaly().warnings(fields, Anomaly().fit_to(fields, np.arange(48))) == ()


def test_no_row_to_fit(make):
    with pytest.raises(DataError, match="no training row"):
        Anomaly().fit_to(make(), np.array([], int))
    with pytest.raises(DataError, match=r"2050 to 2050.*1990-01-01 to 1993-12-01"):
        Anomaly(fit=2050).fit_to(make(), np.arange(3))


def test_names_say_anomaly_once(make):
    fields = make()
    step = Anomaly()
    once = step.apply(fields, step.fit_to(fields, np.arange(48)))
    assert list(once["long_name"].values) == ["field v0 anomaly", "field v1 anomaly"]
    twice = step.apply(once, step.fit_to(once, np.arange(48)))
    assert list(twice["long_name"].values) == ["field v0 anomaly", "field v1 anomaly"]


def test_misspelt_fit_is_refused():
    with pytest.raises(ValidationError, match=r"found 'traning'. Did you mean 'training'"):
        Anomaly(fit="traning")
    assert Anomaly(fit="1991-2020").fit.describe() == "1991 to 2020"


@pytest.mark.parametrize("fit", ["training", "all", "1991-2020", 1998, ["1991-03", None]])
def test_fit_survives_json(fit):
    step = Anomaly(fit=fit, by="season")
    assert Anomaly.model_validate_json(step.model_dump_json()) == step
    assert hash(step) == hash(Anomaly.model_validate(step.model_dump()))
