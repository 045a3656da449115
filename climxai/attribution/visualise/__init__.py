"""Feature visualisation: the input a network would answer most clearly to, found by optimising it.

Tables of what may be aimed at, where the input starts, and what keeps it simple.
"""

from __future__ import annotations

from climxai.attribution.visualise.regularisers import (
    LeastSquares,
    Regulariser,
    Smoothness,
    TotalVariation,
)
from climxai.attribution.visualise.starts import Climatology, Noise, Sample, Start, Zero
from climxai.attribution.visualise.targets import ClassTarget, Regression, Target, Unit

TARGETS: dict[str, type[Target]] = {
    "class": ClassTarget,
    "unit": Unit,
    "regression": Regression,
}

STARTS: dict[str, type[Start]] = {
    "zero": Zero,
    "climatology": Climatology,
    "sample": Sample,
    "noise": Noise,
}

REGULARISERS: dict[str, type[Regulariser]] = {
    "l2": LeastSquares,
    "total_variation": TotalVariation,
    "smoothness": Smoothness,
}

__all__ = ["REGULARISERS", "STARTS", "TARGETS", "Regulariser", "Start", "Target"]
