"""Update rules of a user's own: the one frozen dataclass with start and step in a Python file, `file:PATH.py`."""

from typing import Any

from rebuttal.base.errors import InputError, refuse
from rebuttal.base.own_classes import OwnKind

KEY = "rule"
KIND = OwnKind(KEY, ("start", "step"))


def class_of(name: str) -> type:
    """The update rule of a file. Raises InputError as `OwnKind.class_of`."""
    return KIND.class_of(name)


def check_start(made: Any) -> None:
    """Refuse a rule that cannot say what it keeps, without tensors. Raises InputError."""
    given = type(made).__name__
    try:
        state = made.start(0.0)
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(
            f"{KEY}: got {given}, whose start fails on a number with {why}; allowed: arithmetic alone, such as "
            "weights * 0 in the place of torch.zeros_like(weights)"
        ) from error
    if not (isinstance(state, tuple) and state and all(isinstance(one, (int, float)) for one in state)):
        raise refuse(
            KEY,
            f"{given}, whose start gives {state!r}",
            "a tuple, the weights first, and whole numbers as counts",
        )
