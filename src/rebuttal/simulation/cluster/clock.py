"""The virtual clock: what is called when. Calls of one moment are made in the order in which they were scheduled.

That is the order of events of SimPy, at a fraction of the time of each. Tests put SimPy's environment in its place, and
hold the timelines of all methods equal to the bit.
"""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Any

Call = Callable[[Any], object]


class NothingLeftError(Exception):
    """No call is to come."""


class Clock:
    """Seconds, and the calls to come, each with its argument."""

    __slots__ = ("_later", "_next", "_soon", "_stopped", "now")

    def __init__(self) -> None:
        self.now: float = 0.0
        self._later: list[
            tuple[float, int, Call, Any]
        ] = []  # a heap: by time, then in the order of scheduling
        self._soon: deque[tuple[Call, Any]] = deque()  # what is left of this moment
        self._next = count().__next__
        self._stopped = False

    def after(self, delay_s: float, call: Call, argument: Any) -> None:
        """Make a call after a delay."""
        time_s = self.now + delay_s
        if time_s > self.now:
            heappush(self._later, (time_s, self._next(), call, argument))
        else:
            self._soon.append((call, argument))

    def soon(self, call: Call, argument: Any) -> None:
        """Make a call at this moment, after what is scheduled for it already."""
        self._soon.append((call, argument))

    def stop(self) -> None:
        """Make no call after this one."""
        self._stopped = True

    def run(self) -> None:
        """Make all calls in their order, until one of them stops the clock. Raises NothingLeftError if none does."""
        later, soon = self._later, self._soon
        while not self._stopped:
            if soon:
                call, argument = soon.popleft()
            elif later:
                now, _, call, argument = heappop(later)
                self.now = now
                while later and later[0][0] == now:
                    soon.append(heappop(later)[2:])
            else:
                raise NothingLeftError
            call(argument)
