"""What every split is: a rule that deals the rows out to training, validation and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from climxai.core.dims import TIME
from climxai.core.errors import ConfigError, DataError
from climxai.core.record import Record
from climxai.data.resolution import resolution, short_date, short_span

if TYPE_CHECKING:
    import xarray as xr

Rows = npt.NDArray[np.int64]
"""Positions along `sample`, ascending."""

PARTS: Final = ("train", "validation", "test")

TOUCHING: Final = 0.25
"""Share of test rows with a training row next to them in time above which a split is warned of."""


@dataclass(frozen=True)
class Split:
    """Which rows train, which watch the training, and which test.

    Parameters
    ----------
    train, validation, test
        Positions along `sample`, ascending; no row is in two parts; rows in a gap are in none.
    rule
        What was done, in words.
    warnings
        What is doubtful, in plain words.
    """

    train: Rows
    validation: Rows
    test: Rows
    rule: str
    warnings: tuple[str, ...] = ()


class SplitRule(Record):
    """How rows are dealt out to training, validation and test."""

    name: str

    def split(self, fields: xr.DataArray) -> Split:
        """Return the parts; only the coordinates of `sample` are looked at.

        Parameters
        ----------
        fields
            The record (sample, channel, lat, lon), all rows.

        Raises
        ------
        ConfigError
            When a row would be in two parts.
        DataError
            When a part that is asked for has no row.
        """
        raise NotImplementedError


def row_times(fields: xr.DataArray) -> npt.NDArray[Any]:
    """Return the time of each row [sample]."""
    return np.asarray(fields[TIME].values)


def ranks(time: npt.NDArray[Any]) -> Rows:
    """Return for each row [sample] the position of its time among the distinct times.

    Rows of several members at the same time share a rank, and so always a part.
    """
    inverse: Rows = np.unique(time, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return inverse


def keep_apart(
    time: npt.NDArray[Any],
    wanted: dict[str, Rows],
    gap: int,
    rule: str,
    extra: tuple[str, ...] = (),
) -> Split:
    """Return a split whose parts stand at least ``gap`` samples apart in time.

    The test part keeps its rows; validation rows too close to it go, then training rows too close
    to either. Samples between two parts that no part asks for count towards the gap.

    Parameters
    ----------
    time
        Time of each row [sample].
    wanted
        Rows per part; a part that is not asked for is absent, or has no row.
    gap
        Distinct times to leave unused between any two parts.
    rule, extra
        Words, and warnings, for the split.

    Raises
    ------
    ConfigError
        When parts overlap.
    DataError
        When the gap leaves no training row.
    """
    rank = ranks(time)
    part: npt.NDArray[np.int64] = np.full(time.size, -1, np.int64)
    for number, name in enumerate(PARTS):
        rows = wanted.get(name, np.empty(0, np.int64))
        twice = rows[part[rows] >= 0]
        if twice.size:
            raise ConfigError(
                f"split: {short_date(time[twice[0]], resolution(time))} is in both "
                f"{PARTS[part[twice[0]]]} and {name} ({twice.size} rows): parts must not overlap"
            )
        part[rows] = number
    said = list(extra)
    if gap:
        _leave_gap(part, rank, gap)
        for number, name in enumerate(PARTS):
            if wanted.get(name, np.empty(0)).size and not (part == number).any():
                text = f"split: a gap of {gap} samples leaves no {name} row"
                if name == "train":
                    raise DataError(f"{text} of {wanted[name].size}: shorten the gap")
                said.append(f"{text} of {wanted[name].size}")
    train, validation, test = (np.flatnonzero(part == number) for number in range(len(PARTS)))
    said += _touching(time, rank, train, test)
    if not test.size and not wanted.get("test", np.empty(0)).size:
        said.append("split: there is no test part: no score will be of unseen data")
    told = f"{rule}, gap {gap}" if gap else rule
    return Split(train, validation, test, told, tuple(said))


def _leave_gap(part: npt.NDArray[np.int64], rank: Rows, gap: int) -> None:
    """Take rows out of validation, then out of training, until ``gap`` ranks lie between."""
    test, validation, train = 2, 1, 0
    for loser, keepers in ((validation, (test,)), (train, (validation, test))):
        kept = np.unique(rank[np.isin(part, keepers)])
        if kept.size:
            part[(part == loser) & (distance(rank, kept) <= gap)] = -1


def distance(rank: Rows, others: Rows) -> Rows:
    """Return how far each rank [sample] is from the nearest of ``others`` (ascending, distinct)."""
    after = np.searchsorted(others, rank).clip(max=others.size - 1)
    before = (after - 1).clip(min=0)
    nearest: Rows = np.minimum(abs(others[after] - rank), abs(others[before] - rank))
    return nearest


def _touching(time: npt.NDArray[Any], rank: Rows, train: Rows, test: Rows) -> list[str]:
    """Return a warning when many test rows have a training row next to them in time."""
    if not train.size or not test.size:
        return []
    near = distance(rank[test], np.unique(rank[train])) <= 1
    if near.mean() <= TOUCHING:
        return []
    first = short_date(time[test][near][0], resolution(time))
    return [
        f"split: {int(near.sum())} of {test.size} test rows have a training row next to them in "
        f"time (first {first}): where the series is autocorrelated the network has all but seen "
        "them, and scores are too good; use longer blocks or a `gap`"
    ]


def describe_parts(time: npt.NDArray[Any], wanted: dict[str, Rows]) -> str:
    """Return the parts in words: ``train 2010-01 to 2016-12, test 2017-01 to 2020-08``."""
    return ", ".join(
        f"{name} {short_span(time[rows])}" for name, rows in wanted.items() if rows.size
    )
