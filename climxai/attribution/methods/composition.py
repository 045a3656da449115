"""Methods made of methods: an average of several, one over the networks of all seeds, a control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt
from pydantic_core import PydanticCustomError

from climxai.attribution.methods.method import Method
from climxai.attribution.methods.single import SINGLE
from climxai.core.errors import ModelError
from climxai.core.record import OneOf

if TYPE_CHECKING:
    from torch import Tensor

    from climxai.attribution.context import Context
    from climxai.attribution.network import Network
    from climxai.attribution.relevance import Relevance

Scale = Literal["none", "max", "sum", "l2"]


def _nested(method: Method) -> Method:
    """Refuse what has no meaning inside another method."""
    for field in ("id", "objective"):
        if getattr(method, field) is not None:
            raise PydanticCustomError(
                "nested",
                "a method inside another has no `{field}`: give it to the outer one",
                {"field": field},
            )
    return method


def _not_nested(*names: str) -> BeforeValidator:
    """Return what refuses methods that stand only by themselves, and says so."""

    def check(value: Any) -> Any:
        name = value.get("name") if isinstance(value, Mapping) else value
        if isinstance(name, str) and name in names:
            raise PydanticCustomError(
                "not_nested",
                "the method {name} cannot be nested in another: list it by itself",
                {"name": name},
            )
        return value

    return BeforeValidator(check)


class RandomMap(Method):
    """Shows nothing: independent random numbers, the control that every comparison needs.

    Uniform between -1 and 1 on valid cells, drawn anew for every sample and every seed's network,
    whatever the network says. What a method does no better than this map, it does not do. Conserves
    nothing.

    Source: Bommer et al. (2024), AIES 3(3), doi 10.1175/AIES-D-23-0074.1.
    """

    name: Literal["random"] = "random"
    seed: NonNegativeInt = 0
    """Which random numbers; a sample gets the same ones in whatever batch it comes."""

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar: random numbers do not."""
        return False

    def attribute(self, network: Network, x: Tensor, start: Tensor, context: Context) -> Relevance:
        """Return random numbers [sample, channel, lat, lon] on valid cells."""
        import torch

        from climxai.attribution.relevance import Relevance
        from climxai.attribution.scalar import explained

        with torch.no_grad():
            outputs = network(x)
        values = torch.empty_like(x)
        for i in range(len(x)):
            values[i].uniform_(
                -1, 1, generator=context.generator(self.seed + 1_000_003 * context.seed, i)
            )
        return Relevance(values * context.valid, *explained(outputs, start, context.reference))


class Average(Method):
    """Shows what several methods agree on: the mean of their maps.

    Every method's map is divided by its own size first, since methods differ in units. Conserves
    the mean of what its methods distribute where nothing is divided and all of them conserve.

    Source: Rieger & Hansen (2019), arXiv 1903.00519.
    """

    name: Literal["average"] = "average"
    methods: Annotated[
        tuple[
            Annotated[
                Method,
                OneOf(SINGLE, "method"),
                AfterValidator(_nested),
                _not_nested("average", "seed_average", "random"),
            ],
            ...,
        ],
        Field(min_length=2),
    ] = Field(default=("lrp", "input_x_gradient"), validate_default=True)
    """The methods, each by its name or a block; at least two."""
    normalise: Scale = "l2"
    """What each method's map is divided by: its root of squares (l2), largest absolute value (max),
    sum of absolute values (sum), or nothing (none)."""

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return any(method.signed for method in self.methods)

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the explained scalar."""
        return self.normalise == "none" and all(method.decomposes for method in self.methods)

    def check(self, network: Network, context: Context) -> None:
        """Raise what one of the methods raises."""
        for method in self.methods:
            method.check(network, context)

    def attribute(self, network: Network, x: Tensor, start: Tensor, context: Context) -> Relevance:
        """Return the mean of the methods' maps [sample, channel, lat, lon]."""
        return _mean(
            (method.attribute(network, x, start, context) for method in self.methods),
            self.normalise,
            context.valid,
        )


class SeedAverage(Method):
    """Shows what the networks of all seeds agree on: the mean of one method's maps over them.

    All networks explain the same scalar, the one their mean scores choose. The map stands once, not
    once per seed. Conserves the networks' mean output where the method does and nothing is divided.

    Source: Lakshminarayanan et al. (2017), arXiv 1612.01474, for averaging over seeds.
    """

    name: Literal["seed_average"] = "seed_average"
    method: Annotated[
        Method,
        OneOf({**SINGLE, "average": Average}, "method"),
        AfterValidator(_nested),
        _not_nested("seed_average", "random"),
    ] = Field(default="lrp", validate_default=True)
    """The method, by its name or a block."""
    normalise: Scale = "none"
    """What each network's map is divided by before averaging: nothing (none), its root of squares
    (l2), largest absolute value (max) or sum of absolute values (sum)."""

    @property
    def signed(self) -> bool:
        """Whether relevance can be negative."""
        return self.method.signed

    @property
    def decomposes(self) -> bool:
        """Whether relevance shares out the networks' mean of the explained scalar."""
        return self.normalise == "none" and self.method.decomposes

    @property
    def over_seeds(self) -> bool:
        """Whether one explanation takes the networks of all seeds: always."""
        return True

    def check(self, network: Network, context: Context) -> None:
        """Raise what the method raises."""
        self.method.check(network, context)

    def attribute(self, network: Network, x: Tensor, start: Tensor, context: Context) -> Relevance:
        """Return the mean over `Context.peers` of the maps [sample, channel, lat, lon].

        Raises
        ------
        ModelError
            When the context holds no networks.
        """
        del network
        if not context.peers:
            raise ModelError(
                "the method seed_average needs the networks of all seeds, found none: give them as "
                "the context's `peers`"
            )
        return _mean(
            (
                self.method.attribute(peer, x, start, replace(context, reference=own, peers=()))
                for peer, own in context.peers
            ),
            self.normalise,
            context.valid,
        )


def _mean(found: Iterable[Relevance], how: Scale, valid: Tensor) -> Relevance:
    """Return the mean of maps, each divided by its size on valid cells; zero maps stay zero."""
    import torch

    from climxai.attribution.relevance import Relevance

    values, outputs, references = [], [], []
    for each in found:
        values.append(each.values / _size(each.values * valid, how))
        outputs.append(each.output)
        references.append(each.reference)
    known = [each for each in references if each is not None]
    return Relevance(
        torch.stack(values).mean(0),
        torch.stack(outputs).mean(0),
        torch.stack(known).mean(0) if len(known) == len(references) else None,
    )


def _size(values: Tensor, how: Scale) -> Tensor:
    """Return what each map is divided by [sample, 1, 1, 1]; 1 for a map of zeros."""
    flat = values.flatten(1)
    match how:
        case "none":
            size = flat.new_ones(len(flat))
        case "max":
            size = flat.abs().amax(1)
        case "sum":
            size = flat.abs().sum(1)
        case "l2":
            size = flat.square().sum(1).sqrt()
    size = size.where(size > 0, 1.0)
    return size.reshape(-1, *[1] * (values.ndim - 1))
