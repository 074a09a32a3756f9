"""Whether a recorded run is one of its method: the programs are run again, on symbols, as the record answers them.

Each node's program asks; its own next row in the record must be what it asks for, and a message that it takes is the
one that the record says it took. So every row is one that its node's program makes at that place, with that value, tag,
receiver and size, and for as long as its straggler asks. A node may have been stopped anywhere: a record may end early.
"""

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rebuttal.base.errors import RunError
from rebuttal.core.graph import Graph, Symbol
from rebuttal.core.task import Draws, Task
from rebuttal.core.timeline import Timeline
from rebuttal.core.update_rules import mean_of
from rebuttal.core.verbs import AllReduce, Compute, Modify, Program, Read, Recv, Report, Send, Wait, Write
from rebuttal.processes.setup import Setup
from rebuttal.processes.wire_sizes import WireSizes
from rebuttal.simulation.cluster.request_costs import STRAGGLING

EARLY_S = 1e-4  # by which a wait may end too early: sleeping and reading the clock are two things


class NotWalkedError(Exception):
    """A program that shares memory: the record has not in which order its cells were reached."""


class Blocked(Exception):  # noqa: N818 - no error: another node is to go first
    """What a node asks for is made by another node later in the walk."""


@dataclass
class NodeRecord:
    """What is left of one node's rows, in the order in which it made them: of each table, row numbers."""

    program: Program
    computed: deque[int]
    sent: deque[int]
    taken: deque[int]
    counts: Counter = field(default_factory=Counter)
    asked: Any = None
    ended: bool = False


@dataclass(frozen=True)
class Promise:
    """An all-reduce that a node has contributed to: what it asked for, and which of those with its tag it is."""

    request: AllReduce
    number: int


class ProgramWalk:
    """The programs of a run, and how far each has come along the record."""

    def __init__(
        self, timeline: Timeline, setup: Setup, layer_bytes: tuple[int, ...], sizes: WireSizes
    ) -> None:
        self._timeline, self._setup, self._sizes = timeline, setup, sizes
        self._graph = _copied(timeline.graph)
        programs = setup.method.programs(
            setup.nodes, Task(self._graph.symbol, layer_bytes, Draws(setup.seed))
        )
        self._nodes = {node: self._record_of(node, programs[node]) for node in setup.nodes}
        self._least_s = {node: setup.seconds(node) for node in setup.nodes}
        self._payloads: dict[int, Any] = {}
        self._contributions: dict[tuple[str, int], dict[int, Any]] = {}
        self._states = timeline.updates["value"].tolist()
        self._made_by = timeline.updates["node"].tolist()
        self._answers: dict[type, Callable[[int, NodeRecord, Any], Any]] = {
            Compute: self._compute, Send: self._send, Recv: self._receive, AllReduce: self._contribute,
            Wait: lambda node, record, request: self._reduced(node, record, request.handle),
            Report: self._report, Read: _shares, Write: _shares, Modify: _shares,
        }  # fmt: skip

    def run(self) -> None:
        """To the end of the record.

        Raises:
            RunError: it is no run of the method; the message names a node and what it should have done.
            NotWalkedError: the method shares memory.
        """
        while sum(self._advance(node, record) for node, record in self._nodes.items()):
            pass  # every node gets a turn, until none gets on
        for node, record in self._nodes.items():
            left = len(record.computed) + len(record.sent) + len(record.taken)
            if left:
                raise _no_run(self._setup, node, f"{left} rows that its program does not make")

    def _record_of(self, node: int, program: Program) -> NodeRecord:
        c, m = self._timeline.computes, self._timeline.messages
        taken = (m["destination"] == node) & ~np.isnan(m["received_s"])
        return NodeRecord(
            program,
            _in_order(c["node"] == node, c["end_s"]),
            _in_order(m["source"] == node, m["sent_s"]),
            _in_order(taken, m["received_s"]),
        )

    def _advance(self, node: int, record: NodeRecord) -> bool:
        """Go on with a node until its record ends or it has to wait for another; whether it got on at all."""
        moved = False
        while not record.ended:
            try:
                record.asked = record.asked or record.program.send(None)
                answer = self._answers[type(record.asked)](node, record, record.asked)
                moved = True
                record.asked = record.program.send(answer)
            except Blocked:
                return moved
            except (StopIteration, IndexError):  # the program's end, or that of its rows
                record.ended = True
        return moved

    def _compute(self, node: int, record: NodeRecord, request: Compute) -> Any:
        row, name = record.computed[0], request.operation.__name__
        value = request.operation(*request.args)
        completed = bool(self._timeline.computes["completed"][row])
        if not completed and request.unless is None:
            raise _no_run(self._setup, node, f"{name} was abandoned, which its program never does")
        stage = getattr(getattr(request.operation, "__self__", None), "l", None)
        if name in STRAGGLING and self._setup.pace_s:
            if completed:
                self._check_pace(node, row, name, record.counts[name, stage])
            record.counts[name, stage] += 1
        self._check_row(node, row, name, value, 0)
        record.computed.popleft()
        return value if completed else None

    def _check_pace(self, node: int, row: int, name: str, count: int) -> None:
        c, least_s = self._timeline.computes, self._least_s[node](count)
        took_s = float(c["end_s"][row] - c["start_s"][row])
        if took_s < least_s - EARLY_S:
            raise _no_run(
                self._setup, node, f"{name} took {took_s:.3g} s, where its straggler asks for {least_s:.3g}"
            )

    def _check_row(self, node: int, row: int, name: str, value: Any, most_bytes: float) -> None:
        c = self._timeline.computes
        said = self._timeline.names[c["operation"][row]]
        if said != name or c["value"][row] != _number(value):
            raise _no_run(self._setup, node, f"{said} of value {c['value'][row]}, where its program makes {name} of "
                                             f"{_number(value)}")  # fmt: skip
        if not 0 <= c["bytes"][row] <= most_bytes:
            raise _no_run(
                self._setup, node, f"{name} sent {c['bytes'][row]} bytes; allowed: {most_bytes:g} at most"
            )

    def _send(self, node: int, record: NodeRecord, request: Send) -> None:
        m, row = self._timeline.messages, record.sent[0]
        said = (int(m["destination"][row]), self._timeline.names[m["tag"][row]], int(m["value"][row]))
        if said != (request.to, request.tag, _number(request.value)):
            raise _no_run(self._setup, node, f"a message {said}, where its program sends "
                                             f"{(request.to, request.tag, _number(request.value))}")  # fmt: skip
        self._check_bytes(node, int(m["bytes"][row]), request.value, 1)
        self._payloads[record.sent.popleft()] = request.value

    def _check_bytes(self, node: int, said: int, value: Any, copies: int) -> None:
        least, most = self._sizes.of(value)
        if not least * copies <= said <= most * copies:
            wanted = f"from {least * copies:,} to {most * copies:,}"
            raise _no_run(self._setup, node, f"a value of {said:,} bytes on the wire; allowed: {wanted}")

    def _receive(self, node: int, record: NodeRecord, request: Recv) -> tuple[int, Any]:
        m, row = self._timeline.messages, record.taken[0]
        source, tag = int(m["source"][row]), self._timeline.names[m["tag"][row]]
        if tag != request.tag or request.source not in (None, source):
            raise _no_run(
                self._setup, node, f"took {tag!r} of node {source}, where its program takes {request.tag!r}"
            )
        if row not in self._payloads:
            raise Blocked
        record.taken.popleft()
        return source, self._payloads.pop(row)

    def _contribute(self, node: int, record: NodeRecord, request: AllReduce) -> Any:
        promise = Promise(request, record.counts["all_reduce", request.tag])
        record.counts["all_reduce", request.tag] += 1
        self._contributions.setdefault((request.tag, promise.number), {})[node] = request.value
        if not request.blocking:
            return promise
        record.asked = Wait(promise)
        return self._reduced(node, record, promise)

    def _reduced(self, node: int, record: NodeRecord, promise: Promise) -> Any:
        request, row = promise.request, record.computed[0]
        there = self._contributions[request.tag, promise.number]
        if not set(request.participants) <= set(there):
            raise Blocked
        values = [there[one] for one in request.participants]
        value = request.operation(*values) if request.operation else mean_of(values)
        self._check_row(node, row, f"all_reduce {request.tag}", value, math.inf)
        said = int(self._timeline.computes["bytes"][row])
        self._check_bytes(node, said, request.value, len(request.participants) - 1)
        record.computed.popleft()
        return value

    def _report(self, node: int, record: NodeRecord, request: Report) -> bool:
        if request.shared:
            raise NotWalkedError
        version, last = record.counts["report"], len(self._states) - 1
        record.counts["report"] += 1
        counted = version <= last and request.part is None and self._made_by[version] == node
        if counted or (version <= last and request.replica):
            state = self._states[version]
            if request.replica and request.replica[1] > 1:
                state = dict(enumerate(self._graph.inputs[state])).get(request.replica[0])
            if state != _number(request.weights):
                raise _no_run(
                    self._setup, node, f"version {version} is not the state that its program reports"
                )
        return version < last


def _shares(_: int, __: NodeRecord, ___: Any) -> None:
    raise NotWalkedError


def _in_order(rows: np.ndarray, times_s: np.ndarray) -> deque[int]:
    found = np.flatnonzero(rows)
    return deque(found[np.argsort(times_s[found], kind="stable")].tolist())


def _copied(graph: Graph) -> Graph:
    """A graph with the same nodes, to which the programs may add what the record has not."""
    copy = Graph()
    for operation, inputs, arguments in zip(graph.operations, graph.inputs, graph.arguments, strict=True):
        copy.node(operation, inputs, arguments)
    return copy


def _number(value: Any) -> int:
    """As `core.timeline` notes a value: by the first symbol in it."""
    parts = value if isinstance(value, tuple) else (value,)
    return next((part.number for part in parts if isinstance(part, Symbol)), -1)


def _no_run(setup: Setup, node: int, why: str) -> RunError:
    return RunError(f"the record is not one of {setup.name}: node {node} ({setup.role(node)}): {why}")
