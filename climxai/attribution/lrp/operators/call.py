"""One call in the graph, its constant arguments filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.fx.node import map_aggregate, map_arg

from climxai.attribution.network import layer_name, place_of
from climxai.core.errors import ModelError


@dataclass(frozen=True, eq=False)
class Repeated:
    """A tensor that is the same for every sample, whatever the input.

    Parameters
    ----------
    two
        Its value for two samples [2, ...].
    """

    two: Tensor

    @property
    def one(self) -> Tensor:
        """Its value for one sample [1, ...]."""
        return self.two[:1]

    def each(self, count: int) -> Tensor:
        """Return its value for ``count`` samples."""
        return self.one.expand(count, *self.two.shape[1:])


class Call:
    """A graph node whose arguments are known but for the values that depend on the input.

    Parameters
    ----------
    node
        The graph node.
    constants
        Values of the nodes that do not depend on the input.
    active
        The nodes it takes that depend on the input's values, in order, without repetition.
    sizes
        The nodes it takes that depend on the number of samples only.
    """

    def __init__(
        self,
        node: Node,
        constants: dict[Node, Any],
        active: tuple[Node, ...],
        sizes: tuple[Node, ...] = (),
    ) -> None:
        self.node = node
        self.active = active
        self.sizes = sizes
        self.target: Any = node.target
        self.name = str(node.target)
        self.place = place_of(node)
        self.layer = layer_name(node)
        schema = getattr(node.target, "_schema", None)
        self.names = [argument.name for argument in schema.arguments] if schema else []
        self.defaults = (
            {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
            if schema
            else {}
        )
        fill = {n: constants[n] for n in node.all_input_nodes if n in constants}
        self.args = map_arg(node.args, lambda n: fill.get(n, n))
        self.kwargs = map_arg(node.kwargs, lambda n: fill.get(n, n))

    def __getitem__(self, name: str) -> Any:
        """Return an argument by its name in the operator's signature; nodes stand for values."""
        if name in self.kwargs:
            return self.kwargs[name]
        index = self.names.index(name)
        return self.args[index] if index < len(self.args) else self.defaults[name]

    def constant(self, name: str) -> Tensor | None:
        """Return a weight or bias argument, which must not depend on the input.

        Raises
        ------
        ModelError
            When it does.
        """
        value: Tensor | Node | float | None = self[name]
        if isinstance(value, Node | Repeated):
            raise self.unsuited(
                f"its {name} depends on the input", "Explain a network whose do not"
            )
        if value is None or isinstance(value, Tensor):
            return value
        return torch.as_tensor(value)

    def unsuited(self, why: str, what_to_do: str) -> ModelError:
        """Return the error that relevance cannot cross this call."""
        return ModelError(
            f"relevance cannot cross operator {self.name} at {self.place}: {why}. {what_to_do}"
        )

    @property
    def shape(self) -> tuple[Any, ...]:
        """Shape of the output; the sample dimension is symbolic."""
        return tuple(self.node.meta["val"].shape)

    def input_shape(self, i: int = 0) -> tuple[Any, ...]:
        """Shape of an active input; the sample dimension is symbolic."""
        return tuple(self.active[i].meta["val"].shape)

    def function(self, *, blank: bool = False) -> Callable[..., Any]:
        """Return the call as a function of the values of ``active`` and then of ``sizes``.

        Parameters
        ----------
        blank
            Whether fixed numbers among the values it moves (a padding's value, a constant channel)
            become 0.
        """
        active, target = (*self.active, *self.sizes), self.target
        args, kwargs = self.args, self.kwargs
        if blank:
            args, kwargs = map_aggregate((args, kwargs), _blanked)
            if "value" in self.names:
                place = self.names.index("value")
                args = tuple(0 if i == place else a for i, a in enumerate(args))
                kwargs = {k: 0 if k == "value" else v for k, v in kwargs.items()}
        others = args[1:]
        if len(active) == 1 and args and args[0] is active[0] and not _open(others, kwargs):
            return lambda x: target(x, *others, **kwargs)

        def run(*values: Any) -> Any:
            given = dict(zip(active, values, strict=True))

            def fill(value: Any) -> Any:
                if isinstance(value, Node):
                    return given[value]
                return value.each(len(values[0])) if isinstance(value, Repeated) else value

            return target(*map_aggregate(args, fill), **map_aggregate(kwargs, fill))

        return run

    @property
    def fixed(self) -> list[Tensor]:
        """The fixed numbers that it puts among the values it moves, without whole-number tensors.

        A padding's value, for example, or a constant channel.
        """
        found: list[Tensor] = []

        def look(value: Any) -> Any:
            if isinstance(value, Repeated):
                found.append(value.one)
            elif isinstance(value, Tensor) and value.is_floating_point():
                found.append(value)
            return value

        map_aggregate((self.args, self.kwargs), look)
        if "value" in self.names:
            value = self["value"]
            found.append(torch.as_tensor(0.0 if value is None else value))
        return found


def _blanked(value: Any) -> Any:
    if isinstance(value, Repeated):
        return Repeated(torch.zeros_like(value.two))
    if isinstance(value, Tensor) and value.is_floating_point():
        return torch.zeros_like(value)
    return value


def _open(*arguments: Any) -> bool:
    found: list[bool] = []

    def look(value: Any) -> Any:
        found.append(isinstance(value, Node | Repeated))
        return value

    map_aggregate(arguments, look)
    return any(found)
