"""Memory that several nodes see: of the machine they all run on, or of one node that others reach one-sidedly."""

from collections.abc import Callable
from typing import Any

from rebuttal.core.timeline import Recorder
from rebuttal.core.verbs import Modify, Read, Write
from rebuttal.simulation.cluster.clock import Clock
from rebuttal.simulation.cluster.driving import WAITS, Node
from rebuttal.simulation.cluster.network import Network
from rebuttal.simulation.cluster.request_costs import Pricing, seconds_of

Address = tuple[int | None, str]


class SharedCells:
    """Reads, writes and modifies cells. The owner of a remote cell takes no part and spends no time.

    A read of another node's cell takes one latency to ask and then the way of a message with its content, as of the
    moment when it leaves. A write takes the way of a message, and one latency for the answer.
    """

    def __init__(self, clock: Clock, pricing: Pricing, recorder: Recorder, network: Network) -> None:
        self._clock, self._pricing, self._recorder, self._network = clock, pricing, recorder, network
        self._contents: dict[Address, Any] = {}
        self._awaited: dict[Address, list[tuple[int, Callable[[], Any]]]] = {}

    def read(self, node: Node, request: Read) -> Any:
        """WAITS: for the first content, and for the way of what the cell has then."""
        number, address = node.number, (request.at, request.cell)

        def answer() -> None:
            content = self._contents[address]
            if self._near(number, request.at):
                self._clock.soon(node.resume, content)
            else:
                tell = lambda: self._clock.soon(node.resume, content)  # noqa: E731 - a local rule
                self._carry(request.at, number, f"read {request.cell}", content, tell)

        ask = lambda: self._once_filled(number, address, answer)  # noqa: E731 - a local rule
        self._after(0.0 if self._near(number, request.at) else self._latency_s(number), ask)
        return WAITS

    def write(self, node: Node, request: Write) -> Any:
        """WAITS: until it is written."""
        return self._store(node, request.at, request.cell, request.value, lambda _: request.value, False)

    def modify(self, node: Node, request: Modify) -> Any:
        """WAITS: for the new content, after the first one; near memory is modified by the node, in its time."""
        change = lambda content: request.operation(content, *request.args)  # noqa: E731 - a local rule
        if not self._near(node.number, request.at):
            return self._store(node, request.at, request.cell, request.args, change, True)
        address = (request.at, request.cell)

        def begin() -> None:
            start_s, args = self._clock.now, (self._contents[address], *request.args)

            def finish() -> None:
                content = self._put(address, change)
                row = (node.number, request.operation.__name__, content, start_s, self._clock.now)
                self._recorder.compute(*row, completed=True)
                self._clock.soon(node.resume, content)

            self._after(seconds_of(self._pricing, request.operation, args), finish)

        self._once_filled(node.number, address, begin)
        return WAITS

    def waiting(self) -> dict[int, str]:
        """Node -> the cell for whose first content it waits."""
        return {number: f"cell {address[1]}" for address, some in self._awaited.items() for number, _ in some}

    def _store(
        self, node: Node, at: int | None, cell: str, value: Any, change: Callable, modifies: bool
    ) -> Any:
        """WAITS: `value` is carried to the cell, which changes there, and the answer comes back."""
        number = node.number

        def store() -> None:
            content = self._put((at, cell), change)
            answer = content if modifies else None
            back_s = 0.0 if self._near(number, at) else self._latency_s(number)
            self._after(back_s, lambda: self._clock.soon(node.resume, answer))

        # what changes a cell needs its content; a write does not
        arrive = (lambda: self._once_filled(number, (at, cell), store)) if modifies else store
        if self._near(number, at):
            arrive()
        else:
            self._carry(number, at, f"write {cell}", value, arrive)
        return WAITS

    def _once_filled(self, number: int, address: Address, then: Callable[[], Any]) -> None:
        """At once if the cell has a content, else when it has its first one, in the order of arrival."""
        if address in self._contents:
            then()
        else:
            self._awaited.setdefault(address, []).append((number, then))

    def _put(self, address: Address, change: Callable[[Any], Any]) -> Any:
        content = self._contents[address] = change(self._contents.get(address))
        for _, then in self._awaited.pop(address, ()):
            then()
        return content

    def _carry(
        self, source: int | None, to: int | None, tag: str, value: Any, then: Callable[[], Any]
    ) -> None:
        """The way of a message between two nodes, in the record as one that was taken on arrival."""
        assert source is not None
        assert to is not None
        size = self._pricing.size_bytes(value)
        row = self._recorder.message(source, to, tag, value, size, self._clock.now)

        def arrived(_: None) -> None:
            self._recorder.handed_over(row, self._clock.now)
            then()

        self._network.carry(source, to, size, arrived, None)

    def _near(self, number: int, at: int | None) -> bool:
        return self._pricing.is_near(number, at)

    def _latency_s(self, number: int) -> float:
        return self._pricing.link(number).latency_s

    def _after(self, delay_s: float, then: Callable[[], Any]) -> None:
        self._clock.after(delay_s, lambda _: then(), None)
