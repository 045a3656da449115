"""Layer-wise relevance propagation as a method."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

from climxai.attribution.lrp.conventions import AnyConvention, Convention, Settled
from climxai.attribution.lrp.rulemap import AnyRuleChoice, rules_used
from climxai.attribution.lrp.rules import Alpha1Beta0, Rule
from climxai.attribution.methods.method import Method

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.lrp.audit import Audit
    from climxai.attribution.lrp.layer import Layer
    from climxai.attribution.lrp.steps import Plan
    from climxai.attribution.network import Network
    from climxai.attribution.objectives import Objective
    from climxai.attribution.relevance import Relevance


class LayerwiseRelevance(Method):
    """Shows how much each cell contributed to the score, traced layer by layer.

    Distributes the score backwards from layer to layer in proportion to what each neuron
    contributed, by a rule per layer. Conserves relevance except for what biases and stabilisers
    take.

    Source: Bach et al. (2015), PLoS ONE 10(7); Montavon et al. (2019), Springer LNCS 11700.
    """

    name: Literal["lrp"] = "lrp"
    rule: AnyRuleChoice = Alpha1Beta0()
    """A rule for every layer (`alpha1beta0`, `{name: epsilon, epsilon: 1e-6}`), a preset
    (`composite`), or a map of one's own (`name: map`)."""
    convention: AnyConvention = Convention()
    """What published maps differ by: climxai, innvestigate, zennit or captum, with overrides."""

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return any(rule.signed for rule in rules_used(self.rule))

    def check(self, network: Network, context: Context) -> None:
        """Raise `ModelError` when an operator of the network has no entry or a rule no use."""
        from climxai.attribution.lrp.explain import check_bounds

        check_bounds(network, self._plan(network), context)

    def check_objective(self, objective: Objective) -> None:
        """Raise `ModelError` when the convention's start does not suit an objective."""
        from climxai.attribution.lrp.explain import twice_against_the_rest
        from climxai.attribution.objectives.classes import LogitDifference, LogOdds

        if self._settled.start == "log_odds" and isinstance(objective, LogitDifference | LogOdds):
            raise twice_against_the_rest()

    def _bounds(self, context: Context) -> tuple[Tensor, Tensor] | None:
        """Return the training values' bounds where a rule of the first layer needs them."""
        from climxai.attribution.lrp.rules import ZBox

        needed = any(
            isinstance(rule, ZBox) and (rule.low is None or rule.high is None)
            for rule in rules_used(self.rule)
        )
        return context.training.bounds() if needed and context.training is not None else None

    def attribute(
        self,
        network: Network,
        x: Tensor,
        start: Tensor,
        context: Context,
    ) -> Relevance:
        """Return the relevance [sample, channel, lat, lon] of every input cell."""
        from climxai.attribution.lrp.explain import explain

        plan = self._plan(network)
        bounds = self._bounds(context)
        return explain(
            network, plan, self._settled, x, start, context.valid, context.reference, bounds
        )

    @cached_property
    def _settled(self) -> Settled:
        return self.convention.settled()

    def _plan(self, network: Network) -> Plan:
        # The key by text takes as long as a small network: remember the plan by identity.
        key = ("method", id(self))
        held: tuple[Method, Plan] | None = network.cache.get(key)
        if held is None:
            from climxai.attribution.lrp.plan import plan_for

            held = (self, plan_for(network, self.rule, self._settled))
            network.cache[key] = held
        return held[1]

    def layers(self, network: Network) -> tuple[tuple[Layer, Rule], ...]:
        """Return every layer that needs a rule, in the order of the forward pass, and its rule."""
        steps = self._plan(network).steps
        return tuple((s.layer, s.rule) for s in steps if s.layer is not None and s.rule is not None)

    def audit(self, network: Network, x: Tensor, start: Tensor, context: Context) -> Audit:
        """Return what became of relevance layer by layer; arguments as for `attribute`."""
        from climxai.attribution.lrp.audit import audit

        bounds = self._bounds(context)
        return audit(
            network,
            x,
            start,
            self.rule,
            self._settled,
            context.valid,
            context.reference,
            bounds,
        )
