"""A cluster of any size on a virtual clock.

Each node drives one program, request by request. Compute takes the machine's cost times the straggler's
slowdown; a message waits for the sender's link, crosses it, and waits for the receiver's (so many workers that write
to one server contend for its link). Time never depends on values.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from rebuttal.base.errors import InputError
from rebuttal.core import value_operations
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
from rebuttal.simulation.cluster.clock import Clock, NothingLeftError
from rebuttal.simulation.cluster.driving import WAITS, Node, Perform
from rebuttal.simulation.cluster.network import Network
from rebuttal.simulation.cluster.request_costs import STRAGGLING, Pricing, seconds_of
from rebuttal.simulation.cluster.shared_memory import SharedCells
from rebuttal.simulation.cluster.versions import Versions


class Price(NamedTuple):
    """Of an operation: its name, its seconds without straggling, and which of a node's operations straggle with it."""

    name: str
    seconds: float
    straggling: tuple[str, int | None] | None


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
        self._prices: dict[tuple[Callable, int], Price] = {}
        self._computed: dict[tuple[int, tuple], Iterator[int]] = defaultdict(count)
        self._versions = Versions(budget, self._made, self._clock.stop)
        self._collectives = Collectives(self._clock, pricing, recorder)

    def run(self, programs: Mapping[int, Program]) -> None:
        """Run until the budget is spent. Raises InputError if every program waits for a message that never comes."""
        self._network = Network(self._clock, self._pricing, self._recorder, programs)
        self._cells = SharedCells(self._clock, self._pricing, self._recorder, self._network)
        perform: dict[type, Perform] = {
            Compute: self._compute,
            Send: self._network.send,
            Recv: self._network.receive,
            AllReduce: self._collectives.begin,
            Wait: self._collectives.wait,
            Read: self._cells.read,
            Write: self._cells.write,
            Modify: self._cells.modify,
            Report: self._versions.report,
        }
        if self._pricing.overhead_s is not None:
            perform = {kind: self._after_overhead(answer) for kind, answer in perform.items()}
        for number, program in programs.items():
            self._clock.soon(Node(number, program, perform).resume, None)
        try:
            self._clock.run()
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

    def _after_overhead(self, perform: Perform) -> Perform:
        """The same, once the overhead of the request is over."""

        def begin(node: Node, request: Any) -> Any:
            assert self._pricing.overhead_s is not None
            wait_s = self._pricing.overhead_s(node.number, request)
            if not wait_s:
                return perform(node, request)
            self._clock.after(wait_s, lambda _: node.resume(perform(node, request)), None)
            return WAITS

        return begin

    def _compute(self, node: Node, request: Compute) -> Any:
        """WAITS: for the value, or for None if a message comes first."""
        operation, args, start_s = request.operation, request.args, self._clock.now
        value = operation(*args)
        known = self._prices.get((operation, len(args)))
        name, duration_s, straggling = known or self._price(operation, args)
        if straggling is not None:
            index = next(self._computed[node.number, straggling])
            duration_s *= self._pricing.slowdown(node.number, index)
        if request.unless is None:
            self._recorder.compute(node.number, name, value, start_s, start_s + duration_s, True)
            self._clock.after(duration_s, node.resume, value)
        else:
            self._first_of(node, duration_s, request.unless, (name, value, start_s))
        return WAITS

    def _price(self, operation: Callable, args: tuple) -> Price:
        """What an operation takes; kept unless it is one of a method's own, whose price may depend on the values."""
        seconds, name = seconds_of(self._pricing, operation, args), operation.__name__
        stage = getattr(getattr(operation, "__self__", None), "l", None)
        price = Price(name, seconds, (name, stage) if name in STRAGGLING else None)
        if not value_operations.of(operation):
            self._prices[operation, len(args)] = price
        return price

    def _first_of(self, node: Node, duration_s: float, tag: str, row: tuple[str, Any, float]) -> None:
        """On with the value after the duration, or with None as soon as a message with this tag is in the mail."""
        decided = False

        def decide(answer: Any) -> None:
            nonlocal decided
            if not decided:
                decided = True
                self._clock.soon(end, answer)

        def end(answer: Any) -> None:
            self._network.forget(node.number)
            self._recorder.compute(node.number, *row, self._clock.now, completed=answer is not None)
            node.resume(answer)

        self._clock.after(duration_s, decide, row[1])
        self._network.abandon_when(node.number, tag, decide)

    def _made(self, number: int, version: int, weights: Any) -> None:
        """A version of the weights is there."""
        self._recorder.update(number, weights, self._clock.now)
        if self._on_report is not None:
            self._on_report(version, weights)
