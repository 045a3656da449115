"""Targets: what the optimised input shall bring about in the network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from climxai.core.errors import ModelError, did_you_mean
from climxai.core.record import Record
from climxai.core.text import AnyText

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.network import Network

Layers = Mapping[str, "Tensor"]
"""Layer's name -> its values [sample, ...]."""


class Target(Record):
    """What the optimised input shall bring about in the network."""

    @abstractmethod
    def title(self) -> str:
        """Return the name of the target in files: letters, digits and ``._-``."""

    @abstractmethod
    def quantity(self) -> str:
        """Return in plain words what `value` is, for example ``probability of warm``."""

    @abstractmethod
    def value(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return the number aimed at [sample].

        Parameters
        ----------
        outputs
            The network's outputs [sample, *output_shape], before a softmax.
        layers
            The values of the layers that `needs_layer` names.
        classes
            Class names in the order of the outputs.
        """

    @abstractmethod
    def loss(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return what is made as small as possible [sample]; gradients flow through it."""

    def expand(self, classes: tuple[str, ...]) -> tuple[Target, ...]:
        """Return the single targets that this one stands for."""
        del classes
        return (self,)

    def met(self, first: float, last: float) -> bool:
        """Return whether the value, ``first`` at the start, has come as far as can be wished."""
        del first, last
        return False

    def needs_layer(self) -> str | None:
        """Return the layer whose values are needed, or None."""
        return None

    def check(self, network: Network, classes: tuple[str, ...]) -> None:
        """Raise when the target does not suit the network.

        Raises
        ------
        ModelError
            Beginning with the field that does not, and saying what the network has instead.
        """
        del network, classes


class ClassTarget(Target):
    """A class: answers what the network would call its clearest example.

    ``probability`` makes ``(1 - p)**2`` small, p being the class's softmax probability: the
    evidence against the other classes counts too. ``logit`` makes the class's own score large.

    Source: McGovern et al. (2019), BAMS 100(11), section on backward optimisation.
    """

    name: Literal["class"] = "class"
    class_name: str | None = None
    """the class, as the label section names it; none stands for every class in turn"""
    aim: Literal["probability", "logit"] = "probability"
    """what is pushed: the probability towards 1, or the score before the softmax upwards"""

    def title(self) -> str:
        """Return the class's name."""
        return str(self.class_name)

    def quantity(self) -> str:
        """Return the probability's or score's name."""
        what = "probability" if self.aim == "probability" else "score before the softmax"
        return f"{what} of {self.class_name}"

    def expand(self, classes: tuple[str, ...]) -> tuple[Target, ...]:
        """Return one target per class where none is named."""
        if self.class_name is not None:
            return (self,)
        return tuple(self.model_copy(update={"class_name": name}) for name in classes)

    def met(self, first: float, last: float) -> bool:
        """Return whether a probability is at least 0.95; a score has no end."""
        del first
        return self.aim == "probability" and last >= 0.95

    def check(self, network: Network, classes: tuple[str, ...]) -> None:
        """Raise `ModelError` for an unknown class, or a network without class scores."""
        if network.output_shape != (len(classes),):
            raise ModelError(
                f"name: the target is a class, but the network returns "
                f"{network.output_shape} per sample instead of one score for each of "
                f"{len(classes)} classes: choose the target regression or unit"
            )
        if self.class_name is not None and self.class_name not in classes:
            raise ModelError(
                f"class_name: there is no class {self.class_name!r}."
                f"{did_you_mean(self.class_name, classes)}"
            )

    def value(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return the class's probability or score [sample]."""
        del layers
        number = classes.index(str(self.class_name))
        scores = outputs.softmax(1) if self.aim == "probability" else outputs
        return scores[:, number]

    def loss(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return ``(1 - p)**2``, or minus the score [sample]."""
        del layers
        number = classes.index(str(self.class_name))
        if self.aim == "logit":
            return -outputs[:, number]
        others = [i for i in range(outputs.shape[1]) if i != number]
        # The sum of the others, not 1 - p: it keeps its digits, and its gradient, near p = 1.
        return outputs.softmax(1)[:, others].sum(1) ** 2


class Unit(Target):
    """A unit of a layer: answers what it looks for in the field.

    In a dense layer a unit is one number; in a convolution it is a feature map, whose mean over the
    grid, or value at one place, is pushed.
    """

    name: Literal["unit"] = "unit"
    layer: AnyText = Field(description="the layer's name; a wrong one lists them all")
    unit: int = Field(ge=0, description="number of the unit or feature map, from 0")
    place: tuple[int, int] | None = None
    """row and column of the feature map, from 0 in the south-west; none takes the map's mean"""
    minimise: bool = False
    """whether the unit's value is made small instead of large"""

    def title(self) -> str:
        """Return layer, unit and place."""
        place = "" if self.place is None else f"_at{self.place[0]}-{self.place[1]}"
        return f"{self.layer}_unit{self.unit}{place}{'_minimum' if self.minimise else ''}"

    def quantity(self) -> str:
        """Return which value is pushed."""
        place = "" if self.place is None else f" at row {self.place[0]}, column {self.place[1]}"
        return f"unit {self.unit} of layer {self.layer}{place}"

    def needs_layer(self) -> str | None:
        """Return the layer."""
        return self.layer

    def check(self, network: Network, classes: tuple[str, ...]) -> None:
        """Raise `ModelError` for an unknown layer, unit or place."""
        from climxai.attribution.visualise.layers import layer_shape

        del classes
        try:
            shape = layer_shape(network, self.layer)
        except ModelError as error:
            raise ModelError(f"layer: {error}") from error
        if not shape or self.unit >= shape[0]:
            raise ModelError(
                f"unit: layer {self.layer!r} has {shape[0] if shape else 1} units "
                f"(numbered from 0), found unit {self.unit}: choose another"
            )
        if self.place is None:
            return
        if len(shape) != 3:
            raise ModelError(
                f"place: layer {self.layer!r} has values {shape} per sample, no feature "
                "maps: leave `place` out"
            )
        if not all(0 <= at < size for at, size in zip(self.place, shape[1:], strict=True)):
            raise ModelError(
                f"place: the feature maps of layer {self.layer!r} have {shape[1]} rows "
                f"and {shape[2]} columns (numbered from 0), found {list(self.place)}"
            )

    def value(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return the unit's value [sample]."""
        del outputs, classes
        values = layers[self.layer][:, self.unit]
        if self.place is not None:
            return values[:, self.place[0], self.place[1]]
        return values.flatten(1).mean(1) if values.ndim > 1 else values

    def loss(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return minus the value, or the value where it shall be small [sample]."""
        value = self.value(outputs, layers, classes)
        return value if self.minimise else -value


class Regression(Target):
    """An output of a regression: answers which input gives this value, or the largest one."""

    name: Literal["regression"] = "regression"
    output: int = Field(0, ge=0, description="number of the output, from 0")
    target: float | None = None
    """the value to reach, by least squares; none makes the output as large as possible"""

    def title(self) -> str:
        """Return output and value."""
        return f"output{self.output}" + ("" if self.target is None else f"_{self.target:g}")

    def quantity(self) -> str:
        """Return which output is pushed."""
        return f"output {self.output}"

    def met(self, first: float, last: float) -> bool:
        """Return whether 95% of the way to the value are done; without one there is no end."""
        if self.target is None:
            return False
        return abs(last - self.target) <= 0.05 * abs(first - self.target)

    def check(self, network: Network, classes: tuple[str, ...]) -> None:
        """Raise `ModelError` where there is no such output."""
        del classes
        if self.output >= network.outputs:
            raise ModelError(
                f"output: the target is output {self.output}, the network has "
                f"{network.outputs} (numbered from 0): choose another"
            )

    def value(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return the output [sample]."""
        del layers, classes
        return outputs.flatten(1)[:, self.output]

    def loss(self, outputs: Tensor, layers: Layers, classes: tuple[str, ...]) -> Tensor:
        """Return the squared distance from the value, or minus the output [sample]."""
        value = self.value(outputs, layers, classes)
        return -value if self.target is None else (value - self.target) ** 2
