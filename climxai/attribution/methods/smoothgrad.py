"""SmoothGrad, and its square and variance forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from pydantic_core import PydanticCustomError

from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class SmoothGrad(Method):
    """Shows where a small change would change the explained scalar, for maps like this one.

    The gradient averaged over copies of the input with Gaussian noise on every valid cell. Says
    nothing about what the cell contributed: it does not sum to the scalar (no completeness).

    Source: Smilkov et al. (2017), arXiv 1706.03825; the square and variance forms: Hooker et al.
    (2019), NeurIPS, arXiv 1806.10758, and Adebayo et al. (2018), arXiv 1810.03307.
    """

    name: Literal["smoothgrad"] = "smoothgrad"
    draws: PositiveInt = 50
    """Noisy copies per sample."""
    noise: PositiveFloat = 0.15
    """Standard deviation of the noise as a share of the sample's range, its largest minus its
    smallest value on valid cells, channel by channel; 0.1 to 0.2 are usual."""
    form: Literal["mean", "absolute", "square", "variance"] = "mean"
    """The mean gradient, its absolute value, the mean of the squared gradient, or its variance."""
    seed: int = Field(0, ge=0)
    """Which noise is drawn; samples have their own, whatever batch they come in."""

    @model_validator(mode="after")
    def _several(self) -> SmoothGrad:
        if self.form == "variance" and self.draws < 2:
            raise PydanticCustomError(
                "smoothgrad", "the variance of a single draw is always 0: set draws to 2 or more"
            )
        return self

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: a sensitivity does not."""
        return False

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return self.form == "mean"

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the smoothed gradient [sample, channel, lat, lon] of the explained scalar."""
        from climxai.attribution.noise import smoothed

        return smoothed(network, x, start, self.draws, self.noise, self.form, self.seed, context)
