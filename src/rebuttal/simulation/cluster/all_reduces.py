"""All-reduces of a virtual cluster: gathered by tag, carried by channels that share one wire."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from rebuttal.core import value_operations
from rebuttal.core.timeline import Recorder
from rebuttal.core.update_rules import mean_of
from rebuttal.core.verbs import AllReduce, Wait
from rebuttal.simulation.cluster.clock import Call, Clock
from rebuttal.simulation.cluster.driving import WAITS, Node
from rebuttal.simulation.cluster.request_costs import Pricing, gathered_bytes


@dataclass(slots=True)
class Handle:
    """What a non-blocking request is answered with: the result, once it is there."""

    there: bool = False
    result: Any = None
    resume: Call | None = None

    def keep(self, result: Any) -> None:
        """The result is there: tell the node, if it waits for it."""
        self.there, self.result = True, result
        if self.resume is not None:
            self.resume(result)


class Collectives:
    """Begins a collective when the last participant has come, and ends it when its channel has carried it.

    A channel carries one collective after the other. The bytes of all channels of one group of nodes cross one wire,
    in the order in which they were begun; the latencies of different channels overlap. A method's own operation may
    need all values as they are, so these are gathered; what others do is done on the way.
    """

    def __init__(self, clock: Clock, pricing: Pricing, recorder: Recorder) -> None:
        self._clock, self._pricing, self._recorder = clock, pricing, recorder
        self._gathered: dict[tuple[str, int], dict[int, tuple[Any, Call]]] = {}
        self._rounds: dict[tuple[str, int], Iterator[int]] = defaultdict(count)
        self._free_at_s: dict[tuple, float] = {}

    def begin(self, node: Node, request: AllReduce) -> Any:
        """WAITS, or the handle of one that does not block."""
        turn = next(self._rounds[request.tag, node.number])
        gathered = self._gathered.setdefault((request.tag, turn), {})
        handle = None if request.blocking else Handle()
        gathered[node.number] = request.value, node.resume if handle is None else handle.keep
        if len(gathered) == len(request.participants):
            del self._gathered[request.tag, turn]
            self._carry(request, gathered)
        return WAITS if handle is None else handle

    def wait(self, node: Node, request: Wait) -> Any:
        """The result of a handle, or WAITS until it is there."""
        handle = request.handle
        if handle.there:
            return handle.result
        handle.resume = node.resume
        return WAITS

    def waiting(self) -> dict[int, str]:
        """Node -> the all-reduce for which it waits for others."""
        return {n: f"all-reduce {tag}" for (tag, _), gathered in self._gathered.items() for n in gathered}

    def _carry(self, request: AllReduce, gathered: dict[int, tuple[Any, Call]]) -> None:
        """Everyone is there: the channel's turn, then the wire's, then the result for all."""
        values = [gathered[node][0] for node in request.participants]
        result = request.operation(*values) if request.operation else mean_of(values)
        size = self._pricing.size_bytes(request.value)
        if value_operations.of(request.operation):
            latency_s, transfer_s = self._pricing.gather_s(len(gathered), size)
            size = gathered_bytes(len(gathered), size)
        else:
            latency_s, transfer_s = self._pricing.all_reduce_s(len(gathered), size)
        group = tuple(request.participants)
        now_s = self._clock.now
        start_s = max(now_s, self._free_at_s.get((group, request.channel), now_s))
        sent_s = max(start_s, self._free_at_s.get((group, "wire"), now_s)) + transfer_s
        end_s = sent_s + latency_s
        self._free_at_s[group, "wire"], self._free_at_s[group, request.channel] = sent_s, end_s
        self._recorder.collective(request.tag, request.participants, result, start_s, end_s - start_s, size)

        def tell_all(_: None) -> None:
            for _, tell in gathered.values():
                self._clock.soon(tell, result)

        self._clock.after(end_s - now_s, tell_all, None)
