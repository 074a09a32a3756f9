"""A cluster of any size on a virtual clock, on SimPy.

Each node is one SimPy process that drives one program. Compute takes the machine's cost times the straggler's
slowdown; a message waits for the sender's link, crosses it, and waits for the receiver's (so many workers that write
to one server contend for its link). Time never depends on values.
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import simpy
from simpy.core import EmptySchedule

from rebuttal.clusters.budget import Budget
from rebuttal.errors import InputError
from rebuttal.machines import Link
from rebuttal.rules import mean
from rebuttal.timeline import Recorder
from rebuttal.verbs import AllReduce, Compute, Program, Recv, Report, Request, Send


class Pricing(Protocol):
    """What the clock needs to know: seconds of an operation, bytes of a value, links of a node."""

    def seconds(self, operation: str, args: tuple) -> float:
        """Seconds of an operation on these arguments, without straggling."""
        ...

    def slowdown(self, worker: int, index: int) -> float:
        """The factor by which a worker's `index`-th gradient takes longer."""
        ...

    def size_bytes(self, value: Any) -> int:
        """Bytes of a value on the wire."""
        ...

    def link(self, node: int) -> Link:
        """The connection of a node."""
        ...

    def all_reduce_s(self, nodes: int, size_bytes: int) -> float:
        """Seconds of an all-reduce over so many nodes."""
        ...


@dataclass(slots=True)
class _Message:
    source: int
    destination: int
    tag: str
    value: Any
    size_bytes: int
    row: int


@dataclass(slots=True)
class _Node:
    """What a node holds: its mail, what it waits for, and until when its link's two directions are busy."""

    link: Link
    mail: dict[str, deque[_Message]] = field(default_factory=dict)
    awaited: Recv | None = None
    wake: simpy.Event | None = None
    abandon_at: str | None = None
    abandon: simpy.Event | None = None
    sending_until_s: float = 0.0
    receiving_until_s: float = 0.0
    computed: int = 0


class VirtualCluster:
    """Runs programs, one per node, on a virtual clock.

    `pricing` sets the durations, `budget` the end of the run, `recorder` takes the rows. `on_report(version, weights)`
    sees every reported version (the eager oracle evaluates there).
    """

    def __init__(
        self,
        pricing: Pricing,
        budget: Budget,
        recorder: Recorder,
        on_report: Callable[[int, Any], None] | None = None,
    ) -> None:
        self._pricing = pricing
        self._budget = budget
        self._recorder = recorder
        self._on_report = on_report
        self._clock = simpy.Environment()
        self._nodes: dict[int, _Node] = {}
        self._gathered: dict[tuple[str, int], dict[int, tuple[Any, simpy.Event]]] = {}
        self._rounds: dict[tuple[str, int], int] = {}
        self._versions: dict[int, int] = {}
        self._finished = self._clock.event()

    def run(self, programs: Mapping[int, Program]) -> None:
        """Run until the budget is spent. Raises InputError if every program waits for a message that never comes."""
        self._nodes = {number: _Node(self._pricing.link(number)) for number in programs}
        for number, program in programs.items():
            self._clock.process(self._drive(number, program))
        try:
            while not self._finished.processed:
                self._clock.step()
        except EmptySchedule as error:
            raise self._stuck() from error
        for program in programs.values():
            program.close()

    def _stuck(self) -> InputError:
        """The error for a run in which nothing more can happen, with what the first nodes wait for."""
        waiting = {n: node.awaited.tag for n, node in self._nodes.items() if node.awaited}
        waiting |= {n: f"all-reduce {tag}" for (tag, _), gathered in self._gathered.items() for n in gathered}
        if not waiting:
            return InputError("method: all programs ended early; allowed: to end when Report answers False")
        listed = ", ".join(f"node {n} for {tag!r}" for n, tag in sorted(waiting.items())[:5])
        more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
        return InputError(f"method: all nodes wait and no message is on its way: {listed}{more}")

    def _drive(self, number: int, program: Program) -> Generator[simpy.Event, Any, None]:
        """Answer a program's requests one after the other: each gives its answer, or an event that will."""
        perform = {
            Compute: self._compute,
            Send: self._send,
            Recv: self._receive,
            AllReduce: self._all_reduce,
            Report: self._report,
        }
        answer = None
        while True:
            try:
                request: Request = program.send(answer)
            except StopIteration:
                return
            answer = perform[type(request)](number, request)
            if isinstance(answer, simpy.Event):
                answer = yield answer

    def _compute(self, number: int, request: Compute) -> simpy.Event:
        node, name, start_s = self._nodes[number], request.operation.__name__, self._clock.now
        value = request.operation(*request.args)
        duration_s = self._pricing.seconds(name, request.args)
        if name == "gradient":
            duration_s *= self._pricing.slowdown(request.args[1][0], node.computed)
            node.computed += 1
        done = self._clock.timeout(duration_s, value)
        if request.unless is None:
            self._recorder.compute(number, name, value, start_s, start_s + duration_s, completed=True)
            return done
        return self._first_of(done, node, request.unless, (number, name, value, start_s))

    def _first_of(self, done: simpy.Event, node: _Node, tag: str, row: tuple) -> simpy.Event:
        """`done`, or None as soon as a message with this tag is in the mail."""
        outcome = self._clock.event()

        def finish(event: simpy.Event) -> None:
            if not outcome.triggered:
                outcome.succeed(event.value)

        def record(event: simpy.Event) -> None:
            node.abandon_at = node.abandon = None
            node_number, name, value, start_s = row
            done_s, completed = self._clock.now, event.value is not None
            self._recorder.compute(node_number, name, value, start_s, done_s, completed)

        done.callbacks.append(finish)
        outcome.callbacks.append(record)
        node.abandon_at, node.abandon = tag, outcome
        if node.mail.get(tag):
            outcome.succeed(None)
        return outcome

    def _send(self, number: int, request: Send) -> None:
        """First byte leaves when the sender's link is free; the message is then in `_reach` one latency later."""
        node, now_s = self._nodes[number], self._clock.now
        size = self._pricing.size_bytes(request.value)
        row = self._recorder.message(number, request.to, request.tag, request.value, size, now_s)
        message = _Message(number, request.to, request.tag, request.value, size, row)
        if not size:
            self._after(node.link.latency_s, self._deliver, message)
            return
        start_s = max(now_s, node.sending_until_s)
        node.sending_until_s = start_s + size / node.link.bandwidth_bytes_per_s
        self._after(start_s + node.link.latency_s - now_s, self._reach, message)

    def _reach(self, event: simpy.Event) -> None:
        """The first byte is at the receiver, whose link takes messages one after the other, at the slower speed."""
        message = cast(_Message, event.value)
        node, now_s = self._nodes[message.destination], self._clock.now
        sender = self._nodes[message.source].link
        speed = min(node.link.bandwidth_bytes_per_s, sender.bandwidth_bytes_per_s)
        own_end_s = now_s + message.size_bytes / speed
        queued_end_s = node.receiving_until_s + message.size_bytes / node.link.bandwidth_bytes_per_s
        node.receiving_until_s = max(own_end_s, queued_end_s)
        self._after(node.receiving_until_s - now_s, self._deliver, message)

    def _after(self, delay_s: float, then: Callable[[simpy.Event], None], what: Any) -> None:
        event = self._clock.timeout(delay_s, what)
        event.callbacks.append(then)

    def _deliver(self, event: simpy.Event) -> None:
        """The last byte is there: into the mail, and wake whoever waits for it."""
        message = cast(_Message, event.value)
        node = self._nodes[message.destination]
        self._recorder.arrived(message.row, self._clock.now)
        node.mail.setdefault(message.tag, deque()).append(message)
        if node.abandon_at == message.tag and node.abandon is not None and not node.abandon.triggered:
            node.abandon.succeed(None)
        if node.awaited is not None and node.wake is not None:
            taken = self._take(node, node.awaited)
            if taken is not None:
                wake, node.awaited, node.wake = node.wake, None, None
                wake.succeed(taken)

    def _receive(self, number: int, request: Recv) -> Any:
        node = self._nodes[number]
        taken = self._take(node, request)
        if taken is not None:
            return taken
        node.awaited, node.wake = request, self._clock.event()
        return node.wake

    def _take(self, node: _Node, request: Recv) -> tuple[int, Any] | None:
        """The message that `request` asks for, out of the mail; None if it is not there."""
        mail = node.mail.get(request.tag)
        if not mail:
            return None
        if request.source is None:
            message = mail.pop() if request.latest else mail.popleft()
        else:
            matching = [m for m in mail if m.source == request.source]
            if not matching:
                return None
            message = matching[-1 if request.latest else 0]
            mail.remove(message)
        if request.latest:
            node.mail[request.tag] = deque(m for m in mail if request.source not in (None, m.source))
        self._recorder.received(message.row, self._clock.now)
        return message.source, message.value

    def _all_reduce(self, number: int, request: AllReduce) -> simpy.Event:
        """Everyone waits for the last to come, then for the collective; the mean is taken in node order."""
        turn = self._rounds.get((request.tag, number), 0)
        self._rounds[request.tag, number] = turn + 1
        gathered = self._gathered.setdefault((request.tag, turn), {})
        done = self._clock.event()
        gathered[number] = (request.value, done)
        if len(gathered) == len(request.participants):
            del self._gathered[request.tag, turn]
            self._finish_all_reduce(request, gathered)
        return done

    def _finish_all_reduce(self, request: AllReduce, gathered: dict[int, tuple[Any, simpy.Event]]) -> None:
        result = mean(*(gathered[node][0] for node in request.participants))
        duration_s = self._pricing.all_reduce_s(len(gathered), self._pricing.size_bytes(request.value))
        self._recorder.collective(request.tag, request.participants, result, self._clock.now, duration_s)
        for _, done in gathered.values():
            self._after(duration_s, self._pass_on, (done, result))

    def _pass_on(self, event: simpy.Event) -> None:
        """The collective is over: `event` carries the participant's own event and the result."""
        done, result = cast(tuple[simpy.Event, Any], event.value)
        done.succeed(result)

    def _report(self, number: int, request: Report) -> bool:
        version = self._versions.get(number, 0)
        self._versions[number] = version + 1
        first = next(iter(self._versions))
        if number == first:
            self._recorder.update(number, request.weights, self._clock.now)
            if self._on_report is not None:
                self._on_report(version, request.weights)
        more = self._budget.allows(version, request.weights)
        if not more and number == first and not self._finished.triggered:
            self._finished.succeed()
        return more
