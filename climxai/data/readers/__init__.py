"""Readers: records that open files as lazy fields (sample, channel, lat, lon)."""

from climxai.data.readers.netcdf import NetcdfReader, Reader

READERS: dict[str, type[Reader]] = {"netcdf": NetcdfReader}
"""Readers by name."""

__all__ = ["READERS", "NetcdfReader", "Reader"]
