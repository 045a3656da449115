"""Preprocessing: an ordered list of steps, fitted on training rows, saved and applied again."""

from __future__ import annotations

from climxai.data.preprocess.anomaly import Anomaly
from climxai.data.preprocess.detrend import Detrend
from climxai.data.preprocess.latitude_weight import LatitudeWeight
from climxai.data.preprocess.standardise import Standardise
from climxai.data.preprocess.step import Step

STEPS: dict[str, type[Step]] = {
    "anomaly": Anomaly,
    "detrend": Detrend,
    "standardise": Standardise,
    "latitude_weight": LatitudeWeight,
}

__all__ = ["STEPS", "Anomaly", "Detrend", "LatitudeWeight", "Standardise", "Step"]
