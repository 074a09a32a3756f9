"""How a node's program goes on: each request is answered at once, or by an event that the node waits for."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from rebuttal.core.verbs import Program, Request
from rebuttal.simulation.cluster.clock import Clock, Event

Perform = Mapping[type, Callable[[int, Any], Any]]


class ProgramLoop:
    """Node `number`. `perform` has what answers a request of each type, or gives the event of its answer.

    overhead_s: seconds for which a request holds the node before anything else happens.
    """

    __slots__ = ("_clock", "_event_type", "_number", "_overhead_s", "_perform", "_send")

    def __init__(
        self,
        clock: Clock,
        number: int,
        program: Program,
        perform: Perform,
        overhead_s: Callable[[int, Request], float],
    ) -> None:
        self._clock, self._number, self._send = clock, number, program.send
        self._perform, self._overhead_s = perform, overhead_s
        self._event_type = type(clock.event())

    def start(self) -> None:
        """Begin as soon as the clock runs."""
        start = self._clock.event()
        start.callbacks.append(self._resume)
        start.succeed()

    def _resume(self, event: Any) -> None:
        """What the program waited for has happened: on to what it waits for next."""
        answer, number, send, perform = event.value, self._number, self._send, self._perform
        while True:
            try:
                request = send(answer)
            except StopIteration:
                return
            wait_s = self._overhead_s(number, request)
            if wait_s:
                self._clock.timeout(wait_s, request).callbacks.append(self._begin)
                return
            answer = perform[type(request)](number, request)
            if isinstance(answer, self._event_type):
                if answer.callbacks is not None:
                    answer.callbacks.append(self._resume)
                    return
                answer = answer.value

    def _begin(self, event: Event) -> None:
        """The overhead of a request is over."""
        answer = self._perform[type(event.value)](self._number, event.value)
        if isinstance(answer, self._event_type) and answer.callbacks is not None:
            answer.callbacks.append(self._resume)
        else:
            self._resume(answer if isinstance(answer, self._event_type) else SimpleNamespace(value=answer))
