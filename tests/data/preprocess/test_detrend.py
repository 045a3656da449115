"""Trends against numpy.polyfit per cell and scipy.signal.detrend."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from climxai.core.errors import DataError
from climxai.data.preprocess import Detrend
from climxai.data.preprocess.detrend import even_years
from climxai.data.time import decimal_years


def by_polyfit(values, year, training, order):
    """Subtract, cell by cell, the polynomial of the finite training rows, fitted by numpy."""
    out = np.full(values.shape, np.nan)
    middle = year.mean()
    for cell in np.ndindex(values.shape[1:]):
        series = values[(slice(None), *cell)].astype(float)
        rows = [row for row in training if np.isfinite(series[row])]
        if len(rows) > order:
            fit = np.polyfit(year[rows] - middle, series[rows], order)
            out[(slice(None), *cell)] = series - np.polyval(fit, year - middle)
    return out


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("chunk", [None, 7, 48])
def test_equals_polyfit(make, order, chunk):
    fields = make(chunk=chunk)
    training = np.arange(4, 44)
    step = Detrend(order=order)
    found = step.apply(fields, step.fit_to(fields, training))
    assert found.dtype == np.float32
    year = even_years(fields["time"].values, "month")
    expected = by_polyfit(fields.values, year, training, order)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


def test_equals_scipy_for_evenly_spaced_rows(make):
    fields = make()
    step = Detrend(fit="all")
    found = step.apply(fields, step.fit_to(fields, np.array([0])))
    expected = scipy.signal.detrend(fields.values.astype(float), axis=0)
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


def test_gaps_are_left_out_of_the_fit(make):
    values = np.array(make().values)
    values[5:20, 0, 1, 1] = np.nan
    values[30, 1, 2, 2] = np.nan
    values[:, :, 0, 0] = np.nan
    values[1:, 0, 3, 3] = np.nan
    fields = make(values)
    step = Detrend(order=2, fit="all")
    found = step.apply(fields, step.fit_to(fields, np.array([], int))).values
    year = even_years(fields["time"].values, "month")
    np.testing.assert_allclose(found, by_polyfit(values, year, range(48), 2), atol=1e-5)
    few = found[:, 0, 3, 3]
    assert np.isnan(few).all(), "one value cannot have a parabola"


def test_daily_rows_use_exact_days(make):
    values = np.random.default_rng(3).normal(280, 1, (400, 1, 2, 2))
    fields = make(values, start="2001-01-01", freq="D", chunk=64)
    step = Detrend(order=1, fit="all")
    found = step.apply(fields, step.fit_to(fields, np.array([], int))).values
    expected = by_polyfit(values, decimal_years(fields["time"]), range(400), 1)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_high_order_far_from_year_zero_is_stable(make):
    """A polynomial of order 9 in years near 1990 comes out to rounding of float32."""
    rows = 240
    x = np.linspace(-1, 1, rows)
    exact = np.polynomial.chebyshev.chebval(x, [280, 3, -2, 1, 2, -1, 3, 1, -2, 1])
    fields = make(np.broadcast_to(exact[:, None, None, None], (rows, 1, 2, 2)))
    step = Detrend(order=9, fit="all")
    found = step.apply(fields, step.fit_to(fields, np.array([], int))).values
    # Half the spacing of float32 numbers near 290 is 1.5e-5.
    assert np.abs(found).max() < 5e-5


def test_constant_cell_becomes_exactly_zero(make):
    values = np.array(make().values)
    values[:, 0, 1, 1] = np.float32(271.35)
    fields = make(values)
    step = Detrend(order=2)
    assert np.all(step.apply(fields, step.fit_to(fields, np.arange(30))).values[:, 0, 1, 1] == 0)


def test_the_same_bits_however_chunked(make):
    values = np.array(make().values)
    values[5:20, 0, 1, 1] = np.nan
    step = Detrend(order=2)
    whole, pieces = make(values, chunk=None), make(values, chunk=5)
    fits = [step.fit_to(fields, np.arange(40)) for fields in (whole, pieces)]
    assert np.array_equal(fits[0]["coefficients"], fits[1]["coefficients"], equal_nan=True)
    assert np.array_equal(
        step.apply(whole, fits[0]).values, step.apply(pieces, fits[0]).values, equal_nan=True
    )


def test_stamps_within_the_month_do_not_matter(make):
    values = make().values
    step = Detrend(fit="all")
    first, middle = make(values, start="1990-01-01"), make(values, start="1990-01-31", freq="ME")
    fitted = step.fit_to(first, np.array([], int))
    assert np.array_equal(fitted["coefficients"], step.fit_to(middle, np.array([]))["coefficients"])
    assert np.array_equal(step.apply(first, fitted).values, step.apply(middle, fitted).values)


def test_part_of_the_record_gets_the_same_trend(make):
    """A single year of a monthly record, or one row, must not be taken for annual data."""
    fields = make()
    step = Detrend()
    fitted = step.fit_to(fields, np.arange(36))
    whole = step.apply(fields, fitted).values
    for rows in ([7], list(range(12, 24)), [0, 12, 24]):
        assert np.array_equal(step.apply(fields.isel(sample=rows), fitted).values, whole[rows])


def test_extrapolation_is_named_in_years(make):
    fields = make(np.random.default_rng(0).normal(0, 1, (132, 1, 2, 2)), start="2010-01-01")
    step = Detrend()
    said = step.warnings(fields, step.fit_to(fields, np.arange(84)))
    assert said == (
        "detrend (order 1) was fitted on 2010-01 to 2016-12 and is applied to 2017-01 to 2020-12, "
        "4.0 years beyond: labels and maps there rest on the extrapolated trend",
    )
    said = step.warnings(fields, step.fit_to(fields, np.arange(24, 132)))
    assert len(said) == 1
    assert "2010-01 to 2011-12, 2.0 years before" in said[0]
    assert step.warnings(fields, step.fit_to(fields, np.r_[0:40, 60:132])) == ()


def test_too_few_times(make):
    with pytest.raises(
        DataError, match=r"needs at least 3 different times, the rows to fit have 2"
    ):
        Detrend(order=2).fit_to(make(), np.array([3, 9]))
