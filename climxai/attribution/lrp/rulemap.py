"""Which layer gets which rule: one rule everywhere, a named preset, or a map of one's own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field

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

WEIGHTED = ("dense", "convolution", "transposed_convolution")
"""Kinds of layers that positions count and that a single rule everywhere means."""

Kind = Literal[
    "dense",
    "convolution",
    "transposed_convolution",
    "batch_norm",
    "pooling",
    "interpolation",
    "sum",
]
"""Kinds of operators that a rule is needed for."""


@dataclass(frozen=True)
class Layer:
    """One operator that needs a rule.

    Parameters
    ----------
    name
        Its dotted path in the module, or the graph node where it has none.
    kind
        Its kind.
    number, count
        Its place among the weighted layers, from 0 at the input, and how many there are; -1 for
        operators without weights.
    first
        Whether it is a weighted layer that sees the input with no other weighted layer between.
    """

    name: str
    kind: str
    number: int
    count: int
    first: bool

    @property
    def weighted(self) -> bool:
        """Whether it is a dense or convolution layer."""
        return self.kind in WEIGHTED

    @property
    def last(self) -> bool:
        """Whether it is the last weighted layer."""
        return self.weighted and self.number == self.count - 1

    @property
    def third(self) -> Literal["lower", "middle", "upper"]:
        """In which third of the weighted layers it lies, from the input up."""
        thirds: tuple[Literal["lower", "middle", "upper"], ...] = ("lower", "middle", "upper")
        return thirds[min(2, self.number * 3 // max(1, self.count))]


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
    epsilon: float = Field(1e-6, ge=0, description="epsilon of the dense layers")

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        return _epsilon_plus(layer, self.epsilon)


class EpsilonPlusFlat(Assignment):
    """As epsilon_plus, with the flat rule in the first layer. Source: Kohlbrenner et al. (2020)."""

    name: Literal["epsilon_plus_flat"] = "epsilon_plus_flat"
    epsilon: float = Field(1e-6, ge=0, description="epsilon of the dense layers")

    def rule_for(self, layer: Layer) -> Rule:
        """Return the rule of one layer."""
        return Flat() if layer.first else _epsilon_plus(layer, self.epsilon)


class EpsilonGammaBox(Assignment):
    """Epsilon for dense layers, gamma for convolutions, z-B in the first layer.

    Source: Anders et al. (2021), arXiv 2106.13200, the composite of that name.
    """

    name: Literal["epsilon_gamma_box"] = "epsilon_gamma_box"
    epsilon: float = Field(1e-6, ge=0, description="epsilon of the dense layers")
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
    """A map of one's own. The most specific entry wins: layers, then first and last, kinds, thirds.

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
        for pattern, rule in self.layers.items():
            if fnmatchcase(layer.name, pattern):
                return rule
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

    def rules_used(self) -> tuple[Rule, ...]:
        """Return every rule this may hand out."""
        return (*super().rules_used(), *self.kinds.values(), *self.layers.values())

    def check_names(self, layers: Sequence[Layer]) -> None:
        """Raise `ModelError` when a pattern matches no layer."""
        for pattern in self.layers:
            if not any(fnmatchcase(layer.name, pattern) for layer in layers):
                known = ", ".join(repr(layer.name) for layer in layers)
                raise ModelError(
                    f"the rule map names layers {pattern!r}, which match none of the network's: "
                    f"{known}"
                )


def _epsilon_plus(layer: Layer, epsilon: float) -> Rule:
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
