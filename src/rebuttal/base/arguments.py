"""What functions for people are given, checked as the parameter files are: one line, and nothing is started.

Numbers of numpy's types become Python's: they would overflow in silence, or turn up in what is written.
"""

import math
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from rebuttal.base.errors import refuse

MOST = 2**20  # samples, steps, epochs: more is a slip of the pen
MOST_WORKERS = 4096  # of a run: each is a program of its own
MOST_UPDATES = 10**7  # of a run on the virtual clock
MOST_POINTS = 10_000  # of a curve
MOST_SEED = 2**32 - 1
MOST_RATE = 1e6
RATES = f"a list of different numbers > 0, at most {MOST_RATE:g}, such as [0.05, 0.1]"


def whole(key: str, given: Any, least: int = 1, most: int = MOST) -> int:
    """A whole number within bounds, of Python's type. Raises InputError."""
    try:
        value = None if isinstance(given, bool) else operator.index(given)
    except TypeError:
        value = None
    if value is None or not least <= value <= most:
        raise refuse(key, given, f"a whole number from {least} to {most}")
    return value


def seed(given: Any, key: str = "seed") -> int:
    """A seed. Raises InputError."""
    return whole(key, given, 0, MOST_SEED)


def number(key: str, given: Any, above: float, most: float = math.inf, *, or_equal: bool = False) -> float:
    """A number above a bound (or equal to it), at most `most`, of Python's type; not NaN. Raises InputError."""
    value = float(given) if isinstance(given, Real) and not isinstance(given, bool) else math.nan
    if not (above < value <= most or (or_equal and value == above)):
        least = "" if above == -math.inf else f" {'>=' if or_equal else '>'} {above:g}"
        limit = "" if most == math.inf else f", at most {most:g}"
        raise refuse(key, given, f"a number{least}{limit}")
    return given if type(given) is int else value


def rates(key: str, given: Any) -> list[float]:
    """Different learning rates, in the order given. Raises InputError."""
    listed = None if isinstance(given, str | bytes | Mapping) or not _is_list(given) else list(given)
    if not listed or len(listed) > MOST_POINTS:
        raise refuse(key, given, RATES)
    found = [float(number(key, one, 0, MOST_RATE)) for one in listed]
    if len(set(found)) < len(found):
        raise refuse(key, given, RATES)
    return found


def path(key: str, given: Any) -> Path:
    """A path, of a text or a path. Raises InputError."""
    if not isinstance(given, str | os.PathLike) or not str(given) or "\0" in str(given):
        raise refuse(key, given, "a path, as a text or a pathlib.Path")
    return Path(given)


def folder(key: str, given: Any) -> Path | None:
    """A path, or none. Raises InputError."""
    return None if given is None else path(key, given)


def text(key: str, given: Any, allowed: str | Iterable[object]) -> str:
    """A text; `allowed` says what it is, or lists the names. Raises InputError."""
    if not isinstance(given, str) or not given:
        raise refuse(key, given, allowed)
    return given


def switch(key: str, given: Any) -> bool:
    """True or False. Raises InputError."""
    if not isinstance(given, bool):
        raise refuse(key, given, "True or False")
    return given


def options(key: str, given: Any) -> dict[str, Any]:
    """Options by name, or none. Raises InputError."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise refuse(key, given, "a dict of names and values, such as {'b': 2}")
    return dict(given)


def instance(key: str, given: Any, kind: type | tuple[type, ...], allowed: str) -> Any:
    """What is of a kind. Raises InputError."""
    if not isinstance(given, kind):
        raise refuse(key, given, allowed)
    return given


def _is_list(given: Any) -> bool:
    return isinstance(given, Sequence) or (hasattr(given, "__len__") and getattr(given, "ndim", 1) == 1)
