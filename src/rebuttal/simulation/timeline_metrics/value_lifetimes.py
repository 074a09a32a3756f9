"""How long a node holds each value: from when it is computed or received there until its last use there."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from rebuttal.core.timeline import Table, Timeline
from rebuttal.core.update_rules import FUNCTIONS
from rebuttal.core.value_operations import is_own
from rebuttal.simulation.timeline_metrics.dependency_chains import CORRECTED
from rebuttal.simulation.timeline_metrics.joined_passes import weight_gradients

#: Not values of their own: they are read through what they are made of.
VIEWS = frozenset({"part", "joined", "loss"})
SUMS = frozenset({"mean", "summed"})


@dataclass(slots=True)
class Shelf:
    """What one node holds. `since_s`: when it came; `until_s`: the end of its last use so far.

    `uses`: (start, end, value, own), where `own` stands for those parts of the value alone that the node has.
    """

    since_s: dict[int, float] = field(default_factory=dict)
    until_s: dict[int, float] = field(default_factory=dict)
    received: set[int] = field(default_factory=set)
    computed: set[int] = field(default_factory=set)
    uses: list[tuple[float, float, int, bool]] = field(default_factory=list)

    def comes(self, value: int, time_s: float) -> None:
        """A value is there from now on, unless it was already."""
        self.since_s[value] = min(time_s, self.since_s.get(value, time_s))


class Holding:
    """The shelves of all nodes of a run.

    What costs nothing to compute is not in the record, so it is found from its uses: a sum of gradients begins with
    the first of them and takes the others up as they come, in one buffer; another rule has its result when the last
    of its inputs is there. The start is there from the beginning, and a value of unknown origin (read from shared
    memory) from its first use.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._graph = timeline, timeline.graph
        self._asked_for = frozenset(timeline.computes["value"].tolist())
        self.shelves: dict[int, Shelf] = defaultdict(Shelf)
        self._computed()
        self._sent()
        for node, value, time_s in _rows(timeline.updates, "node", "value", "time_s"):
            self.shelves[node].uses.append((time_s, time_s, value, True))
        for shelf in self.shelves.values():
            for start_s, end_s, value, own in sorted(shelf.uses):
                for one in self._own(shelf, value) if own else (value,):
                    self._use(shelf, one, start_s, end_s)

    def _computed(self) -> None:
        """What each computation makes and uses; an all-reduce uses only the node's own contribution."""
        gradient_of, names = weight_gradients(self._graph), self._timeline.names
        columns = ("node", "operation", "value", "start_s", "end_s", "completed")
        for node, operation, value, start_s, end_s, completed in _rows(self._timeline.computes, *columns):
            if value < 0:
                continue
            shelf, collective = self.shelves[node], names[operation].startswith("all_reduce")
            shelf.uses += [(start_s, end_s, i, collective) for i in self._graph.inputs[value]]
            if completed:
                made = (value, gradient_of[value]) if names[operation] == "backward" else (value,)
                shelf.computed.update(made)
                for one in made:
                    shelf.comes(one, end_s)

    def _sent(self) -> None:
        """Messages: used by the sender when they are sent, there when a program takes them.

        What others read from a node's cells is no use of its own.
        """
        columns = ("source", "destination", "tag", "value", "sent_s", "received_s")
        for source, destination, tag, value, sent_s, received_s in _rows(self._timeline.messages, *columns):
            if value < 0:
                continue
            shelf = self.shelves[source]
            if not self._timeline.names[tag].startswith("read "):
                shelf.uses.append((sent_s, sent_s, value, False))
            if not math.isnan(received_s):
                self.shelves[destination].received.add(value)
                self.shelves[destination].comes(value, received_s)

    def _own(self, shelf: Shelf, value: int) -> list[int]:
        """What a node has of a value: of a whole that was joined from several nodes' parts, its own."""
        if value not in shelf.since_s and self._graph.operations[value] == "joined":
            return [i for i in self._graph.inputs[value] if self._is_here(shelf, i)]
        return [value] if self._is_here(shelf, value) else []

    def _is_here(self, shelf: Shelf, value: int) -> bool:
        """Whether a value, or anything that it is made of without cost, is on the shelf."""
        stack, seen = [value], set()
        while stack:
            one = stack.pop()
            if one in shelf.since_s:
                return True
            if one not in seen and self._is_free(one):
                stack.extend(self._graph.inputs[one])
            seen.add(one)
        return False

    def _is_free(self, value: int) -> bool:
        """Whether a node has a value as soon as it has what that is made of."""
        operation = self._graph.operations[value]
        if is_own(operation):
            return value not in self._asked_for
        return operation in VIEWS or operation in FUNCTIONS

    def _is_view(self, shelf: Shelf, value: int) -> bool:
        """Whether a value is read through others: not where a node has a part and not the whole."""
        operation = self._graph.operations[value]
        return operation in VIEWS and (
            operation != "part" or self._is_here(shelf, self._graph.inputs[value][0])
        )

    def _use(self, shelf: Shelf, value: int, start_s: float, end_s: float) -> float:
        """Note a use, of what a view consists of in its place; returns since when the value is there."""
        if self._graph.operations[value] == "input":
            return start_s
        if value not in shelf.since_s:
            if self._is_view(shelf, value):
                return max(self._use(shelf, i, start_s, end_s) for i in self._graph.inputs[value])
            shelf.since_s[value] = self._begins(shelf, value, start_s)
        shelf.until_s[value] = max(end_s, shelf.until_s.get(value, end_s))
        return shelf.since_s[value]

    def _begins(self, shelf: Shelf, value: int, start_s: float) -> float:
        """Since when a value that is not in the record is there."""
        operation, inputs = self._graph.operations[value], self._graph.inputs[value]
        if operation == "start" or (operation == "part" and self._graph.operations[inputs[0]] == "start"):
            return 0.0
        if not _is_rule(operation) or not self._is_here(shelf, value):
            return start_s
        if operation in SUMS:
            return min(self._first_s(shelf, i, start_s) for i in inputs)
        if operation in CORRECTED:
            for i in inputs[1:]:
                self._use(shelf, i, start_s, start_s)
            return self._first_s(shelf, inputs[0], start_s)
        since_s = max(self._first_s(shelf, i, start_s) for i in inputs)
        for i in inputs:
            self._use(shelf, i, since_s, since_s)
        return since_s

    def _first_s(self, shelf: Shelf, value: int, start_s: float) -> float:
        """Since when a value, or the first of the gradients that it sums, or the last of its parts, is there."""
        if value in shelf.since_s:
            return shelf.since_s[value]
        if not self._is_here(shelf, value):
            return start_s if self._graph.operations[value] != "start" else 0.0
        choose = max if self._graph.operations[value] == "joined" else min
        return choose(self._first_s(shelf, i, start_s) for i in self._graph.inputs[value])


def _is_rule(operation: str) -> bool:
    """Whether it costs nothing, unless a program says otherwise, so that it need not be in the record."""
    return operation in FUNCTIONS or is_own(operation)


def _rows(table: Table, *names: str) -> Iterator[tuple]:
    return zip(*(table[name].tolist() for name in names), strict=True)
