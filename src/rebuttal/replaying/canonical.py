"""One form for what means the same: an order that was run stage by stage, in terms of the whole model where it can be.

What is rewritten: a part of parts that were joined is that part; all parts of one thing, joined, are that thing; the
forward pass of a batch through all stages, the loss and the backward pass at the same weights make a `gradient`; what
is done element by element to parts of whole things is a part of what is done to the whole things. So a pipeline with
flush comes out as the same order as mini-batch SGD.

A whole is made only where all its parts are needed (or it is there anyway), and a gradient only where nothing else
needs its activations: nothing is computed more often, or more of it, than in the order that was run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rebuttal.core.graph import Arguments, Graph, Order, order_of
from rebuttal.replaying.whole_passes import WholePasses

#: Of parts these are the parts of the same on wholes. (Not `clipped`: the norm is that of the whole.)
ELEMENTWISE = frozenset(
    (
        "update",
        "compensated_update",
        "predicted",
        "mean",
        "summed",
        "scaled",
        "averaged",
        "moved",
        "extrapolated",
        "compensated",
        "compensated_adaptively",
        "mean_square",
        "perturbed_part",
    )
)
STAGE_WISE = frozenset(("part", "forward"))


def canonical(order: Order) -> Order:
    """The same computation, on wholes where it can be. Values are equal up to the order of summation.

    Everything is tried once, which shows of which wholes all the parts are needed; then it is done with these only.
    """
    if not STAGE_WISE & set(order.operations):
        return order
    tried = _Rewriting(order, [True] * len(order.operations))
    allowed = tried.worthwhile()
    return tried.order() if all(allowed) else _Rewriting(order, allowed).order()


@dataclass(frozen=True, slots=True)
class _Lift:
    """A node of the order that became part l of n of `whole`; `top`: the last activations, if it is a gradient."""

    whole: int
    l: int
    n: int
    top: int | None = None


class _Rewriting:
    """The order in a new graph, where the nodes in `allowed` may become parts of wholes."""

    def __init__(self, order: Order, allowed: Sequence[bool]) -> None:
        self._order, self._allowed = order, allowed
        self._graph = Graph()
        self._passes = WholePasses(self._graph, self._joined)
        self._new: list[int] = []
        self._lifts: dict[int, _Lift] = {}
        for node in range(len(order.operations)):
            self._new.append(self._rewritten(node))

    def order(self) -> Order:
        """The new order, with the same versions."""
        return order_of(self._graph, [self._new[state] for state in self._order.states])

    def worthwhile(self) -> list[bool]:
        """Which nodes should be parts of wholes: where all parts are needed, or the whole is there anyway."""
        there = {new for node, new in enumerate(self._new) if node not in self._lifts}
        parts: dict[tuple[int, int], set[int]] = {}
        for lift in self._lifts.values():
            parts.setdefault((lift.whole, lift.n), set()).add(lift.l)
        uses, kept = _uses(self._graph), [True] * len(self._new)
        tops = {lift.top for lift in self._lifts.values() if lift.top is not None}
        alone = {top: self._passes.stand_alone(top, uses) for top in tops} | {None: True}
        for node, lift in self._lifts.items():
            complete = len(parts[lift.whole, lift.n]) == lift.n
            kept[node] = lift.whole in there or (complete and alone[lift.top])
        return kept

    def _rewritten(self, node: int) -> int:
        operation, arguments = self._order.operations[node], self._order.arguments[node]
        inputs = tuple(self._new[i] for i in self._order.inputs[node])
        if operation == "part":
            return self._part(inputs[0], arguments)
        if operation == "joined":
            return self._joined(inputs)
        if operation in ELEMENTWISE:
            return self._elementwise(node, operation, inputs, arguments)
        new = self._graph.node(operation, inputs, arguments)
        if operation == "weight_gradient":
            return self._weight_gradient(node, new)
        if operation in ("forward", "loss", "input_gradient"):
            getattr(self._passes, operation)(new)
        return new

    def _part(self, whole: int, place: Arguments) -> int:
        l, n = place
        if n == 1:
            return whole
        graph = self._graph
        if graph.operations[whole] == "joined" and len(graph.inputs[whole]) == n:
            return graph.inputs[whole][int(l)]
        return graph.node("part", (whole,), place)

    def _joined(self, parts: tuple[int, ...]) -> int:
        if len(parts) == 1:
            return parts[0]
        graph, of = self._graph, self._graph.inputs[parts[0]]
        for l, part in enumerate(parts):
            if not (self._is_part(part, (l, len(parts))) and graph.inputs[part] == of):
                return graph.node("joined", parts)
        return of[0]

    def _elementwise(self, node: int, operation: str, inputs: tuple[int, ...], arguments: Arguments) -> int:
        name, place, rest = operation, self._graph.arguments[inputs[0]], arguments
        if operation == "perturbed_part":
            name, place, rest = "perturbed", arguments[:2], arguments[2:]
            if place[1] == 1:
                return self._graph.node(name, inputs, rest)
        if not (self._allowed[node] and all(self._is_part(i, place) for i in inputs)):
            return self._graph.node(operation, inputs, arguments)
        whole = self._graph.node(name, tuple(self._graph.inputs[i][0] for i in inputs), rest)
        return self._lifted(node, whole, place)

    def _weight_gradient(self, node: int, new: int) -> int:
        found = self._passes.weight_gradient(new) if self._allowed[node] else None
        return self._lifted(node, found[0], self._graph.arguments[new], found[1]) if found else new

    def _lifted(self, node: int, whole: int, place: Arguments, top: int | None = None) -> int:
        self._lifts[node] = _Lift(whole, int(place[0]), int(place[1]), top)
        return self._part(whole, place)

    def _is_part(self, node: int, place: Arguments) -> bool:
        return self._graph.operations[node] == "part" and self._graph.arguments[node] == place


def _uses(graph: Graph) -> list[int]:
    """How often each node is an input of another."""
    uses = [0] * len(graph)
    for inputs in graph.inputs:
        for i in inputs:
            uses[i] += 1
    return uses
