"""What follows a network's local beginning, as a network of its own."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.fx import Node

from climxai.attribution.network import Network, call, trace
from climxai.core.errors import ModelError


def rest_of(network: Network, first: Node) -> Network:
    """Return what follows a node of a network's graph, as a network of that node's values."""
    shape = tuple(int(n) for n in first.meta["val"].shape[1:])
    return trace(_Rest(network, first), shape, network.dtype, softmax="keep")


class _Rest(nn.Module):
    """What follows a node of a network's graph, as a module of that node's values."""

    def __init__(self, network: Network, first: Node) -> None:
        super().__init__()
        self.network, self.first = network, first

    def __deepcopy__(self, memo: Any) -> _Rest:
        """Return this: it holds nothing that is changed."""
        return self

    def forward(self, values: Tensor) -> Tensor:
        """Return the network's outputs."""
        held: dict[Node, Any] = {self.first: values}
        for node in self.network.graph.nodes:
            if node is self.first:
                continue
            if node.op == "placeholder" and node.name != self.network.input:
                held[node] = self.network.constants.get(node.name)
            elif str(node.target).startswith("aten.sym_size"):
                held[node] = values.shape[0]
            elif node.op == "call_function" and all(n in held for n in node.all_input_nodes):
                held[node] = call(node, held)
            elif node.op == "output":
                result: Tensor = held[node.args[0][0]]
                return result
        raise ModelError("the exported graph has no output: export the network anew")
