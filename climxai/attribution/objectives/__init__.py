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
from climxai.attribution.objectives.objective import Objective
from climxai.core.record import OneOf

OBJECTIVES: dict[str, type[Objective]] = {
    "predicted_class": PredictedClass,
    "true_class": TrueClass,
    "class": GivenClass,
    "logit_difference": LogitDifference,
    "log_odds": LogOdds,
}

AnyObjective = Annotated[Objective, OneOf(OBJECTIVES, "objective")]
"""Any entry of the table, or its bare name."""
