"""What several checks of a configuration need: a finding, names of files, classes of a label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from climxai.data.labels import Label
from climxai.data.labels.calendar import MONTHS, CalendarLabel
from climxai.data.preprocess.groups import SEASONS

Finding = tuple[tuple[str | int, ...], str]
"""Keys of the setting meant, and what is wrong with it."""

LONGEST_NAME: Final = 80
SAFE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What may name files."""


def class_names(label: Label) -> tuple[str, ...] | None:
    """Return the classes a label makes, in order; None where only the data can tell."""
    classes = getattr(label, "classes", None)
    if isinstance(classes, Mapping):
        return tuple(classes)
    if isinstance(label, CalendarLabel):
        return tuple(MONTHS if label.per == "month" else SEASONS)
    return None
