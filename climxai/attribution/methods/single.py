"""The methods that stand by themselves: not made of other methods."""

from __future__ import annotations

from climxai.attribution.methods.ablation import Ablation
from climxai.attribution.methods.deeplift import DeepLift
from climxai.attribution.methods.grad_cam import GradCam, GradCamPlusPlus, GuidedGradCam
from climxai.attribution.methods.gradient_shap import GradientShap
from climxai.attribution.methods.gradients import InputTimesGradient, Saliency
from climxai.attribution.methods.integrated_gradients import IntegratedGradients
from climxai.attribution.methods.lrp import LayerwiseRelevance
from climxai.attribution.methods.method import Method
from climxai.attribution.methods.occlusion import Occlusion
from climxai.attribution.methods.patterns import PatternAttribution, PatternNet
from climxai.attribution.methods.permutation import PermutationImportance
from climxai.attribution.methods.rectified import Deconvolution, GuidedBackprop
from climxai.attribution.methods.shapley import Shapley
from climxai.attribution.methods.smoothgrad import SmoothGrad

SINGLE: dict[str, type[Method]] = {
    "lrp": LayerwiseRelevance,
    "saliency": Saliency,
    "input_x_gradient": InputTimesGradient,
    "integrated_gradients": IntegratedGradients,
    "smoothgrad": SmoothGrad,
    "gradient_shap": GradientShap,
    "deconvolution": Deconvolution,
    "guided_backprop": GuidedBackprop,
    "deeplift": DeepLift,
    "grad_cam": GradCam,
    "grad_cam_plus_plus": GradCamPlusPlus,
    "guided_grad_cam": GuidedGradCam,
    "pattern_net": PatternNet,
    "pattern_attribution": PatternAttribution,
    "occlusion": Occlusion,
    "permutation_importance": PermutationImportance,
    "shapley": Shapley,
    "ablation": Ablation,
}
"""Name -> record."""
