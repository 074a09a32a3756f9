"""How far a node's clock is from the launcher's, from the quickest of several answers (Cristian 1989). No torch."""

import time
from collections.abc import Callable
from dataclasses import dataclass

ASKED = 15


@dataclass(frozen=True, slots=True)
class Offset:
    """A node's clock minus the launcher's, known to ± `error_s`."""

    seconds: float
    error_s: float

    @property
    def correction_s(self) -> float:
        """Seconds to subtract from the node's times: zero if both may read the same clock, as on one host."""
        return self.seconds if abs(self.seconds) > self.error_s else 0.0


def offset_of(clock: Callable[[], float]) -> Offset:
    """The offset of a clock that answers by message: it was read somewhere between asking and hearing."""
    answers = []
    for _ in range(ASKED):
        asked_s = time.monotonic()
        told_s = clock()
        heard_s = time.monotonic()
        answers.append(Offset(told_s - (asked_s + heard_s) / 2, (heard_s - asked_s) / 2))
    return min(answers, key=lambda offset: offset.error_s)
