"""Which layer gets which rule: one rule everywhere, a named preset, or a map of one's own."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field

from climxai.attribution.lrp.layer import WEIGHTED, Kind, Layer
from climxai.attribution.lrp.rules import (
    RULES,
    Alpha1Beta0,
    Epsilon,
    Flat,
    Gamma,
    Rule,
    WSquare,
    ZBox,
    Zero,
)
from climxai.core.errors import ModelError
from climxai.core.record import OneOf, Record

AnyRule = Annotated[Rule, OneOf(RULES, "rule")]
"""Any entry of the table of rules, or its bare name."""


class Assignment(Record):
    """Gives every layer its rule."""

    @abstractmethod
    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""

    def rules_used(self) -> tuple[Rule, ...]:
        """Return every rule this may hand out to a weighted layer."""
        found: dict[str, Rule] = {}
        for kind in WEIGHTED:
            for count in (1, 2, 3, 9):
                for number in range(count):
                    layer = Layer("", kind, number, count, number == 0)
                    rule = self.rule_for(layer)
                    found[rule.canonical()] = rule
        return tuple(found.values())


class Composite(Assignment):
    """LRP-0 in the upper third, epsilon in the middle, gamma below, w-square or z-B first.

    The last of several layers counts as upper, the first takes the first layer's rule.

    Source: Montavon et al. (2019), section 10.3.
    """

    name: Literal["composite"] = "composite"
    epsilon: float = Field(0.25, ge=0, description="epsilon of the middle third, relative")
    gamma: float = Field(0.25, ge=0, description="gamma of the lower third")
    first: Literal["w_square", "z_box", "gamma"] = "w_square"
    """Rule of the first layer; w_square suits unbounded inputs such as anomalies."""

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        if not layer.weighted:
            return Zero()
        if layer.first and self.first != "gamma":
            return WSquare() if self.first == "w_square" else ZBox()
        if layer.third == "upper":
            return Zero()
        if layer.third == "middle":
            return Epsilon(epsilon=self.epsilon, relative=True)
        return Gamma(gamma=self.gamma)


class EpsilonPlus(Assignment):
    """Epsilon for dense layers, z-plus for convolutions. Source: Kohlbrenner et al. (2020)."""

    name: Literal["epsilon_plus"] = "epsilon_plus"
    epsilon: float | None = Field(
        None, ge=0, description="epsilon of the dense layers; by default the convention's"
    )

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        return _epsilon_plus(layer, self.epsilon)


class EpsilonPlusFlat(Assignment):
    """As epsilon_plus, with the flat rule in the first layer. Source: Kohlbrenner et al. (2020)."""

    name: Literal["epsilon_plus_flat"] = "epsilon_plus_flat"
    epsilon: float | None = Field(
        None, ge=0, description="epsilon of the dense layers; by default the convention's"
    )

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        return Flat() if layer.first else _epsilon_plus(layer, self.epsilon)


class EpsilonGammaBox(Assignment):
    """Epsilon for dense layers, gamma for convolutions, z-B in the first layer.

    Source: Anders et al. (2021), arXiv 2106.13200, the composite of that name.
    """

    name: Literal["epsilon_gamma_box"] = "epsilon_gamma_box"
    epsilon: float | None = Field(
        None, ge=0, description="epsilon of the dense layers; by default the convention's"
    )
    gamma: float = Field(0.25, ge=0, description="gamma of the convolutions")
    low: float | None = None
    """Lower bound of every input; None takes each cell's smallest training value."""
    high: float | None = None
    """Upper bound of every input; None takes each cell's largest training value."""

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        if layer.first:
            return ZBox(low=self.low, high=self.high)
        if layer.kind == "dense":
            return Epsilon(epsilon=self.epsilon)
        return Gamma(gamma=self.gamma) if layer.weighted else Zero()


class DeepTaylor(Assignment):
    """Deep Taylor decomposition: z-plus throughout, and in the first layer the input's rule.

    Source: Montavon et al. (2017), Pattern Recognition 65.
    """

    name: Literal["deep_taylor"] = "deep_taylor"
    first: Literal["alpha1beta0", "w_square", "z_box"] = "alpha1beta0"
    """Rule of the first layer: w_square for unbounded inputs, z_box for inputs between bounds."""

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        if not layer.weighted:
            return Zero()
        if layer.first and self.first != "alpha1beta0":
            return WSquare() if self.first == "w_square" else ZBox()
        return Alpha1Beta0()


class RuleMap(Assignment):
    """A map of one's own. The most specific entry wins: layers, then first, last, kinds, thirds.

    Of several patterns that match a layer's name the most specific wins, whatever their order: a
    plain name, then the pattern with the most letters that are no wildcards.

    For example ``{name: map, default: epsilon, first: w_square, kinds: {convolution: gamma}}``.
    """

    name: Literal["map"] = "map"
    default: AnyRule
    """Rule of every dense and convolution layer that no other entry names."""
    first: AnyRule | None = None
    """Rule of the first layer."""
    last: AnyRule | None = None
    """Rule of the last layer."""
    lower: AnyRule | None = None
    """Rule of the third of the layers nearest to the input."""
    middle: AnyRule | None = None
    """Rule of the middle third."""
    upper: AnyRule | None = None
    """Rule of the third nearest to the output."""
    kinds: dict[Kind, AnyRule] = Field(
        default={}, description="rule by kind of operator, for example `pooling: flat`"
    )
    layers: dict[str, AnyRule] = Field(
        default={}, description="rule by layer name pattern, for example `features.*: gamma`"
    )

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        named = self._named(layer)
        if named is not None:
            return named
        if layer.first and self.first is not None:
            return self.first
        if layer.last and self.last is not None:
            return self.last
        by_kind = {str(kind): rule for kind, rule in self.kinds.items()}.get(layer.kind)
        if by_kind is not None:
            return by_kind
        if not layer.weighted:
            return Zero()
        by_third = {"lower": self.lower, "middle": self.middle, "upper": self.upper}[layer.third]
        return by_third if by_third is not None else self.default

    def _named(self, layer: Layer) -> Rule | None:
        """Return the rule of the most specific pattern that matches a layer's name, or None.

        Raises
        ------
        ModelError
            When two patterns are as specific as each other and ask for different rules.
        """
        found = [pattern for pattern in self.layers if fnmatchcase(layer.name, pattern)]
        if not found:
            return None
        best = max(specificity(pattern) for pattern in found)
        equal = sorted(pattern for pattern in found if specificity(pattern) == best)
        if any(self.layers[pattern] != self.layers[equal[0]] for pattern in equal):
            raise ModelError(
                f"the rule map's patterns {', '.join(map(repr, equal))} all match layer "
                f"{layer.name!r}, are as specific as each other and ask for different rules: name "
                "the layer itself, or make one of them more specific"
            )
        return self.layers[equal[0]]

    def rules_used(self) -> tuple[Rule, ...]:
        """Return every rule this may hand out."""
        unnamed = self.model_copy(update={"layers": {}})
        found = Assignment.rules_used(unnamed)
        return (*found, *self.kinds.values(), *self.layers.values())

    def check_names(self, layers: Sequence[Layer]) -> None:
        """Raise `ModelError` when a pattern matches no layer."""
        for pattern in self.layers:
            if not any(fnmatchcase(layer.name, pattern) for layer in layers):
                known = ", ".join(repr(layer.name) for layer in layers)
                raise ModelError(
                    f"the rule map names layers {pattern!r}, which match none of the network's: "
                    f"{known}"
                )


def specificity(pattern: str) -> tuple[bool, int]:
    """Return whether a layer name pattern has no wildcard, and how many letters are none."""
    letters = re.sub(r"\[.[^\]]*\]|[*?]", "", pattern)
    return letters == pattern, len(letters)


def _epsilon_plus(layer: Layer, epsilon: float | None) -> Rule:
    if layer.kind == "dense":
        return Epsilon(epsilon=epsilon)
    return Alpha1Beta0() if layer.weighted else Zero()


PRESETS: dict[str, type[Assignment]] = {
    "composite": Composite,
    "epsilon_plus": EpsilonPlus,
    "epsilon_plus_flat": EpsilonPlusFlat,
    "epsilon_gamma_box": EpsilonGammaBox,
    "deep_taylor": DeepTaylor,
    "map": RuleMap,
}

RULE_CHOICES: dict[str, type[Record]] = {**RULES, **PRESETS}

AnyRuleChoice = Annotated[Rule | Assignment, OneOf(RULE_CHOICES, "LRP rule")]
"""A rule for every layer, a preset, or a map; a bare name is enough."""


def rule_for(choice: Rule | Assignment, layer: Layer) -> Rule:
    """Return the rule of one layer; operators without weights share out by their contributions."""
    if isinstance(choice, Assignment):
        return choice.rule_for(layer)
    return choice if layer.weighted else Zero()


def rules_used(choice: Rule | Assignment) -> tuple[Rule, ...]:
    """Return every rule the choice may hand out to weighted layers."""
    return choice.rules_used() if isinstance(choice, Assignment) else (choice,)
