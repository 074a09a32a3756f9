"""An update rule of a user's own, tried on tensors before a run begins with it."""

from typing import Any

import torch
from torch import Tensor

from rebuttal.base.errors import InputError, refuse
from rebuttal.core.update_rules import Rule, own_file, plain

WANTED = (
    "start(weights) and step(state, gradient, learning_rate) that give tuples, the weights first, of one form"
)


def check_step(rule: Rule) -> None:
    """Refuse a rule of a user's own whose step fails or changes the form of a state. Raises InputError."""
    if own_file(rule) is None:
        return
    made: Any = plain(rule)
    weights = torch.ones(2, 3)
    try:
        state = made.start(weights)
        new = made.step(state, weights, torch.full((2, 1), 0.1))
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"rule: got {own_file(rule)!r}, whose step fails with {why}; allowed: {WANTED}"
        ) from error
    if not (isinstance(state, tuple) and isinstance(new, tuple) and _forms(state) == _forms(new)):
        raise refuse("rule", f"{own_file(rule)}, whose step gives {_forms(new)} of {_forms(state)}", WANTED)


def _forms(state: Any) -> str:
    parts = state if isinstance(state, tuple) else (state,)
    named = (str(list(part.shape)) if isinstance(part, Tensor) else type(part).__name__ for part in parts)
    return f"({', '.join(named)})"
