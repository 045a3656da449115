"""Novelty: which samples are unlike a baseline, by what its leading patterns leave of them."""

from __future__ import annotations

from climxai.data.novelty.baselines import Baseline, ClassRows, NoClass, PeriodRows, TrainingPart

BASELINES: dict[str, type[Baseline]] = {
    "training": TrainingPart,
    "class": ClassRows,
    "no_class": NoClass,
    "period": PeriodRows,
}

__all__ = ["BASELINES", "Baseline"]
