"""How a node's program goes on: each request is answered at once, or later by the clock."""

from collections.abc import Callable, Mapping
from typing import Any

from rebuttal.core.verbs import Program
from rebuttal.simulation.cluster.clock import Call

#: The answer of a request for now, where the clock is to call the node's `resume` with the answer.
WAITS = object()
Perform = Callable[["Node", Any], Any]  # the answer of a request of one type, or WAITS


class Node:
    """A node and its program. `resume` goes on with the program, from an answer to the next request that waits."""

    __slots__ = ("_perform", "_send", "number", "resume")

    def __init__(self, number: int, program: Program, perform: Mapping[type, Perform]) -> None:
        self.number = number
        self.resume: Call = self._resume
        self._send, self._perform = program.send, perform

    def _resume(self, answer: Any) -> None:
        send, perform = self._send, self._perform
        try:
            while answer is not WAITS:
                request = send(answer)
                answer = perform[type(request)](self, request)
        except StopIteration:  # the program has ended
            return
