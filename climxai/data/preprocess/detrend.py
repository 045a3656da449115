"""Departures from each cell's polynomial trend in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.core.errors import DataError
from climxai.data.preprocess.anomaly import named_anomaly
from climxai.data.preprocess.step import Fit, Rows, Step, rows_to_fit, times
from climxai.data.resolution import Resolution, resolution, short_date, short_span
from climxai.data.time import decimal_years, iso, months, years

if TYPE_CHECKING:
    import xarray as xr

TOLERATED = 0.05
"""How far beyond the fitted span, in parts of it, a trend is used without a warning."""


class Detrend(Step):
    """Subtract from each cell the polynomial in time that fits it best (least squares).

    Time is measured in years, months of a monthly record being equally long (see `even_years`), and
    scaled to -1 … 1 over the fitted rows; the polynomial is a sum of Legendre polynomials, whose
    normal equations stay well conditioned. The constant term goes too: the fitted rows' mean is
    zero afterwards. Gaps are left out of the fit.
    """

    physical: ClassVar[bool] = True
    keeps: ClassVar[tuple[str, ...]] = ("coefficients", "time_centre", "time_half")

    name: Literal["detrend"] = "detrend"
    order: int = Field(1, ge=1, le=9, description="order of the polynomial; 1 is a straight line")
    fit: Fit = "training"
    """rows the trend is fitted to: training, all, or a period such as 1950-2020"""

    def fit_to(self, fields: xr.DataArray, training: Rows) -> xr.Dataset:
        """Return ``coefficients(term, channel, lat, lon)`` and the scaling of time."""
        from climxai.data.preprocess.stream import Departures, Present, maps

        time = times(fields)
        rows = rows_to_fit(self, self.fit, time, training)
        unit = resolution(time)
        year = even_years(time, unit)
        terms = self.order + 1
        if np.unique(year[rows]).size < terms:
            raise DataError(
                f"detrend (order {self.order}) needs at least {terms} different times, the rows to "
                f"fit have {np.unique(year[rows]).size} ({short_span(time[rows])}): lower `order` "
                "or fit it to more rows"
            )
        first, last = float(year[rows].min()), float(year[rows].max())
        centre, half = (first + last) / 2, (last - first) / 2
        basis = np.polynomial.legendre.legvander((year - centre) / half, self.order)
        pairs = [(i, j) for i in range(terms) for j in range(i, terms)]
        products = np.stack([basis[:, i] * basis[:, j] for i, j in pairs], axis=1)
        departures = Departures(fields, rows)
        target = np.zeros((terms, *departures.shift.shape))
        present = Present(len(pairs), departures.shift.shape)
        for position, departure, missing in departures:
            for term in range(terms):
                target[term] += basis[position, term] * departure
            present.add(products[position], missing)
        coefficients = solve_cells(target, present.full, present.sums(), rows.size)
        coefficients[0] += departures.shift
        attrs = {
            "long_name": "coefficients of Legendre polynomials of (year - time_centre) / time_half",
            "time_unit": unit,
            "fitted_from": iso(time[rows].min()),
            "fitted_to": iso(time[rows].max()),
        }
        fitted = maps(fields, coefficients=("term", coefficients, attrs))
        return fitted.assign(
            time_centre=((), centre, {"units": "1", "long_name": "middle of the fit, in years"}),
            time_half=((), half, {"units": "1", "long_name": "half the fitted span, in years"}),
        )

    def apply(self, fields: xr.DataArray, fitted: xr.Dataset) -> xr.DataArray:
        """Return the fields less their trend (sample, channel, lat, lon)."""
        from climxai.data.preprocess.stream import change_rows, check_grid

        check_grid(fields, fitted, self.name)
        year = even_years(times(fields), fitted["coefficients"].attrs["time_unit"])
        scaled = (year - float(fitted["time_centre"])) / float(fitted["time_half"])
        basis = np.polynomial.legendre.legvander(scaled, self.order)
        detrended = change_rows(
            fields, subtract_trend, basis, coefficients=fitted["coefficients"].values
        )
        return named_anomaly(detrended)

    def warnings(self, fields: xr.DataArray, fitted: xr.Dataset) -> tuple[str, ...]:
        """Return a warning for rows before, and one for rows after, the fitted span."""
        time = times(fields)
        attrs = fitted["coefficients"].attrs
        unit = attrs["time_unit"]
        year = even_years(time, unit)
        centre, half = float(fitted["time_centre"]), float(fitted["time_half"])
        span = " to ".join(short_date(attrs[key], unit) for key in ("fitted_from", "fitted_to"))
        said = []
        for beyond, where in ((centre - half - year, "before"), (year - centre - half, "beyond")):
            if not beyond.size or beyond.max() <= 2 * half * TOLERATED:
                continue
            # A millionth of a year is half a minute: rounding, not a row outside.
            outside = short_span_in(time[beyond > 1e-6], unit)
            said.append(
                f"detrend (order {self.order}) was fitted on {span} and is applied to {outside}, "
                f"{beyond.max():.1f} years {where}: labels and maps there rest on the "
                "extrapolated trend"
            )
        return tuple(said)


def even_years(time: npt.NDArray[Any], unit: Resolution) -> npt.NDArray[np.float64]:
    """Return times [sample] in years: the middle of the year or month where ``unit`` is that.

    So a month stands at the same place whether its mean is stamped with its first day, its middle
    or its last, and months are equally long. Times finer than ``unit`` keep their days.
    """
    # Part of a record looks coarser than the whole: only finer times are another kind of data.
    if unit == "year" and resolution(time) == "year":
        return years(time).astype(np.float64) + 0.5
    if unit == "month" and resolution(time) != "day":
        return years(time).astype(np.float64) + (months(time) - 0.5) / 12
    return decimal_years(time)


def short_span_in(time: npt.NDArray[Any], unit: Resolution) -> str:
    """Return the earliest and latest time, written as fine as ``unit``."""
    first, last = short_date(time.min(), unit), short_date(time.max(), unit)
    return first if first == last else f"{first} to {last}"


def solve_cells(
    target: npt.NDArray[np.float64],
    full: npt.NDArray[np.float64],
    moments: npt.NDArray[np.float64],
    rows: int,
) -> npt.NDArray[np.float64]:
    """Return least-squares coefficients per cell [term, channel, lat, lon].

    Parameters
    ----------
    target
        Sums of basis times values [term, channel, lat, lon].
    full
        Sums of products of the basis over all rows [pair], pairs (i, j >= i) in order.
    moments
        The same over the rows in which the cell is finite [pair, channel, lat, lon].
    rows
        How many rows were fitted. Cells with fewer finite ones than terms become NaN.
    """
    terms = len(target)
    upper = np.triu_indices(terms)
    gram = np.empty((terms, terms))
    gram[upper] = full
    gram.T[upper] = full
    inverse = np.linalg.inv(gram)
    # Written out instead of a matrix product: the same bits whatever cells stand beside.
    solved = np.stack([sum(inverse[i, j] * target[j] for j in range(terms)) for i in range(terms)])
    count = np.round(moments[0])
    solved[:, count < terms] = np.nan
    partly = (count >= terms) & (count < rows)
    if partly.any():
        grams = np.empty((int(partly.sum()), terms, terms))
        grams[:, upper[0], upper[1]] = moments[:, partly].T
        grams[:, upper[1], upper[0]] = moments[:, partly].T
        inverses = np.linalg.pinv(grams, rcond=1e-12, hermitian=True)
        solved[:, partly] = np.einsum("cij,jc->ic", inverses, target[:, partly])
    return solved


def subtract_trend(
    block: npt.NDArray[Any],
    basis: npt.NDArray[np.float64],
    coefficients: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Return a block less the trend of each row, computed in float64."""
    changed = np.empty(block.shape, np.float32)
    for row in range(len(block)):
        trend = coefficients[0].copy()
        for term in range(1, len(coefficients)):
            trend += basis[row, term, 0, 0] * coefficients[term]
        changed[row] = block[row] - trend
    return changed
