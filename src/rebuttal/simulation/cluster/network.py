"""The network of a virtual cluster: links that carry one message after the other, and every node's mail."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rebuttal.core.timeline import Recorder
from rebuttal.core.verbs import Recv, Send
from rebuttal.simulation.cluster.clock import Call, Clock
from rebuttal.simulation.cluster.driving import WAITS, Node
from rebuttal.simulation.cluster.request_costs import Pricing

_Letter = tuple[int, int, Any]  # who sent it, its row of the record, the value


@dataclass(slots=True)
class _Port:
    """A node's end of the network: its mail, what it waits for, until when its link's two directions are busy."""

    latency_s: float
    bandwidth: float
    mail: dict[str, deque[_Letter]] = field(default_factory=dict)
    awaited: tuple[Recv, Call] | None = None  # and whom to tell
    abandoning: tuple[str, Call] | None = None  # a tag, and whom to tell of a message with it
    sending_until_s: float = 0.0
    receiving_until_s: float = 0.0


class Network:
    """Carries messages between nodes.

    A message waits for the sender's link, crosses with the link's latency, and waits for the receiver's link, which
    takes one message after the other: workers that write to one server at once contend for it.
    """

    def __init__(self, clock: Clock, pricing: Pricing, recorder: Recorder, nodes: Iterable[int]) -> None:
        self._clock, self._pricing, self._recorder = clock, pricing, recorder
        links = {number: pricing.link(number) for number in nodes}
        self._ports = {n: _Port(link.latency_s, link.bandwidth_bytes_per_s) for n, link in links.items()}

    def send(self, node: Node, request: Send) -> None:
        """The message is in the receiver's mail when its last byte has crossed both links."""
        number, to, tag, value = node.number, request.to, request.tag, request.value
        size = self._pricing.size_bytes(value)
        row = self._recorder.message(number, to, tag, value, size, self._clock.now)
        self.carry(number, to, size, self._deliver, (self._ports[to], tag, (number, row, value)))

    def carry(self, source: int, destination: int, size_bytes: int, then: Call, argument: Any) -> None:
        """Bytes from node to node: they leave when the sender's link is free, and arrive one latency later."""
        port = self._ports[source]
        if not size_bytes:
            self._clock.after(port.latency_s, then, argument)
            return
        now_s = self._clock.now
        start_s = max(now_s, port.sending_until_s)
        port.sending_until_s = start_s + size_bytes / port.bandwidth
        way = (port, self._ports[destination], size_bytes, then, argument)
        self._clock.after(start_s + port.latency_s - now_s, self._reach, way)

    def _reach(self, way: tuple[_Port, _Port, int, Call, Any]) -> None:
        """The first byte is at the receiver, whose link takes messages one after the other, at the slower speed."""
        sender, port, size_bytes, then, argument = way
        now_s = self._clock.now
        own_end_s = now_s + size_bytes / min(port.bandwidth, sender.bandwidth)
        queued_end_s = port.receiving_until_s + size_bytes / port.bandwidth
        port.receiving_until_s = max(own_end_s, queued_end_s)
        self._clock.after(port.receiving_until_s - now_s, then, argument)

    def _deliver(self, message: tuple[_Port, str, _Letter]) -> None:
        """The last byte is there: to the program that waits for it, or into the mail."""
        port, tag, letter = message
        source, row, value = letter
        if port.awaited is not None:
            request, resume = port.awaited
            if request.tag == tag and request.source in (None, source):
                port.awaited = None
                self._recorder.handed_over(row, self._clock.now)
                self._clock.soon(resume, (source, value))
                return
        self._recorder.arrived(row, self._clock.now)
        mail = port.mail.get(tag)
        if mail is None:
            mail = port.mail[tag] = deque()
        mail.append(letter)
        if port.abandoning is not None and port.abandoning[0] == tag:
            port.abandoning[1](None)

    def receive(self, node: Node, request: Recv) -> Any:
        """(source, value) if the message is in the mail, else WAITS for it."""
        port = self._ports[node.number]
        mail = port.mail.get(request.tag)
        letter = self._taken(mail, request) if mail else None
        if letter is None:
            port.awaited = request, node.resume
            return WAITS
        source, row, value = letter
        self._recorder.received(row, self._clock.now)
        return source, value

    @staticmethod
    def _taken(mail: deque[_Letter], request: Recv) -> _Letter | None:
        """The letter that `request` asks for, out of the mail with its tag; None if it is not there."""
        if request.source is None:
            letter = mail.pop() if request.latest else mail.popleft()
            if request.latest:
                mail.clear()
            return letter
        matching = [letter for letter in mail if letter[0] == request.source]
        if not matching:
            return None
        letter = matching[-1 if request.latest else 0]
        for one in matching if request.latest else (letter,):
            mail.remove(one)
        return letter

    def abandon_when(self, number: int, tag: str, abandon: Call) -> None:
        """Call `abandon` when a message with this tag is in the node's mail; at once if it is there."""
        port = self._ports[number]
        port.abandoning = tag, abandon
        if port.mail.get(tag):
            abandon(None)

    def forget(self, number: int) -> None:
        """Nothing is left to abandon on this node."""
        self._ports[number].abandoning = None

    def waiting(self) -> dict[int, str]:
        """Node -> the tag that it waits for."""
        return {number: port.awaited[0].tag for number, port in self._ports.items() if port.awaited}
