"""CF attributes shared by everything the tool writes.

Source: CF Conventions 1.11, appendix A. Relevance has no standard name: a long name and units "1".
"""

from __future__ import annotations

from typing import Final

CONVENTIONS: Final = "CF-1.11"

LATITUDE: Final = {
    "standard_name": "latitude",
    "long_name": "latitude",
    "units": "degrees_north",
    "axis": "Y",
}
LONGITUDE: Final = {
    "standard_name": "longitude",
    "long_name": "longitude",
    "units": "degrees_east",
    "axis": "X",
}
TIME: Final = {"standard_name": "time", "long_name": "time", "axis": "T"}
