"""The values of a run as a graph: which is computed from which. No value is computed here.

A program that runs on a virtual cluster handles *symbols*. Applying an operation to symbols adds a node to the graph
(or finds the equal node that is already there), so the graph, not the numbers, comes out of a run. Replay then
computes the numbers, in any executor.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

Arguments = tuple[float, ...]
_NUMBER = attrgetter("number")


class Graph:
    """Nodes in the order of their creation: every input of a node comes before it.

    Equal nodes (same operation, inputs and arguments) are one node, which is how all-reduce on K nodes, each with
    its own replica, costs no more to replay than one node.
    """

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.inputs: list[tuple[int, ...]] = []
        self.arguments: list[Arguments] = []
        self._known: dict[tuple, int] = {}

    def __len__(self) -> int:
        return len(self.operations)

    def node(self, operation: str, inputs: tuple[int, ...] = (), arguments: Arguments = ()) -> int:
        """The number of the node with this content; it is added if there is none."""
        count = len(self.operations)
        number = self._known.setdefault((operation, inputs, arguments), count)
        if number == count:
            self.operations.append(operation)
            self.inputs.append(inputs)
            self.arguments.append(arguments)
        return number

    def symbol(self, operation: str, inputs: Iterable["Symbol"] = (), arguments: Arguments = ()) -> "Symbol":
        """As `node`, from symbols to a symbol: what a task of symbols derives its values with."""
        return Symbol(self, self.node(operation, tuple(map(_NUMBER, inputs)), arguments))


@dataclass(slots=True, unsafe_hash=True)
class Symbol:
    """A value that is known by how it is computed, not by its numbers. Never written to (frozen, it is made slowly)."""

    graph: Graph
    number: int

    def derive(self, operation: str, values: tuple["Symbol", ...], numbers: Arguments) -> "Symbol":
        """The symbol of an operation on symbols."""
        return self.graph.symbol(operation, values, numbers)


@dataclass(frozen=True)
class Order:
    """The part of a graph that the reported states rest on, numbered canonically.

    Two runs with equal `key` compute the same numbers from the same data, whatever their clocks were: they are
    replayed once. `states[v]` is the node of version v (0 is the start).
    """

    operations: tuple[str, ...]
    inputs: tuple[tuple[int, ...], ...]
    arguments: tuple[Arguments, ...]
    states: tuple[int, ...]

    @functools.cached_property
    def key(self) -> str:
        """A hash of the whole order."""
        text = repr((self.operations, self.inputs, self.arguments, self.states))
        return hashlib.sha256(text.encode()).hexdigest()

    def batches(self, number: int) -> np.ndarray:
        """The (shard, step) pairs of a gradient node, shape [count, 2]."""
        return np.asarray(self.arguments[number], dtype=np.int64).reshape(-1, 2)


Nodes = tuple[list[str], list[tuple[int, ...]], list[Arguments]]


def flat(nodes: Graph | Order) -> dict[str, np.ndarray]:
    """Nodes as flat arrays: operation codes, and inputs and arguments end to end with their counts."""
    codes = {name: code for code, name in enumerate(sorted(set(nodes.operations)))}
    return {
        "graph.names": np.asarray(list(codes) or [""]),
        "graph.operation": np.asarray([codes[name] for name in nodes.operations], dtype=np.int16),
        "graph.input_count": np.asarray([len(row) for row in nodes.inputs], dtype=np.int32),
        "graph.input": np.asarray([i for row in nodes.inputs for i in row], dtype=np.int32),
        "graph.argument_count": np.asarray([len(row) for row in nodes.arguments], dtype=np.int32),
        "graph.argument": np.asarray([a for row in nodes.arguments for a in row], dtype=np.float64),
    }


def from_flat(arrays: Mapping[str, np.ndarray]) -> Nodes:
    """(operations, inputs, arguments) of what `flat` made."""
    names = [str(name) for name in arrays["graph.names"]]
    return (
        [names[code] for code in arrays["graph.operation"].tolist()],
        _ragged(arrays["graph.input"], arrays["graph.input_count"]),
        _ragged(arrays["graph.argument"], arrays["graph.argument_count"]),
    )


def _ragged(values: np.ndarray, counts: np.ndarray) -> list[tuple]:
    ends, row = np.cumsum(counts).tolist(), values.tolist()
    return [tuple(row[end - count : end]) for end, count in zip(ends, counts.tolist(), strict=True)]


def order_of(graph: Graph, states: list[int]) -> Order:
    """The canonical order of the nodes that `states` (node numbers, version by version) rest on."""
    new: dict[int, int] = {}
    for state in states:
        _number_ancestors(graph, state, new)
    kept = list(new)
    return Order(
        operations=tuple(graph.operations[n] for n in kept),
        inputs=tuple(tuple(new[i] for i in graph.inputs[n]) for n in kept),
        arguments=tuple(graph.arguments[n] for n in kept),
        states=tuple(new[s] for s in states),
    )


def _number_ancestors(graph: Graph, node: int, new: dict[int, int]) -> None:
    """Number `node` and its unnumbered ancestors, inputs first, in the order in which they are used."""
    stack = [(node, iter(graph.inputs[node]))] if node not in new else []
    while stack:
        current, remaining = stack[-1]
        for need in remaining:
            if need not in new:
                stack.append((need, iter(graph.inputs[need])))
                break
        else:
            stack.pop()
            new.setdefault(current, len(new))
