"""The chains of states in a graph: parts, depths, and the gradients that updates are made of.

The *depth* of a state is how many updates lie on its chain back to the start. A state that was joined from parts has
a depth for each part, because the layers of a pipeline, or of a torn read, are not equally far.
"""

from collections.abc import Iterator, Sequence

from rebuttal.core.graph import Graph
from rebuttal.core.timeline import Timeline
from rebuttal.core.value_operations import gives_states

Depth = int | tuple[int, ...]
Part = tuple[int, int]
WHOLE: Part = (0, 1)
UPDATES = frozenset({"update", "compensated_update"})
SOURCES = frozenset({"gradient", "weight_gradient"})
#: A state of one part that an update does not count for: it is as deep as the deepest state that it is made of.
OF_STATES = frozenset({"perturbed", "perturbed_part", "predicted", "moved", "averaged", "extrapolated"})
#: Of these, only the first input is a gradient; the others are states or statistics.
CORRECTED = frozenset({"compensated", "compensated_adaptively", "clipped", "scaled"})


class Chains:
    """Depths and parts of all states of a graph; every node is visited once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.depth: list[Depth | None] = []
        self.part: list[Part] = []
        for operation, inputs, arguments in zip(graph.operations, graph.inputs, graph.arguments, strict=True):
            self.part.append(self._part(operation, inputs, arguments))
            self.depth.append(self._depth(operation, inputs, arguments))

    def _part(self, operation: str, inputs: tuple[int, ...], arguments: Sequence[float]) -> Part:
        if operation in ("part", "perturbed_part", "weight_gradient"):
            return int(arguments[0]), int(arguments[1])
        if not inputs or operation in ("joined", "gradient"):
            return WHOLE
        return self.part[inputs[0]]

    def _depth(self, operation: str, inputs: tuple[int, ...], arguments: Sequence[float]) -> Depth | None:
        """None for what is no state."""
        if operation == "start":
            return 0
        depths = [self.depth[i] for i in inputs]
        below = depths[0] if depths else None
        if gives_states(operation) or (below is not None and operation in OF_STATES):
            return _deepest(depths)
        if below is None or operation == "joined":
            return None if below is None else _joined(depths)
        if operation in UPDATES:
            return below + 1 if isinstance(below, int) else tuple(depth + 1 for depth in below)
        return at(below, int(arguments[0]), int(arguments[1])) if operation == "part" else None

    def states_below(self, node: int) -> list[int]:
        """The states that a state is made of directly."""
        inputs = self.graph.inputs[node]
        if self.graph.operations[node] in UPDATES:
            return [inputs[0]]
        return [i for i in inputs if self.depth[i] is not None]

    def read(self, source: int) -> tuple[int, int]:
        """The states that a gradient's forward and backward passes read."""
        inputs = self.graph.inputs[source]
        if self.graph.operations[source] == "gradient":
            return inputs[0], inputs[0]
        record = inputs[1]
        forward = self.graph.inputs[record][0] if self.graph.operations[record] == "forward" else inputs[0]
        return forward, inputs[0]


def consisting(chains: Chains, versions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(version, state) of each state on the chains of the versions, once, with the first version that has it."""
    seen: set[int] = set()
    for version, newest in enumerate(versions):
        stack, found = [newest], []
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            found.append(node)
            stack.extend(chains.states_below(node))
        yield from ((version, node) for node in sorted(found))


def versions(timeline: Timeline, chains: Chains) -> list[int]:
    """For each node: the version that a state, or a part of one, is of; of one between two versions, the older.

    A state that was joined from parts of several versions is of the oldest part's. 0 for what is no state.
    """
    graph, version = timeline.graph, _reported(timeline, chains)
    found: list[int] = []
    for node, (operation, depth) in enumerate(zip(graph.operations, chains.depth, strict=True)):
        below = [found[i] for i in chains.states_below(node)] if depth is not None else []
        inherited = min(below, default=0) if operation == "joined" else max(below, default=0)
        found.append(version.get(node, inherited))
    return found


def _reported(timeline: Timeline, chains: Chains) -> dict[int, int]:
    """Graph node -> the first version that it is, or is a part or a replica of."""
    graph, version = timeline.graph, {}
    for number, node in enumerate(timeline.updates["value"].tolist()):
        version.setdefault(node, number)
        for part in chains.states_below(node) if graph.operations[node] in ("joined", "averaged") else ():
            version.setdefault(part, number)
    return version


def at(depth: Depth, l: int, n: int) -> int:
    """The depth of part l of n; of the deepest part where the state was cut in another way."""
    if isinstance(depth, int):
        return depth
    return depth[l] if len(depth) == n else max(depth)


def _joined(parts: Sequence[Depth | None]) -> Depth:
    """Each part with its depth; a number where all are equally deep."""
    depths = tuple(max(part) if isinstance(part, tuple) else part or 0 for part in parts)
    return depths[0] if len(set(depths)) == 1 else depths


def _deepest(parts: Sequence[Depth | None]) -> Depth:
    """Part by part the largest of some states' depths; 0 of none."""
    known = [part for part in parts if part is not None] or [0]
    longest = max((len(part) for part in known if isinstance(part, tuple)), default=1)
    if longest == 1:
        return max(part for part in known if isinstance(part, int))
    return tuple(max(at(part, l, longest) for part in known) for l in range(longest))
