"""Classes by the mean of the field over a box, such as Niño3.4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from climxai.core.dims import CHANNEL, FIELD_DIMS, LAT, LON, SAMPLE, TIME
from climxai.core.errors import DataError, did_you_mean
from climxai.core.region import AnyRegion, Region
from climxai.data.labels.classes import Ranges, number_ranges
from climxai.data.labels.label import Label, Labelling
from climxai.data.resolution import resolution, short_date

if TYPE_CHECKING:
    import xarray as xr


class BoxIndex(Label):
    """Area-weighted mean of one channel over a box, cut into classes at thresholds.

    Cells count whose centres lie in the box, its edges included, weighted by the cosine of their
    latitude; gaps are left out. Rows in no class are dropped.
    """

    name: Literal["box_index"] = "box_index"
    region: AnyRegion
    """the box: a name such as nino34, or south, north, west and east in degrees"""
    classes: Ranges
    """class name -> {above, below} in the field's units; one with neither is everything else"""
    channel: str | None = None
    """channel to average; may be left out when there is only one"""

    def label(self, fields: xr.DataArray) -> Labelling:
        """Return the classes and the box mean; reads only the box.

        Raises
        ------
        DataError
            When the channel is unknown, or the box holds no cell with a value.
        """
        index = self.index(fields)
        said = self._coverage(fields)
        empty = ~np.isfinite(index.values)
        if empty.all():
            raise DataError(
                f"label box_index: no cell in {self.region.describe()} ever has a value of "
                f"{index.attrs['channel']}: is it all land there?"
            )
        if empty.any():
            time = fields[TIME].values
            first = short_date(time[empty][0], resolution(time))
            said += (
                f"label box_index: {int(empty.sum())} of {empty.size} rows have no value in the "
                f"box (first {first}) and are dropped",
            )
        numbers = number_ranges(index.values, self.classes)
        return Labelling(numbers, tuple(self.classes), index, said)

    def index(self, fields: xr.DataArray) -> xr.DataArray:
        """Return the box mean (sample,), float64, in the units of the channel."""
        import xarray as xr

        from climxai.data.grids.area import area_weights

        channel = self._channel(fields)
        lat = np.flatnonzero(self.region.contains_lat(fields[LAT].values))
        lon = np.flatnonzero(self.region.contains_lon(fields[LON].values))
        if not lat.size or not lon.size:
            south, north = fields[LAT].values[[0, -1]]
            west, east = fields[LON].values[[0, -1]]
            raise DataError(
                f"label box_index: the box {self.region.describe()} holds no cell of the grid, "
                f"whose centres are at latitudes {south:g} to {north:g} and longitudes {west:g} to "
                f"{east:g}: widen the box, or `data.region`"
            )
        box = fields.transpose(*FIELD_DIMS).isel({CHANNEL: channel, LAT: lat, LON: lon})
        values = box.astype("float64")
        weight = xr.DataArray(area_weights(fields[LAT].values[lat]), dims=LAT)
        there = abs(values) < np.inf
        total = (values.where(there, 0.0) * weight).sum([LAT, LON])
        area = (there * weight).sum([LAT, LON])
        index: xr.DataArray = (total / area.where(area > 0)).compute()
        index = index.drop_vars([CHANNEL, "units", "long_name"], errors="ignore")
        name = str(fields[CHANNEL].values[channel])
        index.attrs = {
            "long_name": f"area-weighted mean of {_text(fields, 'long_name', channel, name)} over "
            f"{self.region.describe()}",
            "units": _text(fields, "units", channel, "1"),
            "channel": name,
        }
        return index.rename("index").transpose(SAMPLE)

    def _channel(self, fields: xr.DataArray) -> int:
        known = tuple(str(name) for name in fields[CHANNEL].values)
        if self.channel is None:
            if len(known) == 1:
                return 0
            raise DataError(
                f"label box_index: the data have several channels ({', '.join(known)}): say which "
                "one with `label.channel`"
            )
        if self.channel not in known:
            raise DataError(
                f"label box_index: there is no channel {self.channel!r}."
                + did_you_mean(self.channel, known)
            )
        return known.index(self.channel)

    def _coverage(self, fields: xr.DataArray) -> tuple[str, ...]:
        """Return a warning when the grid ends inside the box."""
        lat, lon = fields[LAT].values.astype(float), fields[LON].values.astype(float)
        cut = _cut_lat(self.region, lat) + _cut_lon(self.region, lon)
        if not cut:
            return ()
        return (
            f"label box_index: the grid ends inside the box {self.region.describe()} in the "
            f"{' and '.join(cut)}: the index is the mean of the part that is there",
        )


def _cut_lat(region: Region, lat: np.ndarray) -> list[str]:
    step = float(np.diff(lat).max()) if lat.size > 1 else 180.0
    cut = []
    if region.south < lat[0] - step and lat[0] - step > -90:
        cut.append("south")
    if region.north > lat[-1] + step and lat[-1] + step < 90:
        cut.append("north")
    return cut


def _cut_lon(region: Region, lon: np.ndarray) -> list[str]:
    if lon.size < 2:
        return []
    step = float(np.diff(lon).max())
    if 360 - (lon[-1] - lon[0]) <= 1.5 * step:
        return []
    west, east = lon[0] - step, lon[-1] + step
    cut = []
    if region.whole_circle or 0 < (west - region.west) % 360 < 180:
        # The box begins west of the grid, unless it begins inside it, further round.
        inside = not region.whole_circle and (region.west - west) % 360 < east - west
        if not inside:
            cut.append("west")
    if region.whole_circle or 0 < (region.east - east) % 360 < 180:
        inside = not region.whole_circle and (region.east - west) % 360 < east - west
        if not inside:
            cut.append("east")
    return cut


def _text(fields: xr.DataArray, coordinate: str, channel: int, otherwise: str) -> str:
    if coordinate not in fields.coords:
        return otherwise
    return str(fields[coordinate].values[channel]) or otherwise
