"""The virtual clock: what happens when. Events of one moment happen in the order in which they were scheduled.

It is the part of SimPy's environment that a cluster needs, with the same order of events, at a fraction of the time of
each; `simpy.Environment` may stand in its place, and tests hold the two equal to the bit.
"""

from heapq import heappop, heappush
from itertools import count
from typing import Any


class NothingLeftError(Exception):
    """No event is to come."""


class Event:
    """Something that happens once: `callbacks` are called with it then, and are None afterwards."""

    __slots__ = ("_clock", "callbacks", "triggered", "value")

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self.callbacks: Any = []
        self.triggered = False
        self.value: Any = None

    def succeed(self, value: Any = None) -> None:
        """Let it happen now, after what is scheduled for now already."""
        self.triggered, self.value = True, value
        self._clock.schedule(self, 0.0)


class Clock:
    """Seconds, and the events to come."""

    def __init__(self) -> None:
        self.now: float = 0
        self._queue: list[tuple[float, int, Event]] = []
        self._next = count().__next__

    def event(self) -> Event:
        """One that happens when somebody lets it succeed."""
        return Event(self)

    def timeout(self, delay_s: float, value: Any = None) -> Event:
        """One that happens after a delay."""
        event = Event(self)
        event.triggered, event.value = True, value
        heappush(self._queue, (self.now + delay_s, self._next(), event))
        return event

    def schedule(self, event: Event, delay_s: float) -> None:
        """Let an event happen after a delay."""
        heappush(self._queue, (self.now + delay_s, self._next(), event))

    def step(self) -> None:
        """Let the next event happen. Raises NothingLeftError if there is none."""
        if not self._queue:
            raise NothingLeftError
        self.now, _, event = heappop(self._queue)
        callbacks, event.callbacks = event.callbacks, None
        for callback in callbacks:
            callback(event)
