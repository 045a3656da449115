"""The methods that stand by themselves: not made of other methods."""

from __future__ import annotations

from climxai.attribution.methods.gradients import InputTimesGradient, Saliency
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.methods.method import Method
from climxai.attribution.methods.rectified import Deconvolution, GuidedBackprop

SINGLE: dict[str, type[Method]] = {
    "lrp": LayerwiseRelevance,
    "saliency": Saliency,
    "input_x_gradient": InputTimesGradient,
    "deconvolution": Deconvolution,
    "guided_backprop": GuidedBackprop,
}
"""Name -> record."""
