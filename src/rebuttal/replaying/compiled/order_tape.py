"""An order as arrays that compiled code runs along: one step for each node, values in numbered slots.

A slot is taken again when nothing more rests on its value. Means, sums and the like are linear: they all are `COMBINE`,
with the coefficients of their inputs.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rebuttal.core.graph import Order
from rebuttal.core.update_rules import SGD, Momentum, Rule
from rebuttal.replaying.batch_merging import use_counts

START, GRADIENT, COMBINE, UPDATE, PREDICT, CLIP, COMPENSATE, ADAPT, SQUARE, OBSERVE = range(10)
Numbers = tuple[float, ...]
PlainSGD = SGD | Momentum
Step = Callable[
    [PlainSGD, int, Numbers], tuple[int, Numbers]
]  # of (rule, inputs, arguments): (code, numbers)
#: Of a step: what is done, the slot of the result, and where the step's inputs, numbers and batches begin.
CODE, SLOT, INPUTS, NUMBERS, BATCHES = range(5)


@dataclass(frozen=True)
class Tape:
    """Steps int64 [T + 1, 5], the last of which only ends the one before it; what they refer to, end to end.

    inputs: slots. numbers: coefficients. batches: (shard, step) pairs. slots: how many. An `OBSERVE` has the number of
    its point in place of a slot.
    """

    steps: np.ndarray
    inputs: np.ndarray
    numbers: np.ndarray
    batches: list[tuple[int, int]]
    slots: int


class _Writer:
    """Steps one after the other."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int, int, int]] = []
        self.inputs: list[int] = []
        self.numbers: list[float] = []
        self.batches: list[tuple[int, int]] = []
        self._free: list[int] = []
        self.slots = 0

    def slot(self) -> int:
        """The lowest one that is free: few slots stay in the cache."""
        if self._free:
            return heapq.heappop(self._free)
        self.slots += 1
        return self.slots - 1

    def release(self, slot: int) -> None:
        """Nothing more rests on its value."""
        heapq.heappush(self._free, slot)

    def step(self, code: int, slot: int, inputs: Sequence[int] = (), numbers: Numbers = ()) -> None:
        """Add a step; its batches, if any, are added behind it."""
        self.steps.append((code, slot, len(self.inputs), len(self.numbers), len(self.batches)))
        self.inputs += inputs
        self.numbers += numbers

    def tape(self) -> Tape:
        """All of it."""
        self.step(-1, -1)
        arrays = np.asarray(self.steps), np.asarray(self.inputs, dtype=np.int64)
        return Tape(*arrays, np.asarray(self.numbers, dtype=np.float64), self.batches, self.slots)


def serves(order: Order, rule: Rule) -> bool:
    """Whether every operation of the order has a step, no state is two versions, and the rule is a known one."""
    operations = set(order.operations)
    return (
        isinstance(rule, (SGD, Momentum))
        and type(rule) in (SGD, Momentum)  # others are made from them: Adam, and a user's own rule
        and operations <= {"gradient", *STEPS}
        and len(set(order.states)) == len(order.states)
        and not (_nesterov(rule) and operations & DELAYED)
    )


def tape_of(order: Order, rule: PlainSGD, versions: Sequence[int]) -> Tape:
    """The tape of an order that is served, which observes these versions as points 0, 1, ..."""
    writer, uses = _Writer(), use_counts(order)
    version_of = {state: version for version, state in enumerate(order.states)}
    point_of = {version: point for point, version in enumerate(versions)}
    slots: dict[int, int] = {}

    def release(node: int) -> None:
        uses[node] -= 1
        if not uses[node]:
            writer.release(slots[node])

    for node, operation in enumerate(order.operations):
        own, inputs = order.inputs[node], [slots[i] for i in order.inputs[node]]
        slots[node] = writer.slot()
        arguments = order.arguments[node]
        if operation == "gradient":
            writer.step(GRADIENT, slots[node], inputs)
            writer.batches += [(int(shard), int(step)) for shard, step in order.batches(node)]
        else:
            code, numbers = STEPS[operation](rule, len(own), arguments)
            writer.step(code, slots[node], inputs, numbers)
        for used in own:
            release(used)
        if node in version_of:
            if version_of[node] in point_of:
                writer.step(OBSERVE, point_of[version_of[node]], [slots[node]])
            release(node)
    return writer.tape()


def _start(*_: Any) -> tuple[int, Numbers]:
    return START, ()


def _update(rule: PlainSGD, *_: Any) -> tuple[int, Numbers]:
    """(a, b) of w ← w − η (a v' + b g), v' = m v + g; without a momentum, v' = g."""
    return UPDATE, ((getattr(rule, "momentum", 0.0), 1.0) if _nesterov(rule) else (1.0, 0.0))


def _compensated_update(rule: PlainSGD, _: int, arguments: Numbers) -> tuple[int, Numbers]:
    """As `_update`: a = m^D, b = (1 − m^D)/(1 − m) (Kosson et al. 2021)."""
    m = getattr(rule, "momentum", 0.0)
    return UPDATE, (m ** arguments[0], (1 - m ** arguments[0]) / (1 - m))


def _predicted(rule: PlainSGD, _: int, arguments: Numbers) -> tuple[int, Numbers]:
    """w − η D v; without a momentum nothing is known of where the weights will go."""
    return (PREDICT, arguments) if isinstance(rule, Momentum) else (COMBINE, (1.0, 1.0))


def _linear(coefficients: Callable[..., Numbers], rest: Callable[..., Numbers] | None = None) -> Step:
    """A sum of gradients with `coefficients(count, *arguments)`; of states, with `rest` for what is remembered."""

    def step(_: PlainSGD, count: int, arguments: Numbers) -> tuple[int, Numbers]:
        return COMBINE, (*coefficients(count, *arguments), *(rest(count, *arguments) if rest else ()))

    return step


def _numbered(code: int) -> Step:
    """A step with the operation's own numbers."""
    return lambda _, __, arguments: (code, arguments)


def _first(*_: Any) -> Numbers:
    return (1.0, 0.0)


def _equal(count: int) -> Numbers:
    return (1 / count,) * count


STEPS: dict[str, Step] = {
    "start": _start,
    "update": _update,
    "compensated_update": _compensated_update,
    "predicted": _predicted,
    "mean": _linear(_equal),
    "averaged": _linear(_equal, _equal),
    "summed": _linear(lambda count: (1.0,) * count),
    "scaled": _linear(lambda _, factor: (factor,)),
    "moved": _linear(lambda _, by: (1 - by, by), _first),
    "extrapolated": _linear(lambda _, by: (1 + by, -by), _first),
    "clipped": _numbered(CLIP),
    "compensated": _numbered(COMPENSATE),
    "compensated_adaptively": _numbered(ADAPT),
    "mean_square": _numbered(SQUARE),
}
DELAYED = {"predicted", "compensated_update"}  # what is not defined for Nesterov's momentum


def _nesterov(rule: PlainSGD) -> bool:
    return isinstance(rule, Momentum) and rule.nesterov
