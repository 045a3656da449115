"""Objectives: the scalar that is explained."""

from __future__ import annotations

from typing import Annotated

from climxai.attribution.objectives.classes import (
    GivenClass,
    LogitDifference,
    LogOdds,
    PredictedClass,
    TrueClass,
)
from climxai.attribution.objectives.objective import Grid, Objective
from climxai.attribution.objectives.outputs import OutputCell, OutputRegion, Regression
from climxai.core.record import OneOf

__all__ = ["OBJECTIVES", "AnyObjective", "Grid", "Objective"]

OBJECTIVES: dict[str, type[Objective]] = {
    "predicted_class": PredictedClass,
    "true_class": TrueClass,
    "class": GivenClass,
    "logit_difference": LogitDifference,
    "log_odds": LogOdds,
    "regression": Regression,
    "output_cell": OutputCell,
    "output_region": OutputRegion,
}

AnyObjective = Annotated[Objective, OneOf(OBJECTIVES, "objective")]
"""Any entry of the table, or its bare name."""
