"""Gradient SHAP: integrated gradients estimated from random points and random baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, NonNegativeFloat, PositiveInt

from climxai.attribution.baselines import AnyBaseline
from climxai.attribution.baselines.maps import TrainingSample
from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class GradientShap(Method):
    """Shows what made the output differ from what it is for other samples, roughly and quickly.

    The mean, over draws, of the difference from a random baseline times the gradient at a random
    point between it and the input. Estimates expected gradients (``integrated_gradients`` with
    baseline ``sample``) and Shapley values; sums to the explained scalar minus its mean over the
    drawn baselines (completeness) only for many draws.

    Source: Lundberg and Lee (2017), NeurIPS, arXiv 1705.07874; Erion et al. (2021), Nature Machine
    Intelligence 3, arXiv 1906.10670.
    """

    name: Literal["gradient_shap"] = "gradient_shap"
    draws: PositiveInt = 50
    """Random points per sample."""
    baseline: AnyBaseline = TrainingSample()
    """The maps of which every draw takes one."""
    noise: NonNegativeFloat = 0.0
    """Standard deviation of Gaussian noise on the input's valid cells, as a share of the sample's
    range as for SmoothGrad; 0 adds none."""
    seed: int = Field(0, ge=0)
    """What is drawn; samples have their own draws, whatever batch they come in."""

    def check(self, network: Network, context: Context) -> None:
        """Raise where the baseline cannot be had."""
        del network
        self.baseline.check(context)

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the mean of difference times gradient [sample, channel, lat, lon]."""
        from climxai.attribution.paths import at_random_points

        maps = self.baseline.maps(x, context)
        return at_random_points(network, x, maps, start, self.draws, self.noise, self.seed, context)
