"""Update rules, and what may be done to a gradient before one: pure functions of tensors, or of symbols.

A *state* is a tuple: the weights first, then whatever the rule remembers. Tensors are [..., P] with any leading
dimensions (replicas), and every rule works element by element; a count of updates is a number. A learning rate is a
number or a tensor that broadcasts over the last dimension. Only methods of the tensors are called, so importing this
module is free.
"""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from rebuttal.base import own_code
from rebuttal.base.errors import refuse
from rebuttal.core import own_rules, value_operations
from rebuttal.core.schedules import CONSTANT, Schedule
from rebuttal.core.value_operations import operation

State = tuple[Any, ...]
UPDATES = ("update", "compensated_update")  # operations that make a step of the rule


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


#: The operations above, by name: they need no task, and cost nothing unless a program asks for them in a `Compute`.
FUNCTIONS = value_operations.names()


def penalised(gradient: Any, weights: Any, weight_decay: float) -> Any:
    """g + λ w: the gradient of the loss with λ/2 ‖w‖² added to it."""
    return gradient + weights * weight_decay if weight_decay else gradient


def _check_shares(rule: Any, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(rule, name) < 1:
            raise refuse(name, getattr(rule, name), "a number in [0, 1)")


def _check_signs(rule: Any) -> None:
    if not rule.weight_decay >= 0:
        raise refuse("weight_decay", rule.weight_decay, "a number >= 0")
    if hasattr(rule, "epsilon") and not rule.epsilon > 0:
        raise refuse("epsilon", rule.epsilon, "a positive number")


@dataclass(frozen=True)
class SGD:
    """w ← w − η g (Robbins & Monro 1951), where g has λ w added to it, as in all rules but AdamW."""

    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_signs(self)

    def start(self, weights: Any) -> State:
        """The state before the first update."""
        return (weights,)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        gradient = penalised(gradient, state[0], self.weight_decay)
        return (state[0].addcmul(gradient, learning_rate, value=-1),)


@dataclass(frozen=True)
class Momentum:
    """v ← m v + g, w ← w − η v (Polyak 1964, in the form of Sutskever et al. 2013 that torch.optim.SGD has).

    With `nesterov`, w ← w − η (g + m v), as there.
    """

    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_shares(self, "momentum")
        _check_signs(self)

    def start(self, weights: Any) -> State:
        """The state before the first update: (w, v = 0)."""
        return (weights, weights * 0)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        gradient = penalised(gradient, state[0], self.weight_decay)
        velocity = state[1] * self.momentum + gradient
        moves = velocity * self.momentum + gradient if self.nesterov else velocity
        return (state[0].addcmul(moves, learning_rate, value=-1), velocity)


@dataclass(frozen=True)
class RMSProp:
    """s ← d s + (1 − d) g², v ← m v + η g/√(s + ε), w ← w − v (Tieleman & Hinton 2012, with momentum).

    ε stands under the root and the learning rate inside the momentum, as in the optimiser that the backup-workers
    paper trained with (torch.optim.RMSprop differs in both).
    """

    decay: float = 0.9
    momentum: float = 0.9
    epsilon: float = 1.0
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_shares(self, "decay", "momentum")
        _check_signs(self)

    def start(self, weights: Any) -> State:
        """The state before the first update: (w, s = 1, v = 0)."""
        return (weights, weights * 0 + 1, weights * 0)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        weights, square, velocity = state
        gradient = penalised(gradient, weights, self.weight_decay)
        square = square * self.decay + gradient * gradient * (1 - self.decay)
        velocity = velocity * self.momentum + gradient * learning_rate / (square + self.epsilon).sqrt()
        return (weights - velocity, square, velocity)


@dataclass(frozen=True)
class Adam:
    """m ← β₁ m + (1 − β₁) g, s ← β₂ s + (1 − β₂) g², w ← w − η m̂/(√ŝ + ε) (Kingma & Ba 2015, algorithm 1).

    m̂ = m/(1 − β₁ᵗ) and ŝ = s/(1 − β₂ᵗ), t the number of this update.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        _check_shares(self, "beta1", "beta2")
        _check_signs(self)

    def start(self, weights: Any) -> State:
        """The state before the first update: (w, m = 0, s = 0, t = 0)."""
        return (weights, weights * 0, weights * 0, 0)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        return self._moved(state, penalised(gradient, state[0], self.weight_decay), learning_rate)

    def _moved(self, state: State, gradient: Any, learning_rate: Any) -> State:
        weights, mean_, square, made = state
        made += 1
        mean_ = mean_ * self.beta1 + gradient * (1 - self.beta1)
        square = square * self.beta2 + gradient * gradient * (1 - self.beta2)
        unbiased = (square / (1 - self.beta2**made)).sqrt() + self.epsilon
        return (weights - mean_ / unbiased * (learning_rate / (1 - self.beta1**made)), mean_, square, made)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam's step from weights that have shrunk, w ← (1 − η λ) w (Loshchilov & Hutter 2019, algorithm 2)."""

    weight_decay: float = 0.01

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        shrunk = state[0] - state[0] * (learning_rate * self.weight_decay)
        return self._moved((shrunk, *state[1:]), gradient, learning_rate)


@dataclass(frozen=True)
class Recipe:
    """An update rule with a schedule of its rate, and what is evaluated. The state ends with a count of its updates.

    `average` d: evaluated is not version t of the weights but a ← d' a + (1 − d') w, d' = min(d, (1 + t)/(10 + t)). The
    ramp is that of the training that the backup-workers paper reports (tf.train.ExponentialMovingAverage with
    num_updates): while it lasts, the average is over the last ninth or so of the run so far, however many updates that
    is. 0 is the version itself. The run does not depend on it.

    `updates`: how many the run makes; whoever starts one says so, by `over`. All of them take equally many samples, so
    progress is the share of the budget of samples, and all methods of a study decay alike.
    """

    rule: "PlainRule"
    schedule: Schedule = CONSTANT
    average: float = 0.0
    updates: float | None = None

    def __post_init__(self) -> None:
        _check_shares(self, "average")

    def over(self, updates: float) -> "Recipe":
        """The same for a run of so many updates, 0 if that is not known. Raises InputError if the schedule needs it."""
        if not (updates > 0 or self.schedule.is_constant):
            allowed = "constant where it is not known before the run how many updates a state will have"
            raise refuse("schedule.decay", self.schedule.decay, allowed)
        return self if self.updates else replace(self, updates=updates)

    def rate(self, state: State, learning_rate: Any) -> Any:
        """The learning rate of the next update."""
        if self.schedule.is_constant:
            return learning_rate
        if self.updates is None:
            raise refuse("schedule.updates", None, "how many updates the run makes")
        return learning_rate * self.schedule.factor(state[-1], self.updates)

    def start(self, weights: Any) -> State:
        """The state before the first update: that of the rule, and a count."""
        return (*self.rule.start(weights), 0)

    def step(self, state: State, gradient: Any, learning_rate: Any) -> State:
        """The state after one update."""
        return (*self.rule.step(state[:-1], gradient, self.rate(state, learning_rate)), state[-1] + 1)

    def averaged(self, average: Any, version: int, weights: Any) -> Any:
        """The average with this version in it, from that before it (of version 0, None)."""
        d = min(self.average, (1 + version) / (10 + version))
        return weights if average is None or not d else average * d + weights * (1 - d)


PlainRule = SGD | Momentum | RMSProp | Adam | AdamW
Rule = PlainRule | Recipe
RULES: dict[str, type] = {
    "sgd": SGD,
    "momentum": Momentum,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def rule(
    name: str, schedule: Mapping[str, Any] | None = None, average: float = 0.0, **options: float
) -> Rule:
    """The update rule of that name, e.g. `rule("momentum", momentum=0.5, schedule={"decay": "linear"})`.

    A name is one of RULES, or `file:PATH.py` for a file of your own with one frozen dataclass that has `start` and
    `step`.
    `schedule` has the fields of `Schedule`, and `updates` where it is known how many the run makes; `average` as in
    `Recipe`, which a rule is with either of them.
    """
    kind = class_of(name)
    _check_known(f"rule.{own_code.short(name)}", options, kind)
    plain, given = kind(**options), dict(schedule or {})
    if own_code.is_named(name):
        own_rules.check_start(plain)
    updates = given.pop("updates", None)
    _check_known("schedule", given, Schedule)
    return Recipe(plain, Schedule(**given), average, updates) if schedule or average else plain


def class_of(name: str) -> type:
    """The class of a rule's name. Raises InputError for an unknown one, or as `own_rules.class_of`."""
    if own_code.is_named(name):
        return own_rules.class_of(name)
    if name not in RULES:
        raise refuse("rule", name, [*RULES, own_code.FORM])
    return RULES[name]


def plain(made: Rule) -> "PlainRule":
    """A rule without schedule and average."""
    return made.rule if isinstance(made, Recipe) else made


def own_file(made: Rule) -> str | None:
    """The name of the file of a user's own that a rule is from; None for one of RULES."""
    return own_code.file_of(type(plain(made)))


def described(made: Rule) -> dict[str, Any]:
    """What `rule` makes this rule of. Options that are off by default, and are off, are left out."""
    if isinstance(made, Recipe):
        schedule = _options(made.schedule) | ({"updates": made.updates} if made.updates else {})
        return described(made.rule) | {"schedule": schedule, "average": made.average}
    own = own_file(made)
    name = own or next((name for name, kind in RULES.items() if type(made) is kind), None)
    if name is None:
        raise refuse("rule", type(made).__name__, f"one of {', '.join(RULES)}, or rule({own_code.FORM!r})")
    return {"name": name, **_options(made)}


def remembered(made: Rule) -> int:
    """How many numbers beside each weight the rule keeps."""
    return sum(not isinstance(one, int) for one in made.start(0.0)) - 1


def counts(made: Rule) -> bool:
    """Whether a state has a count of its updates in it."""
    return any(isinstance(one, int) for one in made.start(0.0))


def _check_known(key: str, options: Mapping[str, Any], kind: Any) -> None:
    known = [field.name for field in fields(kind)]
    for option in options:
        if option not in known:
            raise refuse(key, option, known)
    for field in fields(kind):
        if field.name not in options and field.default is MISSING and field.default_factory is MISSING:
            raise refuse(f"{key}.{field.name}", "nothing", "a value, as it has no default")


def _options(of: Any) -> dict[str, Any]:
    values = {field.name: (getattr(of, field.name), field.default) for field in fields(of)}
    return {name: value for name, (value, default) in values.items() if value or default}
