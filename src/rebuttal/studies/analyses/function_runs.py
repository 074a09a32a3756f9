"""Runs a method's own program on a function of plain arrays: one node, no clock, all seeds side by side.

The program is the one that clusters run; what it computes is computed here at once, for functions too small for a
tensor library to be worth its calls. Perturbations are those of replay, so a run on max_abs has the same values.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rebuttal.base import seeding
from rebuttal.base.errors import refuse
from rebuttal.core import update_rules, value_operations
from rebuttal.core.graph import Arguments
from rebuttal.core.task import Derive, Task
from rebuttal.core.verbs import Compute, Report
from rebuttal.methods import method

Array = np.ndarray


class Function(Protocol):
    """What a method needs to know of a function."""

    def start(self, seeds: tuple[int, ...]) -> Array:
        """Where each seed begins, [S, d]."""
        ...

    def gradient(self, w: Array) -> Array:
        """The gradient, or a sub-gradient, at each row."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A value of the program; states are tuples whose first array is the weights."""

    value: Any = field(repr=False)
    computed: Derive = field(repr=False)

    def derive(self, operation: str, values: tuple["Held", ...], numbers: Arguments) -> "Held":
        """The value of an operation on values."""
        return self.computed(operation, values, numbers)


@dataclass(frozen=True)
class FunctionComputer:
    """Values of operations for one function, seeds and step size, on a model of one stage."""

    function: Function
    seeds: tuple[int, ...]
    learning_rate: float | Array

    def derive(self, operation: str, inputs: tuple[Held, ...], numbers: Arguments) -> Held:
        """What the operation gives; batches are all alike, so their names do not matter."""
        return Held(self._value(operation, [one.value for one in inputs], numbers), self.derive)

    def _value(self, operation: str, inputs: list[Any], numbers: Arguments) -> Any:
        if operation in update_rules.FUNCTIONS:
            rule = value_operations.found(operation)
            return rule.body(*inputs, **rule.keywords(numbers))
        match operation:
            case "start":
                return (self.function.start(self.seeds),)
            case "input" | "forward" | "loss" | "input_gradient":
                return None  # the whole function is one layer: its gradient needs no activations
            case "gradient" | "weight_gradient":
                return self.function.gradient(inputs[0][0])
            case "update":
                return (inputs[0][0] - self.learning_rate * inputs[1],)
            case "perturbed_part":
                return (inputs[0][0] + self._draws(inputs[0][0], *numbers[2:]),)
        raise refuse("operation", operation, "one of a method on one node whose state is its weights")

    def _draws(self, w: Array, gamma: float, t: float, k: float) -> Array:
        """γ X_{t,k} for each seed."""
        drawn = {
            seed: seeding.generator(seed, "perturbation", int(t), int(k)).standard_normal(
                w.shape[1], dtype="float32"
            )
            for seed in dict.fromkeys(self.seeds)
        }
        return gamma * np.stack([drawn[seed] for seed in self.seeds])


def weights(
    name: str,
    options: dict[str, Any],
    function: Function,
    seeds: Sequence[int],
    learning_rate: float | Array,
    updates: int,
) -> Any:
    """The weights [S, d] that the method reports, version by version from the start to `updates`.

    learning_rate: one for all rows, or one for each, [S, 1]; seeds may repeat.

    Raises:
        InputError: a method that sends messages, or that computes what a function does not have.
    """
    computer = FunctionComputer(function, tuple(seeds), learning_rate)
    ((_, program),) = method(name, **options).programs([0], Task(computer.derive)).items()
    request, version = next(program), 0
    while True:
        if isinstance(request, Report):
            yield request.weights.value[0]
            if version == updates:
                return
            version, answer = version + 1, True
        elif isinstance(request, Compute):
            answer = request.operation(*request.args)
        else:
            raise refuse("request", type(request).__name__, "Compute or Report: a method on one node")
        request = program.send(answer)
