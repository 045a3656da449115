"""What a network expects of its input: channels, units, grid and valid cells."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from climxai.core.errors import DataError
from climxai.core.record import Record

if TYPE_CHECKING:
    import xarray as xr


class Signature(Record):
    """Channels, units, grid and valid cells of the maps a network was trained on."""

    channels: tuple[str, ...]
    """names of the channels, in order"""
    units: tuple[str, ...]
    """units of each channel before standardising"""
    lat: tuple[float, ...]
    """latitudes, degrees north, ascending"""
    lon: tuple[float, ...]
    """longitudes, degrees east"""
    mask: str = Field(repr=False)
    """valid cells [channel, lat, lon] as base64 of zlib of packed bits"""

    @classmethod
    def of(cls, fields: xr.DataArray, valid: xr.DataArray) -> Signature:
        """Describe ``fields`` (sample, channel, lat, lon) and ``valid`` (channel, lat, lon)."""
        bits = np.packbits(valid.values.astype(bool))
        return cls(
            channels=tuple(str(name) for name in fields["channel"].values),
            units=tuple(str(units) for units in fields["units"].values),
            lat=tuple(float(value) for value in fields["lat"].values),
            lon=tuple(float(value) for value in fields["lon"].values),
            mask=base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode(),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channel, lat, lon)."""
        return len(self.channels), len(self.lat), len(self.lon)

    def valid(self) -> npt.NDArray[np.bool_]:
        """Return the valid cells, bool [channel, lat, lon]."""
        bits = np.frombuffer(zlib.decompress(base64.b64decode(self.mask)), dtype=np.uint8)
        size = int(np.prod(self.shape))
        return np.unpackbits(bits, count=size).astype(bool).reshape(self.shape)

    def mask_digest(self) -> str:
        """Return the SHA-256 of the valid cells."""
        return hashlib.sha256(np.packbits(self.valid()).tobytes()).hexdigest()

    def check_grid(self, fields: xr.DataArray, bundle: str) -> None:
        """Refuse ``fields`` that a network with this signature cannot read.

        Raises
        ------
        DataError
            When channels, units, latitudes or longitudes differ; the message says how.
        """
        found_channels = tuple(str(name) for name in fields["channel"].values)
        self._compare("channels", found_channels, self.channels, bundle)
        found_units = tuple(str(units) for units in fields["units"].values)
        self._compare("units", found_units, self.units, bundle)
        for name, expected in (("lat", self.lat), ("lon", self.lon)):
            found = np.asarray(fields[name].values, dtype=float)
            if found.shape != (len(expected),) or not np.allclose(found, expected, atol=1e-4):
                raise DataError(
                    f"the grid of the data does not match the network in {bundle}: "
                    f"{name} is {_span(found)}, expected {_span(np.asarray(expected))}; put the "
                    "data on the network's grid, or train a network on this grid"
                )

    def _compare(self, what: str, found: Any, expected: Any, bundle: str) -> None:
        if found != expected:
            raise DataError(
                f"the {what} of the data do not match the network in {bundle}: found "
                f"{', '.join(found)}, expected {', '.join(expected)}; set `data.variables` (or the "
                "files) to what the network was trained on"
            )

    def check_mask(self, valid: xr.DataArray, bundle: str) -> None:
        """Refuse data whose valid cells differ from those the network was trained on.

        Raises
        ------
        DataError
            With the number of cells that differ either way.
        """
        expected, found = self.valid(), valid.values.astype(bool)
        missing = int((expected & ~found).sum())
        extra = int((found & ~expected).sum())
        if missing or extra:
            raise DataError(
                f"the valid cells of the data do not match the network in {bundle}: {missing} "
                f"cells the network reads are missing here and {extra} cells it has never seen are "
                f"valid here, of {int(expected.sum())} valid cells; use data with the same mask, "
                "or train a network on this mask"
            )


def _span(values: npt.NDArray[np.float64]) -> str:
    if values.ndim != 1 or values.size == 0:
        return f"an array of shape {values.shape}"
    return f"{values.size} values from {values[0]:g} to {values[-1]:g}"
