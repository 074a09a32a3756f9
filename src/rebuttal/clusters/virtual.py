"""A cluster of any size on a virtual clock, on SimPy.

Each node is one SimPy process that drives one program. Compute takes the machine's cost times the straggler's
slowdown; a message waits for the sender's link, crosses it, and waits for the receiver's (so many workers that write
to one server contend for its link). Time never depends on values.
"""

import contextlib
import gc
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import simpy
from simpy.core import EmptySchedule

from rebuttal.clusters.budget import Budget
from rebuttal.clusters.network import Network
from rebuttal.clusters.pricing import Pricing
from rebuttal.errors import InputError
from rebuttal.rules import mean
from rebuttal.timeline import Recorder
from rebuttal.verbs import AllReduce, Compute, Program, Recv, Report, Request, Send


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the search for cyclic garbage: a run makes hardly any, and looking costs more the longer the run is."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
        self._computed: dict[int, int] = {}
        self._gathered: dict[tuple[str, int], dict[int, tuple[Any, simpy.Event]]] = {}
        self._rounds: dict[tuple[str, int], int] = {}
        self._versions: dict[int, int] = {}
        self._finished = self._clock.event()

    def run(self, programs: Mapping[int, Program]) -> None:
        """Run until the budget is spent. Raises InputError if every program waits for a message that never comes."""
        self._network = Network(self._clock, self._pricing, self._recorder, programs)
        for number, program in programs.items():
            self._clock.process(self._drive(number, program))
        try:
            while not self._finished.processed:
                self._clock.step()
        except EmptySchedule as error:
            raise self._stuck() from error
        for program in programs.values():
            program.close()

    def _run_until_finished(self) -> None:
        try:
            while not self._finished.processed:
                self._clock.step()
        except EmptySchedule as error:
            raise self._stuck() from error

    def _stuck(self) -> InputError:
        """The error for a run in which nothing more can happen, with what the first nodes wait for."""
        waiting = self._network.waiting()
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
            Send: self._network.send,
            Recv: self._network.receive,
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
        name, start_s = request.operation.__name__, self._clock.now
        value = request.operation(*request.args)
        duration_s = self._pricing.seconds(name, request.args)
        if name == "gradient":
            index = self._computed.get(number, 0)
            self._computed[number] = index + 1
            duration_s *= self._pricing.slowdown(request.args[1][0], index)
        done = self._clock.timeout(duration_s, value)
        if request.unless is None:
            self._recorder.compute(number, name, value, start_s, start_s + duration_s, completed=True)
            return done
        return self._first_of(done, request.unless, (number, name, value, start_s))

    def _first_of(self, done: simpy.Event, tag: str, row: tuple[int, str, Any, float]) -> simpy.Event:
        """`done`, or None as soon as a message with this tag is in the mail."""
        outcome = self._clock.event()

        def finish(event: simpy.Event) -> None:
            if not outcome.triggered:
                outcome.succeed(event.value)

        def record(event: simpy.Event) -> None:
            self._network.forget(row[0])
            self._recorder.compute(*row, end_s=self._clock.now, completed=event.value is not None)

        done.callbacks.append(finish)
        outcome.callbacks.append(record)
        self._network.abandon_when(row[0], tag, outcome)
        return outcome

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

        def tell_all(_: simpy.Event) -> None:
            for _, done in gathered.values():
                done.succeed(result)

        self._clock.timeout(duration_s).callbacks.append(tell_all)

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
