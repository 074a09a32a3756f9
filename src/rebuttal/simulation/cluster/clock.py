"""The virtual clock: what is called when. Calls of one moment are made in the order in which they were scheduled.

That is the order of events of SimPy, at a fraction of the time of each. Tests put SimPy's environment in its place, and
hold the timelines of all methods equal to the bit.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

Call = Callable[[Any], object]


class NothingLeftError(Exception):
    """No call is to come."""


class Clock:
    """Seconds, and the calls to come, each with its argument.

    `_moments` is a heap of the moments at which there are calls, and `_calls` has these in the order of scheduling.
    """

    __slots__ = ("_calls", "_moments", "_stopped", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._moments = [self.now]
        self._calls: dict[float, list[tuple[Call, Any]]] = {self.now: []}
        self._stopped = False

    def after(self, delay_s: float, call: Call, argument: Any) -> None:
        """Make a call after a delay."""
        moment = self.now + delay_s
        calls = self._calls.get(moment)
        if calls is None:
            self._calls[moment] = [(call, argument)]
            heappush(self._moments, moment)
        else:
            calls.append((call, argument))

    def soon(self, call: Call, argument: Any) -> None:
        """Make a call at this moment, after what is scheduled for it already."""
        self._calls[self.now].append((call, argument))

    def stop(self) -> None:
        """Make no call after this one."""
        self._stopped = True

    def run(self) -> None:
        """Make all calls in their order, until one of them stops the clock. Raises NothingLeftError if none does."""
        moments, calls = self._moments, self._calls
        while moments:
            self.now = heappop(moments)
            for call, argument in calls[self.now]:  # which grows meanwhile by what is to come at this moment
                call(argument)
                if self._stopped:
                    return
            del calls[self.now]
        raise NothingLeftError
