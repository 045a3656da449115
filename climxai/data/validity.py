"""Which cells hold data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from climxai.core.dims import CHANNEL, MAP_DIMS, SAMPLE, TIME
from climxai.core.errors import DataError
from climxai.data.time import iso

if TYPE_CHECKING:
    import xarray as xr


def valid_cells(fields: xr.DataArray, rule: Literal["always", "ever"] = "always") -> xr.DataArray:
    """Return which cells are valid, as booleans (channel, lat, lon).

    Every block of the fields is read once and reduced as it comes.

    Parameters
    ----------
    fields
        Fields (sample, channel, lat, lon), NaN where missing.
    rule
        ``always``: a number in every sample; ``ever``: in at least one.

    Raises
    ------
    DataError
        When a channel has no valid cell, saying which samples are to blame.
    """
    import dask.array as da
    import xarray as xr

    fields = fields.transpose(SAMPLE, *MAP_DIMS)
    if fields.sizes[SAMPLE] == 0:
        raise DataError(f"{_where(fields)}there is no sample to find valid cells in")
    # Fields already in memory are one block.
    finite = da.isfinite(fields.chunk().data)
    reduced = finite.all(axis=0) if rule == "always" else finite.any(axis=0)
    valid = xr.DataArray(
        np.asarray(reduced.compute()),
        dims=MAP_DIMS,
        coords={
            name: coordinate
            for name, coordinate in fields.coords.items()
            if SAMPLE not in coordinate.dims
        },
        name="valid",
        attrs={"long_name": f"cell holds data in {'every' if rule == 'always' else 'any'} sample"},
    )
    for number, channel in enumerate(fields[CHANNEL].values):
        if not valid[number].any():
            raise DataError(_nothing_valid(fields.isel({CHANNEL: number}), str(channel)))
    return valid


def _nothing_valid(field: xr.DataArray, channel: str) -> str:
    """Say why no cell of ``field`` (sample, lat, lon) is valid; reads it a second time."""
    where, count = _where(field), field.sizes[SAMPLE]
    present = field.count(MAP_DIMS[1:]).values
    if not present.any():
        return f"{where}{channel!r} holds nothing but missing values in all {count} samples"
    empty = np.flatnonzero(present == 0)
    message = f"{where}no cell of {channel!r} is valid in every one of its {count} samples"
    if empty.size:
        first = (
            f", the first at {iso(field[TIME].values[empty[0]])}" if TIME in field.coords else ""
        )
        message += f": {empty.size} of them hold no data at all{first}"
    return f"{message}; choose another `data.period` or set `data.invalid: ever`"


def _where(fields: xr.DataArray) -> str:
    source = fields.attrs.get("source")
    return f"{source}: " if source else ""
