"""A cluster of any size on a virtual clock.

Each node drives one program, request by request. Compute takes the machine's cost times the straggler's
slowdown; a message waits for the sender's link, crosses it, and waits for the receiver's (so many workers that write
to one server contend for its link). Time never depends on values.
"""

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rebuttal.base.errors import InputError
from rebuttal.core.timeline import Recorder
from rebuttal.core.verbs import (
    AllReduce,
    Compute,
    Modify,
    Program,
    Read,
    Recv,
    Report,
    Send,
    Wait,
    Write,
)
from rebuttal.simulation.cluster.all_reduces import Collectives
from rebuttal.simulation.cluster.budget import Budget
from rebuttal.simulation.cluster.clock import Clock, Event, NothingLeftError
from rebuttal.simulation.cluster.driving import ProgramLoop
from rebuttal.simulation.cluster.network import Network
from rebuttal.simulation.cluster.request_costs import STRAGGLING, Pricing, seconds_of
from rebuttal.simulation.cluster.shared_memory import SharedCells
from rebuttal.simulation.cluster.versions import Versions


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
        self._recorder = recorder
        self._on_report = on_report
        self._clock = Clock()
        self._computed: dict[tuple, int] = {}
        self._versions = Versions(budget, self._made)
        self._collectives = Collectives(self._clock, pricing, recorder)

    def run(self, programs: Mapping[int, Program]) -> None:
        """Run until the budget is spent. Raises InputError if every program waits for a message that never comes."""
        self._network = Network(self._clock, self._pricing, self._recorder, programs)
        self._cells = SharedCells(self._clock, self._pricing, self._recorder, self._network)
        perform = {
            Compute: self._compute,
            Send: self._network.send,
            Recv: self._network.receive,
            AllReduce: self._collectives.begin,
            Wait: lambda _, request: request.handle.event,
            Read: self._cells.read,
            Write: self._cells.write,
            Modify: self._cells.modify,
            Report: self._versions.report,
        }
        for number, program in programs.items():
            ProgramLoop(self._clock, number, program, perform, self._pricing.overhead_s).start()
        try:
            while not self._versions.finished:
                self._clock.step()
        except NothingLeftError as error:
            raise self._stuck() from error
        for program in programs.values():
            program.close()

    def _stuck(self) -> InputError:
        """The error for a run in which nothing more can happen, with what the first nodes wait for."""
        waiting = self._network.waiting() | self._collectives.waiting() | self._cells.waiting()
        if not waiting:
            return InputError("method: all programs ended early; allowed: to end when Report answers False")
        listed = ", ".join(f"node {n} for {tag!r}" for n, tag in sorted(waiting.items())[:5])
        more = f" and {len(waiting) - 5} more" if len(waiting) > 5 else ""
        return InputError(f"method: all nodes wait and no message is on its way: {listed}{more}")

    def _compute(self, number: int, request: Compute) -> Event:
        name, start_s = request.operation.__name__, self._clock.now
        stage = getattr(request.operation, "__self__", None)
        value = request.operation(*request.args)
        duration_s = seconds_of(self._pricing, request.operation, request.args)
        if name in STRAGGLING:
            which = (number, name, getattr(stage, "l", None))
            index = self._computed.get(which, 0)
            self._computed[which] = index + 1
            duration_s *= self._pricing.slowdown(number, index)
        done = self._clock.timeout(duration_s, value)
        if request.unless is None:
            self._recorder.compute(number, name, value, start_s, start_s + duration_s, completed=True)
            return done
        return self._first_of(done, request.unless, (number, name, value, start_s))

    def _first_of(self, done: Event, tag: str, row: tuple[int, str, Any, float]) -> Event:
        """`done`, or None as soon as a message with this tag is in the mail."""
        outcome = self._clock.event()

        def finish(event: Event) -> None:
            if not outcome.triggered:
                outcome.succeed(event.value)

        def record(event: Event) -> None:
            self._network.forget(row[0])
            self._recorder.compute(*row, end_s=self._clock.now, completed=event.value is not None)

        done.callbacks.append(finish)
        outcome.callbacks.append(record)
        self._network.abandon_when(row[0], tag, outcome)
        return outcome

    def _made(self, number: int, version: int, weights: Any) -> None:
        """A version of the weights is there."""
        self._recorder.update(number, weights, self._clock.now)
        if self._on_report is not None:
            self._on_report(version, weights)
