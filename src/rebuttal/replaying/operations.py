"""The value of every operation that a graph may hold, but for `gradient`, which executors compute.

An operation is a function `(context, inputs, arguments) -> value`, the same for lockstep replay (M replicas) and for
the eager oracle (M = 1). `context` (a `context.Context`) says which replicas these are; `inputs` are the values of
the node's inputs; `arguments` its numbers, all floats. Values:

| of                                       | is                                                              |
|------------------------------------------|-----------------------------------------------------------------|
| a state, or a part of one                | a tuple of tensors [M, P] or [M, p], the weights first          |
| a gradient, or a part of one             | a tensor [M, P] or [M, p]                                       |
| `input`, `forward`: a record h           | `h.flat()` is [M, n, F] (see `context.Record`)                  |
| `loss`, `input_gradient`: a δ            | a tensor; [M, n, F] by `h.flat_delta(δ)`, where h is the record |
|                                          | whose activations δ belongs to, and back by `h.delta(flat)`     |

Values are never written to once they are made, for others may hold them. Another file adds operations by a dict of
its own, name -> function, that is merged into `OPERATIONS` here. A method's own operation gives a tensor [M, …] or a
tuple of them (own_values.py).
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rebuttal.base.errors import refuse
from rebuttal.base.seeding import generator
from rebuttal.core import value_operations
from rebuttal.core.update_rules import FUNCTIONS, SGD, Momentum, Recipe, State, described, penalised
from rebuttal.replaying.context import Context, Operation, Record
from rebuttal.replaying.local_losses import LOCAL_OPERATIONS
from rebuttal.replaying.own_values import of_own

Arguments = tuple[float, ...]
DRAWS_KEPT = 32  # perturbations: the stages of a pipeline ask for parts of the same ones at different times


def _start(context: Context, _: Sequence[Any], __: Arguments) -> State:
    return context.rule.start(context.starts)


def _update(context: Context, inputs: Sequence[Any], _: Arguments) -> State:
    return context.rule.step(inputs[0], inputs[1], context.learning_rates)


def _part(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Any:
    """Columns of each tensor, as views; a state's counts as they are."""
    columns = context.stages.part(*_integers(arguments))
    whole = inputs[0]
    if isinstance(whole, tuple):
        return tuple(t[:, columns] if isinstance(t, Tensor) else t for t in whole)
    return whole[:, columns]


def _joined(_: Context, inputs: Sequence[Any], __: Arguments) -> Any:
    if isinstance(inputs[0], tuple):
        columns = zip(*inputs, strict=True)
        return tuple(torch.cat(some, 1) if isinstance(some[0], Tensor) else max(some) for some in columns)
    return torch.cat(list(inputs), 1)


def _input(context: Context, _: Sequence[Any], arguments: Arguments) -> Record:
    return context.stages.input(context.samples(*_integers(arguments))[0])


def _forward(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Record:
    (w, h), (l, n) = inputs, _integers(arguments)
    return context.stages.forward(l, n, w[0], h)


def _loss(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Tensor:
    return context.stages.loss(inputs[0], context.samples(*_integers(arguments[2:]))[1])


def backward(context: Context, inputs: Sequence[Any], arguments: Arguments) -> tuple[Tensor | None, Tensor]:
    """(`input_gradient`, `weight_gradient`) of the same inputs, in one pass."""
    return _backward(context, inputs, arguments, below=True, own=True)


def _input_gradient(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Tensor | None:
    return _backward(context, inputs, arguments, below=True, own=False)[0]


def _weight_gradient(context: Context, inputs: Sequence[Any], arguments: Arguments) -> Tensor:
    return _backward(context, inputs, arguments, below=False, own=True)[1]


def _backward(
    context: Context, inputs: Sequence[Any], arguments: Arguments, *, below: bool, own: bool
) -> tuple[Any, Any]:
    """What is asked for of (δ below, gradient); below the first stage is nothing that needs a δ."""
    (w, h, delta), (l, n) = inputs, _integers(arguments)
    below = below and l > 0
    if not (below or own):
        return None, None
    return context.stages.backward(l, n, w[0], h, delta, below=below, own=own)


def _perturbed(context: Context, inputs: Sequence[Any], arguments: Arguments) -> State:
    gamma, t, k = arguments
    return _shifted(context, inputs[0], gamma, _draws(context, int(t), int(k)))


def _perturbed_part(context: Context, inputs: Sequence[Any], arguments: Arguments) -> State:
    l, n, gamma, t, k = arguments
    columns = context.stages.part(int(l), int(n))
    return _shifted(context, inputs[0], gamma, _draws(context, int(t), int(k))[:, columns])


def _shifted(context: Context, state: State, gamma: float, draws: Tensor) -> State:
    """w + γ X, where X is [S, p]: the same for all learning rates of a seed."""
    return (state[0] + context.for_replicas(draws * gamma), *state[1:])


def _draws(context: Context, t: int, k: int) -> Tensor:
    """X_{t,k} [S, P], standard normal, drawn in float32 whatever the arithmetic is."""
    kept = context.kept.setdefault("perturbations", OrderedDict())
    if (t, k) not in kept:
        streams = [generator(seed, "perturbation", t, k) for seed in context.seeds]
        rows = [stream.standard_normal(context.starts.shape[1], dtype="float32") for stream in streams]
        kept[t, k] = torch.stack([torch.from_numpy(row) for row in rows]).to(context.starts)
        if len(kept) > DRAWS_KEPT:
            kept.popitem(last=False)
    return kept[t, k]


def _predicted(context: Context, inputs: Sequence[Any], arguments: Arguments) -> State:
    """ŵ = w − η D v (Kosson et al. 2021, linear weight prediction)."""
    _, rate, (w, *past), count = _with_momentum(context, inputs[0])
    if not past:  # without a momentum nothing is known of where the weights will go
        return inputs[0]
    return (w.addcmul(past[0], rate, value=-arguments[0]), *past, *count)


def _compensated_update(context: Context, inputs: Sequence[Any], arguments: Arguments) -> State:
    """v' = m v + g, w' = w − η (a v' + b g), a = m^D, b = (1 − m^D)/(1 − m) (Kosson et al. 2021)."""
    rule, rate, (w, *past), count = _with_momentum(context, inputs[0])
    g, m = penalised(inputs[1], w, rule.weight_decay), getattr(rule, "momentum", 0.0)
    a = m ** arguments[0]
    b = (1 - a) / (1 - m)
    v = past[0] * m + g if past else g
    return (w.addcmul(v * a + g * b, rate, value=-1), *([v] if past else []), *(n + 1 for n in count))


def _with_momentum(context: Context, state: State) -> tuple[SGD | Momentum, Any, State, State]:
    """(rule, η of the next update, state, count of updates, if there is one) where v ← m v + g, w ← w − η v.

    Raises InputError for a rule whose step is not η v.
    """
    rule, rate, count = context.rule, context.learning_rates, ()
    if isinstance(rule, Recipe):
        rule, rate, state, count = rule.rule, rule.rate(state, rate), state[:-1], state[-1:]
    if not isinstance(rule, SGD | Momentum):
        raise refuse("rule", described(rule)["name"], ("sgd", "momentum"))
    if getattr(rule, "nesterov", False):
        raise refuse("rule.nesterov", True, "false where a gradient's delay is made up for")
    return rule, rate, state, count


def _of_rule(name: str) -> Operation:
    """A function of update_rules.py, which needs no context."""
    rule = value_operations.found(name)
    return lambda _, inputs, arguments: rule.body(*inputs, **rule.keywords(arguments))


def operation_named(name: str) -> Operation:
    """What computes an operation of a graph. Raises InputError for one of a method's own that is not known here."""
    known = OPERATIONS.get(name)
    return known if known is not None else of_own(value_operations.found(name))


def _integers(pair: Arguments) -> tuple[int, int]:
    return int(pair[0]), int(pair[1])


OPERATIONS: dict[str, Operation] = {
    "start": _start,
    "update": _update,
    "part": _part,
    "joined": _joined,
    "input": _input,
    "forward": _forward,
    "loss": _loss,
    "input_gradient": _input_gradient,
    "weight_gradient": _weight_gradient,
    "perturbed": _perturbed,
    "perturbed_part": _perturbed_part,
    "predicted": _predicted,
    "compensated_update": _compensated_update,
    **{name: _of_rule(name) for name in FUNCTIONS},
    **LOCAL_OPERATIONS,
}
