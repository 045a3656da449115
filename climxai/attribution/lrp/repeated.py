"""What in a network does not depend on its input: weights, constants, and tensors of zeros."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from climxai.attribution.lrp.operators.call import Call, Repeated
from climxai.attribution.network import Network, call

SHAPED = frozenset(
    f"aten.{name}.default"
    for name in ["zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"]
) | {"aten.fill.Scalar", "aten.fill.Tensor", "aten.copy.default"}
"""Operators that take only the shape of their first input."""


class Fixed:
    """Values that are the same whatever the input; some are repeated for every sample.

    Parameters
    ----------
    network
        The traced network.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.values: dict[Node, Any] = {}
        self._numbers: dict[Node, Any] = {}

    def take(self, node: Node, slots: Container[Node], sizes: Container[Node]) -> bool:
        """Work a node out and keep it, if it does not depend on the input; return whether so.

        Parameters
        ----------
        node
            A call in the graph.
        slots
            The nodes that depend on the input, or on how many samples there are.
        sizes
            Those of them that depend on how many samples there are only.

        Raises
        ------
        ModelError
            When it differs from sample to sample all the same.
        """
        moving = [n for n in node.all_input_nodes if n in slots]
        repeated = any(isinstance(self.values.get(n), Repeated) for n in node.all_input_nodes)
        if not moving and not repeated:
            self.values[node] = self._constant(node)
            return True
        counted = "sym_size" in str(node.target) or all(n in sizes for n in moving)
        shaped = str(node.target) in SHAPED and not any(n in moving for n in node.args[1:])
        if not counted and not shaped:
            return False
        value = call(node, {n: self._for_two(n) for n in node.all_input_nodes})
        if not isinstance(value, Tensor):
            self._numbers[node] = value
            return False
        if isinstance(node.meta["val"].shape[0] if value.ndim else 0, int):
            self.values[node] = value
        elif torch.equal(value[0], value[1]):
            self.values[node] = Repeated(value)
        else:
            raise Call(node, {}, ()).unsuited(
                "its values depend on a sample's place among the others",
                "Explain a network that treats every sample by itself",
            )
        return True

    def _constant(self, node: Node) -> Any:
        key = ("constant", node.name)
        if key not in self.network.cache:
            self.network.cache[key] = call(node, self.values)
        return self.network.cache[key]

    def _for_two(self, node: Node) -> Any:
        """Return a node's value, or a stand-in of its shape, for two samples."""
        if node in self.values:
            value = self.values[node]
            return value.two if isinstance(value, Repeated) else value
        if node in self._numbers:
            return self._numbers[node]
        like = node.meta["val"]
        shape = [n if isinstance(n, int) else 2 for n in like.shape]
        return torch.zeros((), dtype=like.dtype, device=like.device).expand(shape)
