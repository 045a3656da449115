"""The rules of layer-wise relevance propagation, one record each.

Throughout, ``a_j`` are a layer's inputs, ``w_jk`` its weights, ``b_k`` its bias, ``R_k`` the
relevance of its outputs; ``(.)+`` and ``(.)-`` are positive and negative parts. Sums over ``0, j``
count the bias as an input of value one; what it takes follows the convention ``bias``.

Sources: Bach et al. (2015), PLoS ONE 10(7); Montavon et al. (2017), Pattern Recognition 65;
Montavon et al. (2019), in Explainable AI, Springer LNCS 11700; Lapuschkin et al. (2019), Nature
Communications 10.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from climxai.core.record import Record

Family = Literal["whole", "split", "flat", "w_square", "box", "pass"]


class Rule(Record):
    """How relevance crosses a layer that computes weighted sums."""

    family: ClassVar[Family]
    """Which computation carries the rule out."""

    def short(self) -> str:
        """Return the name, and in brackets what is not as by default: ``epsilon (epsilon 0.1)``."""
        changed = self.model_dump(exclude={"name"}, exclude_defaults=True, exclude_none=True)
        settings = ", ".join(f"{key} {value}" for key, value in changed.items())
        name = str(self.model_dump()["name"])
        return f"{name} ({settings})" if settings else name

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return True


class Zero(Rule):
    """LRP-0: ``R_j = sum_k a_j w_jk / (sum_0,j a_j w_jk) R_k``. Bach et al. (2015), eq. 56."""

    name: Literal["zero"] = "zero"
    family: ClassVar[Family] = "whole"
    epsilon: float | None = Field(
        None, ge=0, description="stabiliser; by default the convention's, mostly 0"
    )


class Epsilon(Rule):
    """LRP-epsilon: ``R_j = sum_k a_j w_jk / (z_k + epsilon sign z_k) R_k``. Bach (2015), eq. 58.

    ``z_k`` is the sum over ``0, j``; the sign of zero counts as positive.
    """

    name: Literal["epsilon"] = "epsilon"
    family: ClassVar[Family] = "whole"
    epsilon: float | None = Field(
        None, ge=0, description="size of the stabiliser; by default the convention's `epsilon_rule`"
    )
    relative: bool = False
    """Whether epsilon counts in units of the root mean square of the layer's sums, per sample."""


class Gamma(Rule):
    """LRP-gamma, which favours contributions that agree with the sign of the layer's sum.

    For ``z_k > 0``: ``R_j = sum_k (a_j w_jk + gamma (a_j w_jk)+) / (sum_0,j of the same) R_k``; for
    ``z_k < 0`` with ``(.)-``. For non-negative inputs and sums this is the rule of Montavon et al.
    (2019); the form for signed activations is that of Andéol et al. (2021). Where the convention
    ``signed_inputs`` is ``whole``, the weights become ``w + gamma w+`` whatever the signs.
    """

    name: Literal["gamma"] = "gamma"
    family: ClassVar[Family] = "split"
    gamma: float = Field(0.25, ge=0, description="how much agreeing contributions are favoured")
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")


class AlphaBeta(Rule):
    """LRP-alpha-beta: ``alpha`` of the relevance by positive, ``-beta`` by negative contributions.

    ``R_j = sum_k (alpha (a_j w_jk)+ / sum_0,j (.)+ - beta (a_j w_jk)- / sum_0,j (.)-) R_k`` with
    ``alpha - beta = 1``. Bach et al. (2015), eq. 60.
    """

    name: Literal["alpha_beta"] = "alpha_beta"
    family: ClassVar[Family] = "split"
    alpha: float = Field(description="share of the positive contributions, at least 1")
    beta: float = Field(ge=0, description="share of the negative contributions, alpha - 1")
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")

    @model_validator(mode="after")
    def _balanced(self) -> AlphaBeta:
        if abs(self.alpha - self.beta - 1) > 1e-9:
            raise PydanticCustomError(
                "alpha_beta",
                "alpha - beta must be 1, found {alpha} - {beta} = {found}",
                {"alpha": self.alpha, "beta": self.beta, "found": self.alpha - self.beta},
            )
        return self

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return self.beta > 0


class Alpha1Beta0(Rule):
    """LRP-alpha-beta with alpha 1, beta 0: positive contributions only. Alias: z_plus."""

    name: Literal["alpha1beta0"] = "alpha1beta0"
    family: ClassVar[Family] = "split"
    alpha: ClassVar[float] = 1.0
    beta: ClassVar[float] = 0.0
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return False


class ZPlus(Rule):
    """The z-plus rule of deep Taylor decomposition: alpha-beta with alpha 1, beta 0."""

    name: Literal["z_plus"] = "z_plus"
    family: ClassVar[Family] = "split"
    alpha: ClassVar[float] = 1.0
    beta: ClassVar[float] = 0.0
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return False


class Alpha2Beta1(Rule):
    """LRP-alpha-beta with alpha 2, beta 1."""

    name: Literal["alpha2beta1"] = "alpha2beta1"
    family: ClassVar[Family] = "split"
    alpha: ClassVar[float] = 2.0
    beta: ClassVar[float] = 1.0
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")


class Alpha3Beta2(Rule):
    """LRP-alpha-beta with alpha 3, beta 2."""

    name: Literal["alpha3beta2"] = "alpha3beta2"
    family: ClassVar[Family] = "split"
    alpha: ClassVar[float] = 3.0
    beta: ClassVar[float] = 2.0
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")


class Flat(Rule):
    """Flat rule: ``R_j = sum_k 1 / (sum_j 1) R_k`` over the valid inputs. Lapuschkin (2019)."""

    name: Literal["flat"] = "flat"
    family: ClassVar[Family] = "flat"

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return False


class WSquare(Rule):
    """w-square rule for unbounded inputs: ``R_j = sum_k w_jk^2 / (sum_j w_jk^2) R_k``.

    Sums run over the valid inputs; whether the squared bias counts is a convention. Montavon et al.
    (2017), eq. 11.
    """

    name: Literal["w_square"] = "w_square"
    family: ClassVar[Family] = "w_square"

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return False


class ZBox(Rule):
    """z-B rule for inputs between bounds l_j <= x_j <= h_j: no contribution is negative there.

    ``R_j = sum_k (x_j w_jk - l_j w_jk+ - h_j w_jk-) / (sum_j of the same) R_k`` over the valid
    inputs. Inputs outside the bounds, as new samples may have, contribute negatively; an audit
    counts them. Montavon et al. (2017), eq. 13.
    """

    name: Literal["z_box"] = "z_box"
    family: ClassVar[Family] = "box"
    low: float | None = None
    """Lower bound of every input; None takes each cell's smallest training value."""
    high: float | None = None
    """Upper bound of every input; None takes each cell's largest training value."""
    epsilon: float | None = Field(None, ge=0, description="stabiliser; by default the convention's")

    @model_validator(mode="after")
    def _ordered(self) -> ZBox:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise PydanticCustomError(
                "z_box",
                "low ({low}) must lie below high ({high})",
                {"low": self.low, "high": self.high},
            )
        return self

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative: where inputs leave the bounds."""
        return True


class Pass(Rule):
    """Pass-through: output relevance goes unchanged to the input of the same shape."""

    name: Literal["pass"] = "pass"
    family: ClassVar[Family] = "pass"

    @property
    def signed(self) -> bool:
        """Whether positive relevance can become negative."""
        return False


RULES: dict[str, type[Rule]] = {
    "zero": Zero,
    "epsilon": Epsilon,
    "gamma": Gamma,
    "alpha_beta": AlphaBeta,
    "alpha1beta0": Alpha1Beta0,
    "alpha2beta1": Alpha2Beta1,
    "alpha3beta2": Alpha3Beta2,
    "z_plus": ZPlus,
    "flat": Flat,
    "w_square": WSquare,
    "z_box": ZBox,
    "pass": Pass,
}
