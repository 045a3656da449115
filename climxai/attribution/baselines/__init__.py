"""Baselines: the maps an explanation starts from, the absence it compares with."""

from __future__ import annotations

from typing import Annotated

from climxai.attribution.baselines.baseline import Baseline
from climxai.attribution.baselines.maps import (
    ClassMean,
    Climatology,
    MapFile,
    PeriodMean,
    TrainingSample,
    Zero,
)
from climxai.core.record import OneOf

BASELINES: dict[str, type[Baseline]] = {
    "zero": Zero,
    "climatology": Climatology,
    "class_mean": ClassMean,
    "period_mean": PeriodMean,
    "file": MapFile,
    "sample": TrainingSample,
}

__all__ = ["BASELINES", "AnyBaseline", "Baseline"]

AnyBaseline = Annotated[Baseline, OneOf(BASELINES, "baseline")]
"""Any entry of the table, or its bare name."""
