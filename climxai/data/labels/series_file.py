"""Reading one time series from a netCDF file or a table of text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from climxai.core.errors import DataError, did_you_mean
from climxai.core.period import date_parts
from climxai.data.resolution import Resolution, short_date

_NETCDF = (".nc", ".nc4", ".cdf", ".netcdf", ".h5")
_TIME_NAMES = ("time", "date", "Time", "Date", "TIME", "DATE")
_PARTS = ("year", "month", "day")


@dataclass(frozen=True)
class Series:
    """One value per time.

    Parameters
    ----------
    dates
        Year, month and day of each value [time, 3]; no calendar is assumed.
    values
        Numbers or texts [time], None where empty.
    coarsest
        What the dates name: the day, only the month, or only the year.
    name, long_name, units
        What the values are.
    """

    dates: npt.NDArray[np.int64]
    values: npt.NDArray[np.object_]
    coarsest: Resolution
    name: str
    long_name: str
    units: str

    @property
    def numeric(self) -> bool:
        """Whether every value is a number."""
        return all(value is None or not isinstance(value, str) for value in self.values)

    def date(self, position: int, unit: Resolution) -> str:
        """Return the date of a value as text, as fine as ``unit``."""
        year, month, day = self.dates[position]
        return short_date(f"{year:04d}-{month:02d}-{day:02d}", unit)

    def span(self) -> str:
        """Return the first and last date as text."""
        order = np.lexsort(self.dates.T[::-1])
        first, last = (self.date(int(order[end]), self.coarsest) for end in (0, -1))
        return f"{first} to {last}"


def read_series(path: str, variable: str | None, time: str | None, separator: str) -> Series:
    """Read a series; ``variable`` and ``time`` may be None when the file leaves no choice.

    Raises
    ------
    DataError
        When the file is missing or damaged, or does not say which variable or dates are meant.
    """
    if not Path(path).is_file():
        raise DataError(f"label series: {path} does not exist: check `label.file`")
    if path.lower().endswith(_NETCDF):
        return _read_netcdf(path, variable, time)
    return _read_table(path, variable, time, separator)


def _read_netcdf(path: str, variable: str | None, time: str | None) -> Series:
    # Times as cftime objects: any calendar, any year.
    coder = xr.coders.CFDatetimeCoder(use_cftime=True)
    try:
        with xr.open_dataset(path, engine="netcdf4", decode_times=coder) as opened:
            dataset = opened.load()
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"label series: {path} cannot be read as netCDF: {error}") from error
    dates = [str(n) for n, v in dataset.variables.items() if v.ndim == 1 and _is_dates(v.values)]
    time = _choose(path, "time", time, dates)
    along = dataset[time].dims[0]
    suited = [str(n) for n, v in dataset.data_vars.items() if v.dims == (along,) and n != time]
    single = [
        str(n)
        for n, v in dataset.data_vars.items()
        if along in v.dims and v.size == dataset.sizes[along] and n != time
    ]
    chosen = _choose(path, "variable", variable, suited or single)
    found = dataset[chosen].squeeze(drop=True)
    stamps = dataset[time].values
    return Series(
        dates=np.array([[getattr(s, part) for part in _PARTS] for s in stamps], np.int64),
        values=_plain(found.values),
        coarsest="day",
        name=chosen,
        long_name=str(found.attrs.get("long_name", chosen)),
        units=str(found.attrs.get("units", "1")),
    )


def _is_dates(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind == "O" and values.size > 0 and hasattr(values[0], "calendar")


def _read_table(path: str, variable: str | None, time: str | None, separator: str) -> Series:
    pattern = r"\s+" if separator == " " else separator
    try:
        table = pd.read_csv(
            path, sep=pattern, comment="#", skipinitialspace=True, engine="python", dtype=str
        )
    except (OSError, ValueError) as error:
        raise DataError(
            f"label series: {path} cannot be read as a table with the separator {separator!r}: "
            f"{error}"
        ) from error
    table.columns = table.columns.astype(str).str.strip()
    columns = [str(column) for column in table.columns]
    if table.empty:
        raise DataError(f"label series: {path} holds no line of values")
    lower = {column.lower(): column for column in columns}
    known = next((name for name in _TIME_NAMES if name in columns), None)
    if time is None and known is None and "year" in lower:
        used = [lower[part] for part in _PARTS if part in lower]
        texts = table[used[0]].str.strip()
        for column in used[1:]:
            texts = texts + "-" + table[column].str.strip()
    else:
        chosen_time = _choose(path, "time", time or known, columns)
        used, texts = [chosen_time], table[chosen_time]
    chosen = _choose(path, "variable", variable, [c for c in columns if c not in used])
    dates = [_date(path, line, str(text)) for line, text in enumerate(texts)]
    coarsest: Resolution = "day"
    if any(day is None for _, _, day in dates):
        coarsest = "year" if any(month is None for _, month, _ in dates) else "month"
    return Series(
        dates=np.array([[year, month or 1, day or 1] for year, month, day in dates], np.int64),
        values=_numbers_or_texts(table[chosen]),
        coarsest=coarsest,
        name=chosen,
        long_name=chosen,
        units="1",
    )


def _date(path: str, line: int, text: str) -> tuple[int, int | None, int | None]:
    # The clock, if there is one, does not matter: rows are matched by date.
    day = text.strip().replace("T", " ").split(" ")[0].removesuffix(".0")
    try:
        return date_parts(day)
    except ValueError as error:
        raise DataError(f"label series: {path}, value {line + 1}: {error}") from None


def _numbers_or_texts(column: pd.Series) -> npt.NDArray[np.object_]:
    numbers = pd.to_numeric(column, errors="coerce")
    if (numbers.isna() == column.isna()).all():
        return _plain(numbers.to_numpy(float))
    return _plain(column.str.strip().to_numpy(object))


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Return values as Python numbers or texts, None where there is none."""
    listed = values.tolist()
    plain = [None if value is None or value != value or value == "" else value for value in listed]
    return np.array([*plain, None], object)[:-1]


def _choose(path: str, what: str, wanted: str | None, known: list[str]) -> str:
    if wanted is not None:
        if wanted in known:
            return wanted
        raise DataError(
            f"label series: {path} has no {what} {wanted!r}.{did_you_mean(wanted, known)}"
        )
    if len(known) == 1:
        return known[0]
    found = ", ".join(known) or "none"
    raise DataError(
        f"label series: {path} does not say which {what} is meant (found: {found}): "
        f"name it with `label.{what}`"
    )
