"""Memory that several nodes see: of the machine they all run on, or of one node that others reach one-sidedly."""

from collections.abc import Callable
from typing import Any

import simpy

from rebuttal.core.timeline import Recorder
from rebuttal.core.verbs import Modify, Read, Write
from rebuttal.simulation.cluster.network import Network
from rebuttal.simulation.cluster.request_costs import Pricing

Address = tuple[int | None, str]


class SharedCells:
    """Reads, writes and modifies cells. The owner of a remote cell takes no part and spends no time.

    A read of another node's cell takes one latency to ask and then the way of a message with its content, as of the
    moment when it leaves. A write takes the way of a message, and one latency for the answer.
    """

    def __init__(
        self, clock: simpy.Environment, pricing: Pricing, recorder: Recorder, network: Network
    ) -> None:
        self._clock, self._pricing, self._recorder, self._network = clock, pricing, recorder, network
        self._contents: dict[Address, Any] = {}
        self._awaited: dict[Address, list[Callable[[], Any]]] = {}

    def read(self, number: int, request: Read) -> simpy.Event:
        """The event of the content, which waits for the first one."""
        address, done = (request.at, request.cell), self._clock.event()

        def answer() -> None:
            content = self._contents[address]
            if self._near(number, request.at):
                done.succeed(content)
            else:
                self._carry(
                    address[0], number, f"read {request.cell}", content, lambda: done.succeed(content)
                )

        def ask() -> None:
            if address in self._contents:
                answer()
            else:
                self._awaited.setdefault(address, []).append(answer)

        self._after(0.0 if self._near(number, request.at) else self._latency_s(number), ask)
        return done

    def write(self, number: int, request: Write) -> simpy.Event:
        """The event of the answer that it is written."""
        return self._store(
            number, request.at, request.cell, request.value, lambda _: request.value, answer=None
        )

    def modify(self, number: int, request: Modify) -> simpy.Event:
        """The event of the new content; near memory is modified by the node itself, which takes its time."""
        change = lambda content: request.operation(content, *request.args)  # noqa: E731 - a local rule
        if not self._near(number, request.at):
            return self._store(number, request.at, request.cell, request.args, change, answer=change)
        name, start_s, done = request.operation.__name__, self._clock.now, self._clock.event()
        part = getattr(request.operation, "__self__", None)
        duration_s = self._pricing.seconds(name, (None, *request.args), part)

        def finish() -> None:
            content = self._put((request.at, request.cell), change)
            self._recorder.compute(number, name, content, start_s, self._clock.now, completed=True)
            done.succeed(content)

        self._after(duration_s, finish)
        return done

    def _store(
        self, number: int, at: int | None, cell: str, value: Any, change: Callable, answer: Callable | None
    ) -> simpy.Event:
        """Carry `value` to the cell, change it there, and tell the caller."""
        done = self._clock.event()

        def arrive() -> None:
            content = self._put((at, cell), change)
            reply = content if answer else None
            back_s = 0.0 if self._near(number, at) else self._latency_s(number)
            self._after(back_s, lambda: done.succeed(reply))

        if self._near(number, at):
            arrive()
        else:
            self._carry(number, at, f"write {cell}", value, arrive)
        return done

    def _put(self, address: Address, change: Callable[[Any], Any]) -> Any:
        content = self._contents[address] = change(self._contents.get(address))
        for answer in self._awaited.pop(address, ()):
            answer()
        return content

    def _carry(
        self, source: int | None, to: int | None, tag: str, value: Any, then: Callable[[], Any]
    ) -> None:
        """The way of a message between two nodes, in the record as one that was taken on arrival."""
        assert source is not None
        assert to is not None
        size = self._pricing.size_bytes(value)
        row = self._recorder.message(source, to, tag, value, size, self._clock.now)

        def arrived() -> None:
            self._recorder.arrived(row, self._clock.now)
            self._recorder.received(row, self._clock.now)
            then()

        self._network.carry(source, to, size, arrived)

    def _near(self, number: int, at: int | None) -> bool:
        return self._pricing.is_near(number, at)

    def _latency_s(self, number: int) -> float:
        return self._pricing.link(number).latency_s

    def _after(self, delay_s: float, then: Callable[[], Any]) -> None:
        self._clock.timeout(delay_s).callbacks.append(lambda _: then())
