"""Update rules, and what may be done to a gradient before one: pure functions of tensors, or of symbols.

A *state* is a tuple of tensors: the weights first, then whatever the rule remembers. Tensors are [..., P] with any
leading dimensions (replicas); a learning rate is a number or a tensor that broadcasts over the last dimension.
Only methods of the tensors are called, so importing this module is free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rebuttal.base.errors import refuse
from rebuttal.core.graph import operation

State = tuple[Any, ...]


@operation
def mean(*gradients: Any) -> Any:
    """The mean of gradients, summed in the order given (so that the order is part of the result)."""
    total = gradients[0]
    for gradient in gradients[1:]:
        total = total + gradient
    return total / len(gradients) if len(gradients) > 1 else total


def mean_of(values: Sequence[Any]) -> Any:
    """The mean of what nodes contribute to an all-reduce, in node order; of tuples part by part."""
    if isinstance(values[0], tuple):
        return tuple(mean(*parts) for parts in zip(*values, strict=True))
    return mean(*values)


@operation
def scaled(gradient: Any, *, factor: float) -> Any:
    """`gradient` times a number."""
    return gradient * factor


@operation
def clipped(gradient: Any, *, limit: float) -> Any:
    """`gradient`, shortened to Euclidean norm `limit` where it is longer (Pascanu et al. 2013, Algorithm 1)."""
    norm = gradient.norm(dim=-1, keepdim=True)
    return gradient * (limit / norm.clamp(min=limit))


@operation
def summed(*gradients: Any) -> Any:
    """The sum of gradients, in the order given."""
    total = gradients[0]
    for gradient in gradients[1:]:
        total = total + gradient
    return total


@operation
def averaged(*states: State) -> State:
    """The mean of states, of their weights and of all that the update rule keeps, summed in the order given."""
    return tuple(mean(*tensors) for tensors in zip(*states, strict=True))


@operation
def moved(state: State, towards: State, *, by: float) -> State:
    """`state` with weights x + by (x̃ − x), where x̃ are the weights of `towards`."""
    return (state[0] + (towards[0] - state[0]) * by, *state[1:])


@operation
def extrapolated(new: State, old: State, *, by: float) -> State:
    """`new` with weights (1 + by) y − by z, where y are its own and z those of `old` (Nesterov 1983)."""
    return (new[0] * (1 + by) - old[0] * by, *new[1:])


@operation
def compensated(gradient: Any, now: State, then: State, *, by: float) -> Any:
    """g + by g ⊙ g ⊙ (w_now − w_then): a delayed gradient, corrected to first order (Zheng et al. 2017)."""
    return gradient + gradient * gradient * (now[0] - then[0]) * by


@operation
def mean_square(past: Any, gradient: Any, *, decay: float) -> Any:
    """decay · past + (1 − decay) g ⊙ g."""
    return past * decay + gradient * gradient * (1 - decay)


@operation
def compensated_adaptively(gradient: Any, now: State, then: State, square: Any, *, by: float) -> Any:
    """As `compensated` with by / √(square + 1e-7) in place of `by` (Zheng et al. 2017)."""
    return gradient + gradient * gradient * (now[0] - then[0]) * by / (square + 1e-7).sqrt()


#: What replay can compute, by the name under which a graph holds it (the order of the keyword arguments counts).
OPERATIONS = {
    "mean": (mean, ()),
    "summed": (summed, ()),
    "scaled": (scaled, ("factor",)),
    "clipped": (clipped, ("limit",)),
    "averaged": (averaged, ()),
    "moved": (moved, ("by",)),
    "extrapolated": (extrapolated, ("by",)),
    "compensated": (compensated, ("by",)),
    "mean_square": (mean_square, ("decay",)),
    "compensated_adaptively": (compensated_adaptively, ("by",)),
}


@dataclass(frozen=True)
class SGD:
    """w ← w − η g (Robbins & Monro 1951)."""

    def start(self, weights: Any) -> State:
        """The state before the first update."""
        return (weights,)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        return (state[0].addcmul(gradient, learning_rate, value=-1),)


@dataclass(frozen=True)
class Momentum:
    """v ← m v + g, w ← w − η v (Polyak 1964, in the form of Sutskever et al. 2013 that torch.optim.SGD has)."""

    momentum: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise refuse("momentum", self.momentum, "a number in [0, 1)")

    def start(self, weights: Any) -> State:
        """The state before the first update: (w, v = 0)."""
        return (weights, weights * 0)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        velocity = state[1] * self.momentum + gradient
        return (state[0].addcmul(velocity, learning_rate, value=-1), velocity)


@dataclass(frozen=True)
class RMSProp:
    """s ← d s + (1 − d) g², v ← m v + η g/√(s + ε), w ← w − v (Tieleman & Hinton 2012, with momentum).

    ε stands under the root and the learning rate inside the momentum, as in the optimiser that the backup-workers
    paper trained with (torch.optim.RMSprop differs in both).
    """

    decay: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0

    def __post_init__(self) -> None:
        for name in ("decay", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise refuse(name, getattr(self, name), "a number in [0, 1)")
        if self.epsilon <= 0:
            raise refuse("epsilon", self.epsilon, "a positive number")

    def start(self, weights: Any) -> State:
        """The state before the first update: (w, s = 1, v = 0)."""
        return (weights, weights * 0 + 1, weights * 0)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        weights, square, velocity = state
        square = square * self.decay + gradient * gradient * (1 - self.decay)
        velocity = velocity * self.momentum + gradient * learning_rate / (square + self.epsilon).sqrt()
        return (weights - velocity, square, velocity)


Rule = SGD | Momentum | RMSProp
RULES = {"sgd": SGD, "momentum": Momentum, "rmsprop": RMSProp}


def rule(name: str, **options: float) -> Rule:
    """The update rule of that name, e.g. `rule("momentum", momentum=0.5)`."""
    if name not in RULES:
        raise refuse("rule", name, RULES)
    known = RULES[name].__dataclass_fields__
    for option in options:
        if option not in known:
            raise refuse(f"rule.{name}", option, known or "no option")
    return RULES[name](**options)
