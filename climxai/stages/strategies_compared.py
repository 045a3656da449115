"""What clusters are compared with: dates of the record, and clusters of other runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from climxai.core.errors import OutputError
from climxai.stages.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

    from climxai.composites.clusters.stability import Variant

Numbers = npt.NDArray[np.int64]


def dates_of(fields: xr.DataArray, rows: Numbers) -> tuple[Any, list[str], npt.NDArray[np.float64]]:
    """Return times, dates as fine as the record, and decimal years of rows [sample]."""
    from climxai.data.resolution import resolution, short_date
    from climxai.data.time import decimal_years, iso

    place = {int(row): at for at, row in enumerate(fields["row"].values.tolist())}
    time = fields["time"].values
    chosen = time[[place[int(row)] for row in rows]]
    unit = resolution(time)
    return chosen, [short_date(iso(value), unit) for value in chosen], decimal_years(chosen)


def other_runs(
    others: tuple[Path, ...], name: str, rows: Numbers, labels: Numbers
) -> Iterator[Variant]:
    """Yield the agreement with the clusters of the same name in other output directories.

    Raises
    ------
    OutputError
        When a directory holds none.
    """
    from climxai.composites.clusters.stability import other_run

    mine = dict(zip(rows.tolist(), labels.tolist(), strict=True))
    for other in others:
        yield other_run(str(other), mine, read_clusters(Layout(other).clusters(name)))


def read_clusters(path: Path) -> dict[int, int]:
    """Return row -> cluster of a file of clusters.

    Raises
    ------
    OutputError
        When it is missing or is no such file.
    """
    import netCDF4

    if not path.exists():
        raise OutputError(
            f"{path} does not exist: run `climxai strategies` with the configuration of that run"
        )
    try:
        with netCDF4.Dataset(path) as file:
            rows = np.asarray(file.variables["row"][:]).tolist()
            return dict(zip(rows, np.asarray(file.variables["cluster"][:]).tolist(), strict=True))
    except (OSError, RuntimeError, KeyError) as error:
        raise OutputError(
            f"{path} is not a whole file of clusters ({error}): delete it and run "
            "`climxai strategies` of that run again"
        ) from error
