"""Drives one node's program: answers its requests for real, and notes each of them."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rebuttal.clusters.pricing import STRAGGLING
from rebuttal.processes.cells import Cells
from rebuttal.processes.links import Links
from rebuttal.processes.log import Computed, Log, Reported, Sent
from rebuttal.processes.mailbox import Mailbox
from rebuttal.processes.progress import Progress
from rebuttal.processes.setup import Setup
from rebuttal.processes.values import Named, first_name
from rebuttal.rules import mean_of
from rebuttal.verbs import AllReduce, Compute, Modify, Program, Read, Recv, Report, Send, Wait, Write


@dataclass(frozen=True, slots=True)
class Handle:
    """An all-reduce to which this node has contributed `size_bytes` under `tag`."""

    request: AllReduce
    tag: str
    size_bytes: int


class Driver:
    """One node of a run. `announce(what, part)` tells the launcher of the 'first' and the 'last' report.

    `waiting`: what the program waits for, or None.
    """

    def __init__(
        self,
        setup: Setup,
        log: Log,
        mailbox: Mailbox,
        links: Links,
        cells: Cells,
        progress: Progress,
        announce: Callable[[str, Any], None],
    ) -> None:
        self._setup, self._log, self._announce = setup, log, announce
        self._mailbox, self._links, self._cells, self._progress = mailbox, links, cells, progress
        self._least_s = setup.seconds(log.node)
        self._counts: dict[Any, int] = {}
        self._versions = 0
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
            Write: lambda request: self._cells.write(request.cell, request.at, request.value),
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
        number, size = self._links.send(request.to, request.tag, request.value)
        self._log.sent.append(Sent(request.to, number, request.tag, first_name(request.value), size, sent_s))

    def _receive(self, request: Recv) -> tuple[int, Any]:
        self.waiting = request.tag
        letter = self._mailbox.take(request)
        self.waiting = None
        self._log.taken_s[letter.source, letter.number] = time.monotonic()
        return letter.source, letter.value

    def _all_reduce(self, request: AllReduce) -> Any:
        """Every participant sends its value to every other; each then sums all of them in the same order."""
        tag = f"all_reduce {request.tag} {self._next(('all_reduce', request.tag))}"
        others = [node for node in request.participants if node != self._log.node]
        size = sum(self._links.send(node, tag, request.value)[1] for node in others)
        handle = Handle(request, tag, size)
        return self._reduced(handle) if request.blocking else handle

    def _reduced(self, handle: Handle) -> Any:
        request, start_s, values = handle.request, time.monotonic(), []
        self.waiting = f"all-reduce {request.tag}"
        for node in request.participants:
            if node == self._log.node:
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
        value = self._cells.read(request.cell, request.at)
        self.waiting = None
        return value

    def _modify(self, request: Modify) -> Any:
        def change(content: Any) -> Any:
            start_s = time.monotonic()
            value = request.operation(content, *request.args)
            self._computed(request.operation.__name__, value, start_s)
            return value

        return self._cells.modify(request.cell, request.at, change)

    def _report(self, request: Report) -> bool:
        if request.shared:
            version, time_s = self._cells.counted()
        else:
            version, time_s = self._next("report"), time.monotonic()
        last = self._setup.updates
        if version <= last:
            noted = version % self._setup.checksums_every == 0 or version == last
            row = Reported(
                version, request.weights.name, time_s, request.part, request.shared,
                checksum(request.weights) if noted else None,
            )  # fmt: skip
            self._log.reported.append(row)
            self._versions = version + 1
            self._note_progress()
        if version in (0, last):
            self._announce("first" if version == 0 else "last", "shared" if request.shared else request.part)
        return version < last

    def _computed(
        self, name: str, value: Any, start_s: float, *, completed: bool = True, size_bytes: int = 0
    ) -> None:
        row = Computed(name, first_name(value), start_s, time.monotonic(), completed, size_bytes)
        self._log.computed.append(row)
        self._note_progress()

    def _note_progress(self) -> None:
        self._progress.note(self._log.node, len(self._log.computed), self._versions)

    def _next(self, what: Any) -> int:
        count = self._counts.get(what, 0)
        self._counts[what] = count + 1
        return count


def checksum(state: Named) -> str:
    """SHA-256 of the bytes of a state's weights."""
    return digest(state.value[0])


def digest(weights: Any) -> str:
    """SHA-256 of the bytes of a tensor, row by row."""
    return hashlib.sha256(weights.contiguous().numpy()).hexdigest()


def _stage(operation: Callable) -> int | None:
    return getattr(getattr(operation, "__self__", None), "l", None)
