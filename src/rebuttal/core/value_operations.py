"""Operations: pure functions of tensors that can be applied to symbols too, the package's and a method's own.

A graph holds an operation by its name. One of the package has the name of its function. One of a method's own has a
hash of its file behind that (`top@3f2a…`): another content is another operation, so no result of the old one is taken
for it, and a name can be looked up wherever the file was run.
"""

import functools
import hashlib
import inspect
import marshal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, overload

from rebuttal.base import own_code
from rebuttal.base.errors import refuse

MARK, STATE = "@", ":state"  # behind a name: its content is of a user's own; it gives states
#: What is told apart by name, in pricing, records and readings.
TAKEN = (
    "start", "gradient", "update", "joined", "perturbed", "predicted", "compensated_update", "part", "input",
    "forward", "loss", "backward", "input_gradient", "weight_gradient", "all_reduce",
)  # fmt: skip
IS_SIZE = (lambda given: given is None or callable(given), "a function of the numbers of a gradient")
IS_SWITCH = (lambda given: isinstance(given, bool), "True or False")
#: What may be stated of an operation: whether it is allowed, and what is, in words.
STATED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "updates": (lambda given: isinstance(given, (int, float)) and given >= 0, "a number >= 0"),
    "seconds": IS_SIZE,
    "size_bytes": IS_SIZE,
    "batched": IS_SWITCH,
    "state": IS_SWITCH,
}
Body = Callable[..., Any]
Size = Callable[..., float]  # (numbers of the gradient, **the operation's numbers) -> seconds or bytes


class ValueOperation:
    """A function `f(*values, **numbers)`. On symbols (and whatever has their `derive`) it makes a value of them.

    On anything else it is its body. `name`: in graphs. `numbers`: its keywords, in order, with their defaults.
    """

    __name__: str

    def __init__(self, body: Body, **stated: Any) -> None:
        functools.update_wrapper(self, body)
        _check_stated(body.__name__, stated)
        self.body, self.numbers = body, _keywords(body)
        self.is_own = not body.__module__.startswith("rebuttal.")
        self.updates: float = stated.get("updates", 1.0)
        self.seconds: Size | None = stated.get("seconds")
        self.size_bytes: Size | None = stated.get("size_bytes")
        self.batched: bool = stated.get("batched", not self.is_own)
        self.state: bool = stated.get("state", False)
        self.name = _own_name(self) if self.is_own else body.__name__
        _known[self.name] = self

    def __call__(self, *values: Any, **numbers: float) -> Any:
        """The value of the operation. Raises InputError for a number that it has not, or a value that is none."""
        derive = getattr(values[0], "derive", None) if values else None
        if derive is None:
            return self.body(*values, **numbers)
        if self.is_own and not all(hasattr(value, "derive") for value in values):
            other = next(value for value in values if not hasattr(value, "derive"))
            raise refuse(f"operation {self.__name__}", other, "values of the run; numbers are keywords")
        return derive(self.name, values, self.arguments(numbers))

    def at(self, **numbers: float) -> "BoundOperation":
        """The operation with these numbers, for requests, which give values alone: `Compute(top.at(share=1), (g,))`."""
        self.arguments(numbers)
        return BoundOperation(self, numbers)

    def arguments(self, numbers: Mapping[str, float]) -> tuple[float, ...]:
        """All its numbers, in order. Raises InputError for one that is missing, unknown or no number."""
        key = f"operation {self.__name__}"
        for given in numbers:
            if given not in self.numbers:
                raise refuse(key, given, list(self.numbers) or "no number")
        found = [numbers.get(keyword, default) for keyword, default in self.numbers.items()]
        for keyword, number in zip(self.numbers, found, strict=True):
            if not isinstance(number, (int, float)):
                raise refuse(f"{key}.{keyword}", number, "a number")
        return tuple(float(number) for number in found if number is not None)

    def keywords(self, arguments: tuple[float, ...]) -> dict[str, float]:
        """Its numbers by name, of what a graph has."""
        return dict(zip(self.numbers, arguments, strict=True))

    def costs(self, kind: str, numbers: int, arguments: tuple[float, ...]) -> float | None:
        """What `seconds` or `size_bytes` says of a gradient of so many numbers; None where nothing is stated.

        Raises:
            InputError: it says something else than a number >= 0.
        """
        stated = getattr(self, kind)
        if stated is None:
            return None
        found = stated(numbers, **self.keywords(arguments))
        if not (isinstance(found, (int, float)) and 0 <= found < float("inf")):
            raise refuse(f"operation {self.__name__}.{kind}", found, "a number >= 0")
        return float(found)


class BoundOperation:
    """An operation with its numbers, called with values alone."""

    def __init__(self, whole: ValueOperation, numbers: Mapping[str, float]) -> None:
        self.whole, self.numbers, self.__name__ = whole, dict(numbers), whole.__name__

    def __call__(self, *values: Any) -> Any:
        """As the operation."""
        return self.whole(*values, **self.numbers)


_known: dict[str, ValueOperation] = {}


@overload
def operation(body: Body, /) -> ValueOperation: ...
@overload
def operation(
    *,
    updates: float = ...,
    seconds: Size | None = ...,
    size_bytes: Size | None = ...,
    batched: bool = ...,
    state: bool = ...,
) -> Callable[[Body], ValueOperation]: ...
def operation(body: Body | None = None, **stated: Any) -> Any:
    """Make a pure function of tensors usable on symbols too. Values are positional, numbers are keywords.

    A tensor is [M, …], a row for each replica, and so is every part of a tuple of tensors; the function gives one of
    the two. What may be stated of it:

    - `updates`: it takes as long as so many updates of as many weights, 1 by default; or `seconds(numbers, **its own
      numbers)`. Only what a program asks for in a `Compute` takes time.
    - `size_bytes(numbers, **its own numbers)`: its value on the wire; by default as the gradient or state that it was
      made of. `numbers` is how many that has.
    - `batched`: rows do not meet in it, so many replicas may be computed in one call. Else they are one by one.
    - `state`: its value is a state, which counts as old as the newest state that it is made of.

    Raises:
        InputError: it cannot be told apart by its name and file.
    """
    return ValueOperation(body) if body is not None else lambda given: ValueOperation(given, **stated)


def is_own(name: str) -> bool:
    """Whether the operation of that name in a graph is a method's own."""
    return MARK in name


def gives_states(name: str) -> bool:
    """Whether a method's own operation of that name gives states."""
    return name.endswith(STATE)


def short(name: str) -> str:
    """A name in a graph for readers: without its hash."""
    return name.partition(MARK)[0]


def names() -> frozenset[str]:
    """Of the package's operations that are defined so far."""
    return frozenset(name for name in _known if not is_own(name))


def unknown(graph_operations: Iterable[str]) -> list[str]:
    """Those of a method's own whose files have not been run in this process."""
    return sorted({name for name in graph_operations if is_own(name) and name not in _known})


def found(name: str) -> ValueOperation:
    """The operation of that name. Raises InputError where its file has not been run in this process."""
    if name in _known:
        return _known[name]
    allowed = "one whose file was run in this process: name the method, as in rebuttal.method('file:PATH.py')"
    raise refuse("operation", name, allowed if is_own(name) else _known)


def of(called: Any) -> tuple[ValueOperation, tuple[float, ...]] | None:
    """(operation, its numbers) of what a request names, if that is a method's own."""
    numbers = called.numbers if isinstance(called, BoundOperation) else {}
    whole = called.whole if isinstance(called, BoundOperation) else called
    if not (isinstance(whole, ValueOperation) and whole.is_own):
        return None
    return whole, whole.arguments(numbers)


def _keywords(body: Body) -> dict[str, float | None]:
    """Keyword of a number -> its default, or None."""
    parameters = inspect.signature(body).parameters.values()
    return {
        one.name: None if one.default is one.empty else one.default
        for one in parameters
        if one.kind is one.KEYWORD_ONLY
    }


def _check_stated(name: str, stated: Mapping[str, Any]) -> None:
    """Refuse what nothing is made of. Raises InputError."""
    for key, given in stated.items():
        if key not in STATED:
            raise refuse(f"operation {name}", key, list(STATED))
        kind, allowed = STATED[key]
        if not kind(given):
            raise refuse(f"operation {name}.{key}", given, allowed)


def _own_name(made: ValueOperation) -> str:
    body = made.body
    if body.__name__ in TAKEN or body.__name__ in _known:
        raise refuse("operation", body.__name__, "a name that no operation of the package has")
    if "<locals>" in body.__qualname__:
        raise refuse("operation", body.__qualname__, "a function at the top of a file or a cell")
    return f"{body.__name__}{MARK}{_content(body)}{STATE if made.state else ''}"


def _content(body: Body) -> str:
    """A hash of the file that a function stands in; of a cell's, of its lines."""
    where = body.__globals__
    digest = where.get(own_code.FINGERPRINT)
    if digest is None:
        file = where.get("__file__")
        content = Path(file).read_bytes() if file and Path(file).is_file() else _lines(body)
        digest = hashlib.sha256(content).hexdigest()
    return digest[:12]


def _lines(body: Body) -> bytes:
    try:
        return inspect.getsource(body).encode()
    except (OSError, TypeError):
        return marshal.dumps(body.__code__)
