"""Groups: which cells are changed together when a method asks what they matter."""

from __future__ import annotations

from typing import Annotated

from climxai.attribution.groups.cover import Cover
from climxai.attribution.groups.grouping import Boxes, Cells, Channels, Grouping, Regions
from climxai.core.record import OneOf

GROUPS: dict[str, type[Grouping]] = {
    "cells": Cells,
    "channels": Channels,
    "boxes": Boxes,
    "regions": Regions,
}

__all__ = ["GROUPS", "AnyGrouping", "Cover", "Grouping"]

AnyGrouping = Annotated[Grouping, OneOf(GROUPS, "grouping")]
"""Any entry of the table, or its bare name."""
