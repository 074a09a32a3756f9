"""The network of a virtual cluster: links that carry one message after the other, and every node's mail."""

import functools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from rebuttal.core.timeline import Recorder
from rebuttal.core.verbs import Recv, Send
from rebuttal.machines.hardware import Link
from rebuttal.simulation.cluster.clock import Clock, Event
from rebuttal.simulation.cluster.request_costs import Pricing

Then = Callable[[Event], Any]  # what is done when an event happens


@dataclass(slots=True)
class _Message:
    source: int
    destination: int
    tag: str
    value: Any
    row: int


@dataclass(slots=True)
class _Port:
    """A node's end of the network: its mail, what it waits for, until when its link's two directions are busy."""

    link: Link
    mail: dict[str, deque[_Message]] = field(default_factory=dict)
    awaited: Recv | None = None
    wake: Event | None = None
    abandon_at: str | None = None
    abandon: Event | None = None
    sending_until_s: float = 0.0
    receiving_until_s: float = 0.0


class Network:
    """Carries messages between nodes.

    A message waits for the sender's link, crosses with the link's latency, and waits for the receiver's link, which
    takes one message after the other: workers that write to one server at once contend for it.
    """

    def __init__(self, clock: Clock, pricing: Pricing, recorder: Recorder, nodes: Iterable[int]) -> None:
        self._clock, self._pricing, self._recorder = clock, pricing, recorder
        self._ports = {number: _Port(pricing.link(number)) for number in nodes}

    def send(self, number: int, request: Send) -> None:
        """The message is in the receiver's mail when its last byte has crossed both links."""
        size = self._pricing.size_bytes(request.value)
        row = self._recorder.message(number, request.to, request.tag, request.value, size, self._clock.now)
        message = _Message(number, request.to, request.tag, request.value, row)
        self.carry(number, request.to, size, functools.partial(self._deliver, message))

    def carry(self, source: int, destination: int, size_bytes: int, then: Then) -> None:
        """Bytes from node to node: they leave when the sender's link is free, and arrive one latency later."""
        node, now_s = self._ports[source], self._clock.now
        if not size_bytes:
            self._clock.timeout(node.link.latency_s).callbacks.append(then)
            return
        start_s = max(now_s, node.sending_until_s)
        node.sending_until_s = start_s + size_bytes / node.link.bandwidth_bytes_per_s
        way = (source, destination, size_bytes, then)
        self._clock.timeout(start_s + node.link.latency_s - now_s, way).callbacks.append(self._reach)

    def _reach(self, event: Event) -> None:
        """The first byte is at the receiver, whose link takes messages one after the other, at the slower speed."""
        source, destination, size_bytes, then = event.value
        node, now_s = self._ports[destination], self._clock.now
        speed = min(node.link.bandwidth_bytes_per_s, self._ports[source].link.bandwidth_bytes_per_s)
        own_end_s = now_s + size_bytes / speed
        queued_end_s = node.receiving_until_s + size_bytes / node.link.bandwidth_bytes_per_s
        node.receiving_until_s = max(own_end_s, queued_end_s)
        self._clock.timeout(node.receiving_until_s - now_s).callbacks.append(then)

    def _deliver(self, message: _Message, _: Event) -> None:
        """The last byte is there: into the mail, and wake whoever waits for it."""
        node = self._ports[message.destination]
        self._recorder.arrived(message.row, self._clock.now)
        mail = node.mail.get(message.tag)
        if mail is None:
            mail = node.mail[message.tag] = deque()
        mail.append(message)
        if node.abandon_at == message.tag and node.abandon is not None and not node.abandon.triggered:
            node.abandon.succeed(None)
        if node.awaited is not None and node.wake is not None:
            taken = self._take(node, node.awaited)
            if taken is not None:
                wake, node.awaited, node.wake = node.wake, None, None
                wake.succeed(taken)

    def receive(self, number: int, request: Recv) -> tuple[int, Any] | Event:
        """(source, value) if the message is in the mail, else an event that will have it."""
        node = self._ports[number]
        taken = self._take(node, request)
        if taken is not None:
            return taken
        node.awaited, node.wake = request, self._clock.event()
        return node.wake

    def _take(self, node: _Port, request: Recv) -> tuple[int, Any] | None:
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

    def abandon_when(self, number: int, tag: str, outcome: Event) -> None:
        """Let `outcome` be None as soon as a message with this tag is in the node's mail, unless it is over by then."""
        port = self._ports[number]
        port.abandon_at, port.abandon = tag, outcome
        if port.mail.get(tag):
            outcome.succeed(None)

    def forget(self, number: int) -> None:
        """Nothing is left to abandon on this node."""
        port = self._ports[number]
        port.abandon_at = port.abandon = None

    def waiting(self) -> dict[int, str]:
        """Node -> the tag that it waits for."""
        return {number: port.awaited.tag for number, port in self._ports.items() if port.awaited}
