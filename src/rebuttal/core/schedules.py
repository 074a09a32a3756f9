"""How the learning rate changes over a run: a pure function of the share of the run's updates that are made."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from rebuttal.base.errors import refuse

#: Name -> the factor f(p, c), p the share of the decay that is done, 0 to 1, and c the factor at its end.
DECAYS: dict[str, Callable[[float, float], float]] = {
    "constant": lambda _, __: 1.0,
    "linear": lambda p, c: 1 - (1 - c) * p,
    "cosine": lambda p, c: c + (1 - c) * (1 + math.cos(math.pi * p)) / 2,
    "exponential": lambda p, c: c**p,
}


@dataclass(frozen=True)
class Schedule:
    """The factor of the learning rate: a linear warm-up (Goyal et al. 2017), then a decay.

    `warm_up` is a share of the run. `final` is the factor at the end of the run: 0 for linear decay to nothing and for
    cosine decay (Loshchilov & Hutter 2017, without restarts); exponential decay needs one above 0.
    """

    decay: str = "constant"
    warm_up: float = 0.0
    final: float = 0.0

    def __post_init__(self) -> None:
        if self.decay not in DECAYS:
            raise refuse("schedule.decay", self.decay, DECAYS)
        if not 0 <= self.warm_up < 1:
            raise refuse("schedule.warm_up", self.warm_up, "a share of the run: a number in [0, 1)")
        lowest_is_in = self.decay != "exponential"
        if not (0 <= self.final <= 1 and (lowest_is_in or self.final > 0)):
            allowed = "a factor of the rate: a number in [0, 1]" + ("" if lowest_is_in else ", above 0")
            raise refuse("schedule.final", self.final, allowed)

    @property
    def is_constant(self) -> bool:
        """Whether the rate stays as it is."""
        return self.decay == "constant" and not self.warm_up

    def factor(self, made: float, updates: float) -> float:
        """What the rate is multiplied by in the update after `made` others, of `updates` in all."""
        p = made / updates
        risen = min(1.0, (made + 1) / (self.warm_up * updates)) if self.warm_up else 1.0
        decayed = min(1.0, max(0.0, (p - self.warm_up) / (1 - self.warm_up)))
        return risen * DECAYS[self.decay](decayed, self.final)


CONSTANT = Schedule()
