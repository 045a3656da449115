"""Names of dimensions and coordinates, and the order in which dimensions stand."""

from __future__ import annotations

from typing import Final

SAMPLE: Final = "sample"
CHANNEL: Final = "channel"
LAG: Final = "lag"
LAT: Final = "lat"
LON: Final = "lon"
MEMBER: Final = "member"
MODEL: Final = "model"
TIME: Final = "time"
SEED: Final = "seed"
CLASS: Final = "class"
CLUSTER: Final = "cluster"
METHOD: Final = "method"

ROW: Final = "row"
"""Coordinate on `sample`: the position of a sample in the opened record, before any is dropped."""

FIELD_DIMS: Final = (SAMPLE, CHANNEL, LAT, LON)
MAP_DIMS: Final = (CHANNEL, LAT, LON)
