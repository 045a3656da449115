"""Methods: how relevance is given to input cells."""

from __future__ import annotations

from typing import Annotated

from climxai.attribution.methods.gradients import InputTimesGradient, Saliency
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.methods.method import Method
from climxai.attribution.methods.rectified import Deconvolution, GuidedBackprop
from climxai.core.record import OneOf

METHODS: dict[str, type[Method]] = {
    "lrp": LayerwiseRelevance,
    "saliency": Saliency,
    "input_x_gradient": InputTimesGradient,
    "deconvolution": Deconvolution,
    "guided_backprop": GuidedBackprop,
}

__all__ = ["METHODS", "AnyMethod", "Method"]

AnyMethod = Annotated[Method, OneOf(METHODS, "method")]
"""Any entry of the table, or its bare name."""
