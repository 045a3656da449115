"""Conventions of layer-wise relevance propagation: what published maps differ by, as settings.

`Convention` names a set of choices and overrides any of them; `Settled` holds the outcome.
The reasons and the differences between toolboxes stand in ``docs/lrp-conventions.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from climxai.core.record import Record

Bias = Literal["absorbed", "ignored", "split_by_sign", "whole_in_both", "spread"]
EmptySide = Literal["drop", "rescale"]
Start = Literal["score", "one", "log_odds"]
SignedInputs = Literal["split", "whole"]
MaxPooling = Literal["winner", "proportional"]
BatchNorm = Literal["merge", "linear"]


@dataclass(frozen=True)
class Settled:
    """Every convention, decided."""

    bias: Bias = "absorbed"
    empty_side: EmptySide = "drop"
    w_square_bias: bool = False
    start: Start = "score"
    epsilon: float = 0.0
    epsilon_rule: float = 1e-6
    signed_inputs: SignedInputs = "split"
    max_pooling: MaxPooling = "winner"
    batch_norm: BatchNorm = "merge"

    def stabiliser(self, rule: Record) -> float:
        """Return what a rule adds to its denominators: its own epsilon, else the convention's."""
        own = getattr(rule, "epsilon", None)
        if own is not None:
            return float(own)
        return self.epsilon_rule if getattr(rule, "name", "") == "epsilon" else self.epsilon


CONVENTIONS: dict[str, Settled] = {
    "climxai": Settled(),
    "innvestigate": Settled(bias="whole_in_both", epsilon_rule=1e-7),
    "zennit": Settled(
        bias="split_by_sign", w_square_bias=True, start="one", epsilon=1e-6, epsilon_rule=1e-6
    ),
    "captum": Settled(
        bias="whole_in_both",
        signed_inputs="whole",
        epsilon=1e-9,
        epsilon_rule=1e-9,
        batch_norm="linear",
    ),
}
"""What each toolbox does where nothing else is said."""


class Convention(Record):
    """A named set of conventions, with overrides; the bare name is short for it."""

    name: Literal["climxai", "innvestigate", "zennit", "captum"] = "climxai"
    """Whose conventions apply where nothing below is set."""
    bias: Bias | None = None
    """What becomes of the share of relevance that biases claim: absorbed (a bias is a neuron that
    keeps its share; under alpha-beta and gamma by its sign), ignored (not in the denominators),
    split_by_sign (the name zennit's users know absorbed by: the same),
    whole_in_both (the bias as it is in every denominator), spread (evenly over the inputs)."""
    empty_side: EmptySide | None = None
    """What alpha-beta does where a neuron has only positive or only negative contributions: drop
    that side's share, or rescale, so that the other side carries all and relevance is conserved."""
    w_square_bias: bool | None = None
    """Whether the squared bias counts in the denominator of the w-square rule."""
    start: Start | None = None
    """Relevance at the output: the score itself; one in total, spread as the objective weighs the
    outputs; or the class's score less the softmax-weighted mean of the other classes' (log_odds),
    for objectives that explain one class."""
    epsilon: float | None = Field(
        None,
        ge=0,
        description="stabiliser added, sign-preserving, to the denominators of rules other than "
        "epsilon that do not name their own; with 0 a zero denominator passes nothing on",
    )
    epsilon_rule: float | None = Field(
        None, ge=0, description="size of the epsilon rule's stabiliser where the rule names none"
    )
    signed_inputs: SignedInputs | None = None
    """What alpha-beta and gamma do with negative inputs: split contributions by their sign, or keep
    the input whole and split only the weights."""
    max_pooling: MaxPooling | None = None
    """Max pooling gives relevance to the winner, or to all cells in proportion to their value."""
    batch_norm: BatchNorm | None = None
    """Batch norm is merged into the dense or convolution layer before it, or a layer of its own."""

    def settled(self) -> Settled:
        """Return the named conventions with the overrides applied."""
        chosen = {
            key: value
            for key, value in self.model_dump(exclude={"name"}).items()
            if value is not None
        }
        return replace(CONVENTIONS[self.name], **chosen)


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


AnyConvention = Annotated[Convention, BeforeValidator(_named)]
"""A `Convention`, or its bare name."""
