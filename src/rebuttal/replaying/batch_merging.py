"""The order that is computed, from the order that was run: what can be one batch becomes one."""

import heapq

from rebuttal.core.graph import Graph, Order, order_of
from rebuttal.replaying.canonical import canonical

HALVES = ("input_gradient", "weight_gradient")  # of one backward pass


def merged(order: Order) -> Order:
    """Workers with equal weights become one: the mean of their gradients is one gradient over all their batches.

    A mean whose inputs are gradients on one state, used nowhere else and of equally many batches, becomes a single
    gradient node, once what was computed stage by stage is in terms of the whole model (canonical.py). The values
    are equal up to the order of summation. Synchronous methods, whatever their communication and however they cut
    the model, come out as the same order as mini-batch SGD.
    """
    order = canonical(order)
    if "mean" not in order.operations:
        return order
    uses = use_counts(order)
    graph, new = Graph(), {}
    for node, operation in enumerate(order.operations):
        inputs, arguments = order.inputs[node], order.arguments[node]
        if operation == "mean" and _mergeable(order, inputs, uses):
            arguments = tuple(number for i in inputs for number in order.arguments[i])
            new[node] = graph.node("gradient", (new[order.inputs[inputs[0]][0]],), arguments)
        else:
            new[node] = graph.node(operation, tuple(new[i] for i in inputs), arguments)
    return order_of(graph, [new[state] for state in order.states])


def _mergeable(order: Order, inputs: tuple[int, ...], uses: list[int]) -> bool:
    first = inputs[0]
    return all(
        order.operations[i] == "gradient"
        and uses[i] == 1
        and order.inputs[i] == order.inputs[first]
        and len(order.arguments[i]) == len(order.arguments[first])
        for i in inputs
    )


def use_counts(order: Order) -> list[int]:
    """How often each node is an input of another, or a reported state."""
    uses = [0] * len(order.operations)
    for inputs in order.inputs:
        for i in inputs:
            uses[i] += 1
    for state in order.states:
        uses[state] += 1
    return uses


def other_halves(order: Order) -> dict[int, int]:
    """Of each backward pass of which both halves are needed: either half's node -> the other's."""
    seen: dict[tuple, int] = {}
    others: dict[int, int] = {}
    for node, operation in enumerate(order.operations):
        if operation in HALVES:
            other = seen.setdefault((order.inputs[node], order.arguments[node]), node)
            if other != node:
                others[node], others[other] = other, node
    return others


def shortened(order: Order, version: int) -> Order:
    """The order up to a version: what later versions alone rest on is left out."""
    graph = Graph()
    for operation, inputs, arguments in zip(order.operations, order.inputs, order.arguments, strict=True):
        graph.node(operation, inputs, arguments)
    return order_of(graph, list(order.states[: version + 1])) if version + 1 < len(order.states) else order


class Ready:
    """Gradients whose weights are known, in the order of their use; `take` gives those for one batched call."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._waiting: dict[int, list[int]] = {}
        self._ready: list[int] = []
        for node, operation in enumerate(order.operations):
            if operation == "gradient":
                self._waiting.setdefault(order.inputs[node][0], []).append(node)

    def known(self, state: int) -> None:
        """The weights of `state` are computed."""
        for node in self._waiting.pop(state, ()):
            heapq.heappush(self._ready, node)

    def take(self, most: int) -> list[int]:
        """Up to `most` of them, earliest used first, all over equally many batches."""
        taken = [heapq.heappop(self._ready)]
        size = len(self._order.arguments[taken[0]])
        while self._ready and len(taken) < most and len(self._order.arguments[self._ready[0]]) == size:
            taken.append(heapq.heappop(self._ready))
        return taken
