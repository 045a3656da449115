"""Labels: what the network learns to tell apart."""

from __future__ import annotations

from climxai.data.labels.box_index import BoxIndex
from climxai.data.labels.calendar import CalendarLabel
from climxai.data.labels.label import DROPPED, Label, Labelling
from climxai.data.labels.series import TimeSeries

LABELS: dict[str, type[Label]] = {
    "box_index": BoxIndex,
    "series": TimeSeries,
    "calendar": CalendarLabel,
}

__all__ = ["DROPPED", "LABELS", "BoxIndex", "CalendarLabel", "Label", "Labelling", "TimeSeries"]
