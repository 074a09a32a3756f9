"""The gradients that updates are made of, each graph node walked once along a chain of updates, memory or not.

A method may keep something from one update to the next: what it did not send, a sum, a statistic. All gradients of the
past are behind that, and each of them counts for the first update that rests on it.
"""

from collections.abc import Iterator

from rebuttal.simulation.timeline_metrics.dependency_chains import CORRECTED, SOURCES, Chains, Part


class UpdateSources:
    """Takes updates in the order of the versions."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._level: dict[
            tuple[int, Part], int
        ] = {}  # (node, part) -> depth of the shallowest update with it

    def of(self, update: int) -> Iterator[int]:
        """The gradients that no update of less depth has, in the order of their use: nodes of `SOURCES`."""
        chains, seen = self._chains, set()
        level = _deepest(chains.depth[update])
        stack: list[tuple[int, Part]] = [(chains.graph.inputs[update][1], chains.part[update])]
        while stack:
            key = stack.pop()
            if key in seen or self._level.get(key, level) < level:
                continue
            seen.add(key)
            self._level[key] = level
            if chains.graph.operations[key[0]] in SOURCES:
                yield key[0]
            else:
                stack.extend(self._below(*key))

    def _below(self, node: int, part: Part) -> list[tuple[int, Part]]:
        """What a gradient is made of directly, the first on top of the stack."""
        chains = self._chains
        operation, inputs = chains.graph.operations[node], chains.graph.inputs[node]
        if operation == "part":
            return [(inputs[0], chains.part[node])]
        if operation == "joined" and part[1] == len(inputs) > 1:
            return [(inputs[part[0]], part)]
        if operation in CORRECTED:
            return [(inputs[0], part)]
        return [(i, part) for i in reversed(inputs) if chains.depth[i] is None]


def _deepest(depth: int | tuple[int, ...] | None) -> int:
    return max(depth) if isinstance(depth, tuple) else depth or 0
