"""Drives one node's program: answers its requests for real, and notes each of them."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rebuttal.base.errors import refuse
from rebuttal.core.update_rules import mean_of
from rebuttal.core.verbs import AllReduce, Compute, Modify, Program, Read, Recv, Report, Send, Wait, Write
from rebuttal.processes.journal import Journal
from rebuttal.processes.log import Computed, Reported, Sent
from rebuttal.processes.mailbox import Mailbox
from rebuttal.processes.node_progress import Progress
from rebuttal.processes.node_sockets import NodeSockets, Sealed
from rebuttal.processes.process_memory import NoCells, ProcessCells
from rebuttal.processes.setup import Setup
from rebuttal.processes.values import first_name
from rebuttal.simulation.cluster.request_costs import STRAGGLING


@dataclass(frozen=True, slots=True)
class Contribution:
    """An all-reduce to which this node has contributed `size_bytes` under `tag`."""

    request: AllReduce
    tag: str
    size_bytes: int


class Driver:
    """One node of a run; `waiting` is what its program waits for, or None.

    `announce(what, part)` tells the launcher of the 'first' and the 'last' report.
    """

    def __init__(
        self,
        setup: Setup,
        journal: Journal,
        mailbox: Mailbox,
        links: NodeSockets,
        cells: ProcessCells | NoCells,
        progress: Progress,
        announce: Callable[[str, Any], None],
    ) -> None:
        self._setup, self._journal, self._announce = setup, journal, announce
        self._mailbox, self._links, self._cells, self._progress = mailbox, links, cells, progress
        self._node, self._least_s = journal.log.node, setup.seconds(journal.log.node)
        self._counts: dict[Any, int] = {}
        self._made = self._versions = 0
        self.waiting: str | None = None

    def drive(self, program: Program) -> None:
        """Until the program ends. Raises Stopped when the run is over."""
        perform: dict[type, Callable[[Any], Any]] = {
            Compute: self._compute,
            Send: self._send,
            Recv: self._receive,
            AllReduce: self._all_reduce,
            Wait: lambda request: self._reduced(request.handle),
            Read: self._read,
            Write: lambda request: self._memory(request.at).write(request.cell, request.at, request.value),
            Modify: self._modify,
            Report: self._report,
        }
        answer = None
        while True:
            try:
                request = program.send(answer)
            except StopIteration:
                return
            self._mailbox.go_on()
            answer = perform[type(request)](request)

    def _compute(self, request: Compute) -> Any:
        self._note_progress(begun=1)
        name, start_s = request.operation.__name__, time.monotonic()
        value = request.operation(*request.args)
        if name in STRAGGLING and self._setup.pace_s:
            least_s = self._least_s(self._next(("compute", name, _stage(request.operation))))
            left_s = least_s - (time.monotonic() - start_s)
            if left_s > 0:
                self._mailbox.sleep(left_s, until=request.unless)
        abandoned = request.unless is not None and self._mailbox.has(request.unless)
        self._computed(name, value, start_s, completed=not abandoned)
        return None if abandoned else value

    def _send(self, request: Send) -> None:
        sent_s = time.monotonic()
        message = self._links.seal(request.to, request.tag, request.value)
        name = first_name(request.value)
        row = Sent(request.to, message.number, request.tag, name, message.size, sent_s)
        self._journal.log.sent.append(row)
        self._post([message])

    def _post(self, messages: Sequence[Sealed]) -> None:
        """Put messages on their way; what others could go on with, should this node be lost, is proved first."""
        if self._setup.may_be_lost(self._node):
            self._journal.write()
        for message in messages:
            self._links.send(message)

    def _receive(self, request: Recv) -> tuple[int, Any]:
        self.waiting = request.tag
        letter = self._mailbox.take(request)
        self.waiting = None
        self._journal.log.taken_s[letter.source, letter.number] = time.monotonic()
        return letter.source, letter.value

    def _all_reduce(self, request: AllReduce) -> Any:
        """Every participant sends its value to every other; each then sums all of them in the same order."""
        tag = f"all_reduce {request.tag} {self._next(('all_reduce', request.tag))}"
        others = [node for node in request.participants if node != self._node]
        messages = [self._links.seal(node, tag, request.value) for node in others]
        self._post(messages)
        handle = Contribution(request, tag, sum(message.size for message in messages))
        return self._reduced(handle) if request.blocking else handle

    def _reduced(self, handle: Contribution) -> Any:
        request, start_s, values = handle.request, time.monotonic(), []
        self.waiting = f"all-reduce {request.tag}"
        for node in request.participants:
            if node == self._node:
                values.append(request.value)
            else:
                letter = self._mailbox.take(Recv(handle.tag, source=node))
                start_s = max(start_s, letter.arrived_s)
                values.append(letter.value)
        self.waiting = None
        value = request.operation(*values) if request.operation else mean_of(values)
        self._computed(f"all_reduce {request.tag}", value, start_s, size_bytes=handle.size_bytes)
        return value

    def _read(self, request: Read) -> Any:
        self.waiting = f"cell {request.cell}"
        value = self._memory(request.at).read(request.cell, request.at)
        self.waiting = None
        return value

    def _memory(self, at: int | None) -> Any:
        lost = self._setup.may_lose
        if lost:
            raise refuse("may_lose", lost, "0 where a killed node may leave half a write in memory")
        return self._cells.of(at)

    def _modify(self, request: Modify) -> Any:
        def change(content: Any) -> Any:
            start_s = time.monotonic()
            value = request.operation(content, *request.args)
            self._computed(request.operation.__name__, value, start_s)
            return value

        return self._memory(request.at).modify(request.cell, request.at, change, request.args)

    def _report(self, request: Report) -> bool:
        if request.shared:
            version, time_s = self._cells.counted()
            version -= request.replica[1] - 1 if request.replica else 0
        else:
            version, time_s = self._next("report"), time.monotonic()
        last = self._setup.updates
        if version <= last:
            noted = version >= 0 and (version % self._setup.checksums_every == 0 or version == last)
            row = Reported(
                version, request.weights.name, time_s, request.part, request.shared,
                digest(request.weights.value[0]) if noted else None, request.replica,
            )  # fmt: skip
            self._journal.log.reported.append(row)
            self._versions = max(0, version + 1)
            self._note_progress()
        if version in (0, last):
            part = "shared" if request.shared else request.part or request.replica
            self._announce("first" if version == 0 else "last", part)
        return version < last

    def _computed(
        self, name: str, value: Any, start_s: float, *, completed: bool = True, size_bytes: int = 0
    ) -> None:
        row = Computed(name, first_name(value), start_s, time.monotonic(), completed, size_bytes)
        self._journal.log.computed.append(row)
        self._made += 1
        self._note_progress()

    def _note_progress(self, begun: int = 0) -> None:
        self._progress.note(self._node, self._made + begun, self._made, self._versions)

    def _next(self, what: Any) -> int:
        count = self._counts.get(what, 0)
        self._counts[what] = count + 1
        return count


def digest(weights: Any) -> str:
    """SHA-256 of the bytes of a tensor, row by row."""
    return hashlib.sha256(weights.contiguous().numpy()).hexdigest()


def _stage(operation: Callable) -> int | None:
    return getattr(getattr(operation, "__self__", None), "l", None)
