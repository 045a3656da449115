"""From a traced network and a choice of rules to the steps that the engine walks."""

from __future__ import annotations

import operator
from collections.abc import Hashable
from math import prod

from torch.fx import Node

from climxai.attribution.lrp.conventions import Settled
from climxai.attribution.lrp.crossing import Crossing
from climxai.attribution.lrp.families import bind
from climxai.attribution.lrp.layer import WEIGHTED, Layer
from climxai.attribution.lrp.merging import merged_batch_norms
from climxai.attribution.lrp.operators import OPERATORS, Entry
from climxai.attribution.lrp.operators.arithmetic import Sum
from climxai.attribution.lrp.operators.call import Call
from climxai.attribution.lrp.operators.linear_map import LinearMap
from climxai.attribution.lrp.operators.pooling import ProportionalPooling
from climxai.attribution.lrp.operators.routing import Routing, Same, Size
from climxai.attribution.lrp.repeated import Fixed
from climxai.attribution.lrp.rulemap import Assignment, RuleMap, rule_for
from climxai.attribution.lrp.rules import Rule
from climxai.attribution.lrp.steps import Plan, Step
from climxai.attribution.network import Network, layer_name
from climxai.core.errors import ModelError


def plan_for(network: Network, choice: Rule | Assignment, settled: Settled) -> Plan:
    """Return the plan, made once per network, choice and conventions.

    Raises
    ------
    ModelError
        When an operator has no entry in the table, or a rule does not suit one.
    """
    key: Hashable = ("plan", choice.canonical(), settled)
    if key not in network.cache:
        network.cache[key] = _Planner(network, choice, settled).plan()
    plan: Plan = network.cache[key]
    return plan


class _Planner:
    def __init__(self, network: Network, choice: Rule | Assignment, settled: Settled) -> None:
        self.network = network
        self.choice = choice
        self.settled = settled
        self.fixed = Fixed(network)
        self.constants = self.fixed.values
        self.slots: dict[Node, int] = {}
        self.sizes: set[Node] = set()
        self.nonnegative: dict[Node, bool] = {}
        self.crossings: dict[Node, Crossing | LinearMap | None] = {}
        self.nodes: list[Node] = []

    def plan(self) -> Plan:
        self._sort_nodes()
        if self.settled.batch_norm == "merge":
            self._merge()
        layers = self._layers()
        if isinstance(self.choice, RuleMap):
            self.choice.check_names(list(layers.values()))
        output = next(n for n in self.network.graph.nodes if n.op == "output").args[0][0]
        last_use = self._last_use(output)
        steps = []
        for node in self.nodes:
            layer = layers.get(node)
            rule = None if layer is None else rule_for(self.choice, layer)
            crossing = self._bound(node, rule)
            inputs = tuple(dict.fromkeys(n for n in node.all_input_nodes if n in self.slots))
            ordered = [n for n in inputs if n not in self.sizes]
            ordered += [n for n in inputs if n in self.sizes]
            item = node.args[1] if crossing is None else None
            steps.append(
                Step(
                    crossing=crossing,
                    inputs=tuple(self.slots[n] for n in ordered),
                    output=self.slots[node],
                    item=int(item) if isinstance(item, int) else None,
                    shape=_shape(node),
                    layer=layer,
                    rule=rule,
                    name=layer_name(node),
                    booked=layer is not None or self._may_keep(node, crossing),
                    frees=tuple(self.slots[n] for n in last_use.get(node, ())),
                )
            )
        if output not in self.slots:
            raise ModelError(
                "the network's output does not depend on its input: nothing to explain"
            )
        shapes = [
            s.shape
            for s in steps
            if s.shape is not None and not (s.crossing is not None and s.crossing.moves)
        ]
        return Plan(
            choice=self.choice,
            settled=self.settled,
            steps=tuple(steps),
            slots=len(self.slots),
            output=self.slots[output],
            needs_ground=any(s.crossing is not None and s.crossing.needs_ground for s in steps),
            largest=max([prod(shape) for shape in shapes], default=1),
        )

    def _sort_nodes(self) -> None:
        """Tell constants, sizes and values apart, and build what relevance crosses."""
        for node in self.network.graph.nodes:
            if node.op == "placeholder":
                if node.name == self.network.input:
                    self._take(node, nonnegative=False)
                else:
                    self.constants[node] = self.network.constants.get(node.name)
            elif node.op == "call_function":
                if self.fixed.take(node, self.slots, self.sizes):
                    continue
                self.nodes.append(node)
                self._take(node, nonnegative=False)
                if self._is_size(node):
                    self.sizes.add(node)
                    self.crossings[node] = Size(self._call(node).function())
                elif node.target is operator.getitem:
                    # Batch norm returns a tuple in the graph; its linear map gives the one tensor.
                    source = self.crossings[node.all_input_nodes[0]]
                    single = isinstance(source, LinearMap | ProportionalPooling)
                    self.crossings[node] = Same() if single else None
                    self.nonnegative[node] = self.nonnegative[node.all_input_nodes[0]]
                else:
                    self._build(node)

    def _take(self, node: Node, *, nonnegative: bool) -> None:
        self.slots[node] = len(self.slots)
        self.nonnegative[node] = nonnegative

    def _is_size(self, node: Node) -> bool:
        taken = [n for n in node.all_input_nodes if n in self.slots]
        return "sym_size" in str(node.target) or all(n in self.sizes for n in taken)

    def _call(self, node: Node) -> Call:
        taken = tuple(dict.fromkeys(n for n in node.all_input_nodes if n in self.slots))
        return Call(
            node,
            self.constants,
            tuple(n for n in taken if n not in self.sizes),
            tuple(n for n in taken if n in self.sizes),
        )

    def _build(self, node: Node) -> None:
        this = self._call(node)
        entry = OPERATORS.get(this.name)
        if entry is None:
            raise this.unsuited(
                "it has no rule here",
                "Replace it by operators that have one, or use a method that needs gradients only, "
                "such as saliency or input_x_gradient",
            )
        built = self._made(this, entry)
        if this.sizes and not (isinstance(built, Crossing) and built.moves):
            raise this.unsuited(
                "its settings depend on the number of samples", "Write it with fixed settings"
            )
        self.crossings[node] = built
        inputs = all(self.nonnegative[n] for n in this.active)
        keeps = built.keeps_sign if isinstance(built, Crossing) else not built.signed
        self.nonnegative[node] = entry.sign == "makes" or (
            entry.sign == "keeps" and inputs and keeps
        )

    def _made(self, this: Call, entry: Entry) -> Crossing | LinearMap:
        # Maps keep split weights: one per operator and network serves every plan.
        key = ("linear", this.node.name)
        if key in self.network.cache:
            linear: LinearMap = self.network.cache[key]
            return linear
        built = entry.build(this, self.settled)
        if isinstance(built, LinearMap):
            self.network.cache[key] = built
        return built

    def _merge(self) -> None:
        for node, replaced in merged_batch_norms(self.network, self.nodes, self.crossings).items():
            self.crossings[node] = Same() if replaced is None else replaced

    def _layers(self) -> dict[Node, Layer]:
        ruled = [n for n in self.nodes if isinstance(self.crossings[n], LinearMap | Sum)]
        weighted = [n for n in ruled if self._kind(n) in WEIGHTED]
        after: set[Node] = set()
        layers: dict[Node, Layer] = {}
        for node in self.nodes:
            seen = any(n in after for n in node.all_input_nodes)
            is_weighted = node in weighted
            if node in ruled:
                layers[node] = Layer(
                    name=layer_name(node),
                    kind=self._kind(node),
                    number=weighted.index(node) if is_weighted else -1,
                    count=len(weighted),
                    first=is_weighted and not seen,
                )
            if seen or is_weighted:
                after.add(node)
        return layers

    def _kind(self, node: Node) -> str:
        built = self.crossings[node]
        return built.kind if built is not None else ""

    def _bound(self, node: Node, rule: Rule | None) -> Crossing | None:
        built = self.crossings[node]
        if rule is None or built is None:
            return built  # type: ignore[return-value]
        if isinstance(built, Sum):
            return built.bind(rule, self.settled)
        if not isinstance(built, LinearMap):
            return built
        source = next(n for n in node.all_input_nodes if n in self.slots)
        return bind(
            built,
            rule,
            self.settled,
            nonnegative=self.nonnegative[source],
            shapes=(_shape(source), _shape(node)),
        )

    def _may_keep(self, node: Node, crossing: Crossing | None) -> bool:
        """Whether relevance may end at an operator that has no rule."""
        if crossing is None or crossing.closed:
            return False
        # A layer gives no relevance to padded zeros.
        zeros = isinstance(crossing, Routing) and crossing.clean
        return not (zeros and all(isinstance(self.crossings[n], LinearMap) for n in node.users))

    def _last_use(self, output: Node) -> dict[Node, list[Node]]:
        last: dict[Node, Node] = {}
        for node in self.nodes:
            for source in node.all_input_nodes:
                if source in self.slots:
                    last[source] = node
            last.setdefault(node, node)
        grouped: dict[Node, list[Node]] = {}
        for source, node in last.items():
            if source is not output:
                grouped.setdefault(node, []).append(source)
        return grouped


def _shape(node: Node) -> tuple[int, ...] | None:
    value = node.meta.get("val")
    shape = getattr(value, "shape", None)
    if shape is None or any(not isinstance(n, int) for n in shape[1:]):
        return None
    return tuple(int(n) for n in shape[1:])
