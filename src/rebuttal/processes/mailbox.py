"""A node's mail: messages that readers put in as they come, and that its program takes out as the verbs say."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rebuttal.core.verbs import Recv


class Stopped(Exception):  # noqa: N818 - it ends a program in the usual course of a run
    """The run is over: raised in a program that waits or asks for more."""


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """A message that has arrived. `number` counts those from `source`, `arrived_s` is on this node's clock."""

    source: int
    number: int
    tag: Any
    value: Any
    arrived_s: float


class Mailbox:
    """Messages by tag, in the order of their arrival. Any thread may put, one takes."""

    def __init__(self) -> None:
        self._arrived_s: dict[tuple[int, int], float] = {}
        self._changed = threading.Condition()
        self._letters: dict[Any, deque[Letter]] = {}
        self._stopped = False

    def put(self, letter: Letter) -> None:
        """A message is here."""
        with self._changed:
            self._arrived_s[letter.source, letter.number] = letter.arrived_s
            self._letters.setdefault(letter.tag, deque()).append(letter)
            self._changed.notify_all()

    def arrived(self) -> dict[tuple[int, int], float]:
        """(source, number) -> when that message was here, of those that came since this was last asked."""
        with self._changed:
            new, self._arrived_s = self._arrived_s, {}
        return new

    def stop(self) -> None:
        """The run is over."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def go_on(self) -> None:
        """Raises Stopped if the run is over."""
        if self._stopped:
            raise Stopped

    def take(self, request: Recv) -> Letter:
        """The message that is asked for, out of the mail; waits for it. Raises Stopped."""
        taken: list[Letter] = []

        def found() -> bool:
            letter = self._taken(request)
            if letter is not None:
                taken.append(letter)
            return letter is not None

        self._wait(found, None)
        return taken[0]

    def has(self, tag: Any) -> bool:
        """Whether a message with this tag is here."""
        return bool(self._letters.get(tag))

    def sleep(self, seconds: float, until: Any = None) -> None:
        """Let time pass; less of it as soon as a message with the tag `until` is here. Raises Stopped."""
        self._wait(lambda: until is not None and self.has(until), seconds)

    def await_stop(self) -> None:
        """Raises Stopped when the run is over."""
        self._wait(lambda: False, None)

    def _wait(self, done: Callable[[], bool], seconds: float | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or done(), seconds)
            if self._stopped:
                raise Stopped

    def _taken(self, request: Recv) -> Letter | None:
        """Of the messages with the tag (and from the source): the oldest, or the newest and the others forgotten."""
        letters = self._letters.get(request.tag, deque())
        fitting = [letter for letter in letters if request.source in (None, letter.source)]
        if not fitting:
            return None
        gone = fitting if request.latest else fitting[:1]
        self._letters[request.tag] = deque(letter for letter in letters if letter not in gone)
        return fitting[-1 if request.latest else 0]
