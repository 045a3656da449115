"""Integrated gradients, with expected gradients as one of its baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from climxai.attribution.baselines import AnyBaseline
from climxai.attribution.baselines.maps import Zero
from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance


class IntegratedGradients(Method):
    """Shows what made the output differ from the output at a baseline.

    The difference from the baseline times the gradient averaged along the straight line between
    them. Sums to the explained scalar minus the scalar at the baseline (completeness), up to the
    error of the steps; does not depend on how the same function is written as a network.
    With several baselines (``sample``: expected gradients) the mean over them.

    Source: Sundararajan et al. (2017), ICML, arXiv 1703.01365; expected gradients: Erion et al.
    (2021), Nature Machine Intelligence 3, arXiv 1906.10670.
    """

    name: Literal["integrated_gradients"] = "integrated_gradients"
    steps: int = Field(50, ge=2)
    """Points of the line at which the gradient is taken."""
    rule: Literal["trapezoid", "gauss_legendre"] = "trapezoid"
    """How the integral is approximated: evenly spaced points, both ends included, or the points and
    weights of Gauss and Legendre, which need fewer for smooth networks."""
    baseline: AnyBaseline = Zero()
    """Where the line starts."""

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
        """Return the difference times the mean gradient [sample, channel, lat, lon]."""
        from climxai.attribution.paths import along_line

        maps = self.baseline.maps(x, context)
        return along_line(network, x, maps, start, self.steps, self.rule, context)
